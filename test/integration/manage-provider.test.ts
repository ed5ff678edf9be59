import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { integrationSuite, SWEEP } from '../harness/suite.ts';

/** An account without the cluster's OIDC provider, and an operator that may register it: what the flag needs beside the policy of every operator. */
const suite = integrationSuite({
  // The policy as it ships names this issuer, and whoever installs it puts their own in its place (docs/iam.md).
  testbed: { issuer: 'https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE' },
  clientIds: [],
  grant: { serviceAccountNames: ['app'] },
  flags: [...SWEEP, '--manage-oidc-provider'],
  morePolicies: [readFileSync('config/iam/manage-oidc-provider.json', 'utf8')],
});

const made = () => suite.testbed.aws.journal.filter(({ operation }) => operation === 'CreateOpenIDConnectProvider');

// Contract: provider-manage
test('a binding that only observes makes no provider; one that enforces makes it once, with the client IDs of the flag, and pods get in', async () => {
  const shop = await suite.scene('shop');
  shop.role();
  await shop.bind({ mode: 'Observe' });
  await shop.conditionIs('ProviderReady', 'False', 'OidcProviderMissing');
  expect(made()).toEqual([]);

  await shop.change({ mode: 'Enforce' });
  await shop.serviceAccount();
  await shop.deployment();
  await shop.allReady();
  await shop.conditionIs('Ready', 'True');
  expect(made().map(({ params }) => [params['Url'], params['ClientIDList.member.1'], params['ClientIDList.member.2']])).toEqual([
    [suite.testbed.issuer, 'sts.amazonaws.com', undefined],
  ]);
  await shop.eventSays('OidcProviderCreated');
});
