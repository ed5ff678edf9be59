import { readFileSync } from 'node:fs';
import { type Api, connect, startTestbed, type Testbed } from '@irsa-operator/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeGrant } from '../harness/given.ts';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { ACCOUNT, type Scene, scene } from '../harness/scene.ts';

/** What the flag needs beside the policy of every operator. */
const PROVIDER_POLICY = readFileSync('config/iam/manage-oidc-provider.json', 'utf8');

/** An account without the cluster's OIDC provider, and an operator that may register it. */
let testbed: Testbed;
let api: Api;
let operator: RunningOperator;
let shop: Scene;

beforeAll(async () => {
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  await install(testbed);
  operator = await startOperator(testbed, ['--sweep-interval', '2s', '--manage-oidc-provider'], [PROVIDER_POLICY]);
  const spec = { roleArns: [`arn:aws:iam::${ACCOUNT}:role/role-of-*`], namespaces: { names: ['shop'] }, serviceAccountNames: ['app'] };
  await makeGrant(api, 'shop', spec);
  shop = await scene(testbed, api, 'shop');
  const trustPolicy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  };
  testbed.aws.account().role.put({ name: shop.roleName, trustPolicy });
});

afterAll(async () => {
  expect(await operator?.stop()).toBe(0);
  api?.close();
  await testbed?.stop();
});

const made = () => testbed.aws.journal.filter(({ operation }) => operation === 'CreateOpenIDConnectProvider');

// Contract: provider-manage
test('a binding that only observes makes no provider; one that enforces makes it once, with the client IDs of the flag, and pods get in', async () => {
  await shop.bind({ mode: 'Observe' });
  await shop.conditionIs('ProviderReady', 'False', 'OidcProviderMissing');
  expect(made()).toEqual([]);

  const path = '/apis/irsa-operator.dev/v1alpha1/namespaces/shop/irsabindings/app';
  await api.call('PATCH', path, { patch: 'merge', body: { spec: { mode: 'Enforce' } } });
  await shop.serviceAccount();
  await shop.deployment();
  await shop.allReady();
  await shop.conditionIs('Ready', 'True');
  expect(made().map(({ params }) => [params['Url'], params['ClientIDList.member.1'], params['ClientIDList.member.2']])).toEqual([
    [testbed.issuer, 'sts.amazonaws.com', undefined],
  ]);
  expect(await shop.eventReasons()).toContain('OidcProviderCreated');
});
