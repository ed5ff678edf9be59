import { readFileSync } from 'node:fs';
import { until } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { FOREIGN } from '../harness/policies.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';

/** Clusters that are not EKS, each with a control plane of its own. */

describe('a cluster whose issuer ends with a slash (AKS)', () => {
  const ISSUER = 'https://eastus.oic.prod-aks.azure.com/00000000-0000-0000-0000-000000000001/00000000-0000-0000-0000-000000000002/';
  const HOST = ISSUER.slice('https://'.length);
  const PROVIDER = `arn:aws:iam::111122223333:oidc-provider/${HOST}`;
  const suite = integrationSuite({ testbed: { issuer: ISSUER }, grant: {} });
  const forIssuer = (subject: string) => ({
    Effect: 'Allow',
    Principal: { Federated: PROVIDER },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${HOST}:sub`]: subject, [`${HOST}:aud`]: 'sts.amazonaws.com' } },
  });

  // Contract: cluster-exact
  test('a statement of others with the slash lets its pods in, and nothing is written', async () => {
    const s = await suite.scene('theirs');
    s.role({ Version: '2012-10-17', Statement: [forIssuer(s.subject)] });
    await s.serviceAccount();
    await s.bind();
    await s.conditionIs('ProviderReady', 'True', 'Registered');
    await s.conditionIs('Trusted', 'True', 'AllowedByOthers');
    await s.deployment({ replicas: 1 });
    await s.allReady(1);
    expect(s.writes()).toEqual([]);
  });

  // Contract: cluster-exact
  test('the statement of irsa-operator has the slash in its provider and in its keys, and lets its pods in', async () => {
    const s = await suite.working('ours');
    const [, ours] = s.statements();
    expect(ours).toMatchObject(forIssuer(s.subject));
    await s.deployment({ replicas: 1 });
    await s.allReady(1);
  });

  // Contract: cluster-exact
  test('the flag --oidc-issuer takes the same URL, and finds the same', async () => {
    const s = await suite.prepared('flag');
    await suite.restart([...SWEEP, '--oidc-issuer', ISSUER]);
    await s.bind();
    await s.conditionIs('Trusted', 'True', 'AllowedByOperator');
    expect(s.statements()[1]).toMatchObject(forIssuer(s.subject));
  });
});

describe('a cluster whose API server takes the audience of STS (guides for self-managed clusters)', () => {
  const suite = integrationSuite({ testbed: { apiServerArgs: ['--api-audiences=sts.amazonaws.com'] }, grant: {} });

  // Contract: api-audience-advice, api-audience-reread
  test('the binding names the flag that has to change, and becomes Ready by itself when it has changed', async () => {
    const s = await suite.prepared('payments');
    await s.bind();
    await s.deployment({ replicas: 1 });
    const { message } = await s.conditionIs('Authorized', 'False', 'AudienceForbidden');
    expect(message).toContain('Remove "sts.amazonaws.com" from --api-audiences of the API server');
    expect(message).not.toContain('spec.audience');
    expect((await s.condition('Ready'))?.message).toContain('--api-audiences');
    expect(s.calls()).toEqual([]);
    const told = async () => {
      const { items } = JSON.parse(await suite.testbed.kubectl(['get', 'events', '-n', 'irsa-operator-system', '-o', 'json'])) as {
        items: { reason: string; message: string }[];
      };
      return items.filter(({ reason }) => reason === 'AudienceForbidden').map((event) => event.message);
    };
    await until('an Event says so for the cluster', async () => (await told()).length > 0, { timeoutMs: 30_000 });
    expect(await told()).toEqual([expect.stringContaining('--api-audiences')]);

    const startAgain = await suite.testbed.controlPlane?.stopApiServer();
    await startAgain?.([]);
    await s.conditionIs('Ready', 'True', 'Ready');
    await s.allReady(1);
  });
});

describe('a cluster whose issuer nobody outside can reach (kubeadm)', () => {
  const ISSUER = 'https://kubernetes.default.svc.cluster.local';
  const suite = integrationSuite({
    testbed: { issuer: ISSUER },
    clientIds: [],
    grant: {},
    morePolicies: [readFileSync('config/iam/manage-oidc-provider.json', 'utf8').replace(/oidc-provider\/[^"]+/, 'oidc-provider/*')],
  });
  const asked = () => suite.testbed.aws.journal.filter(({ operation }) => operation.includes('OpenIDConnectProvider'));

  // Contract: cluster-not-public
  test('the binding says what the API server needs, and no provider is asked for, created or advised', async () => {
    const s = await suite.prepared('shop');
    await s.bind();
    const { message } = await s.conditionIs('ProviderReady', 'False', 'IssuerNotPublic');
    expect(message).toContain(`"${ISSUER}"`);
    expect(message).toContain('--service-account-issuer');
    expect(message).toContain('--oidc-issuer');
    expect(message).not.toMatch(/register|create-open-id/i);
    await s.conditionIs('Stalled', 'True', 'IssuerNotPublic');

    await suite.restart([...SWEEP, '--manage-oidc-provider']);
    await suite.secondLook();
    await s.conditionIs('ProviderReady', 'False', 'IssuerNotPublic');
    expect(asked()).toEqual([]);
    expect(JSON.parse(s.trust())).toEqual(FOREIGN);
    expect(await s.annotations()).toBeUndefined();
  });

  test('a binding that never got anything goes at once', async () => {
    const s = await suite.prepared('gone');
    await s.bind();
    await s.conditionIs('ProviderReady', 'False', 'IssuerNotPublic');
    await s.unbind();
    await s.gone();
  });
});
