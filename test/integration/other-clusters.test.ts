import { readFileSync } from 'node:fs';
import { until } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { annotated, right } from '../harness/article.ts';
import { commandsIn, runCommand } from '../harness/command.ts';
import { notesOfOperator } from '../harness/operator.ts';
import { FOREIGN } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { shellOf } from '../harness/shell.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';
import { ROLE_ARN } from '../harness/views.ts';

/** From the annotation to a pod that shows what the webhook makes of it. */
const SETTLE_MS = 11_000;

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
    const told = () => notesOfOperator(suite.testbed, 'AudienceForbidden');
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

describe('a cluster whose webhook gives another audience (kOps)', () => {
  const suite = integrationSuite({
    testbed: { webhookArgs: ['--token-audience=amazonaws.com'] },
    clientIds: ['amazonaws.com', 'sts.amazonaws.com'],
    grant: { audiences: ['sts.amazonaws.com', 'amazonaws.com'] },
  });
  const evictions = async (s: Scene) => (await s.requests('pods')).filter(({ verb }) => verb === 'create' || verb === 'delete').length;

  // Contract: webhook-audience
  test('the first replacement shows it: the audience is annotated, and only then the pods are replaced', async () => {
    const s = await suite.prepared('media');
    await s.deployment();
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    await s.allReady(2);
    expect(await s.annotations()).toEqual({ [ROLE_ARN]: s.roleArn, 'eks.amazonaws.com/audience': 'sts.amazonaws.com' });
    // One that shows it, and then each of the two.
    expect(await evictions(s)).toBe(3);
  });

  test('a binding that wants the audience of the webhook gets pods with it', async () => {
    const s = await suite.prepared('same');
    await s.bind({ audience: 'amazonaws.com' });
    await s.conditionIs('Annotated', 'True');
    await s.deployment({ replicas: 1 });
    await s.allReady(1);
    await s.conditionIs('Ready', 'True', 'Ready');
  });

  // Contract: webhook-flags
  test('the flag --webhook-token-audience saves the replacement that shows it', async () => {
    await suite.restart([...SWEEP, '--webhook-token-audience', 'amazonaws.com']);
    const s = await suite.prepared('flag');
    await s.deployment();
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    await s.allReady(2);
    expect(await evictions(s)).toBe(2);
  });

  // Contract: check-commands-work
  test('without a binding, check sees it in the pods, and its commands make them Ready', async () => {
    const s = await suite.scene('by-hand', { granted: false });
    s.role(right(s));
    await s.serviceAccount(annotated(s));
    const made = Date.now();
    // The webhook answers from a cache: a pod that was made sooner shows nothing.
    await until('the annotation is old', () => Date.now() - made > SETTLE_MS, { timeoutMs: 60_000 });
    await s.deployment();
    await s.refused();
    const kubeconfig = suite.testbed.kubeconfig;
    const credentials = { ...suite.testbed.aws.env({ roleName: 'reader', sessionName: 'jane' }), npm_command: 'exec' };
    const run = () => runCommand(suite.testbed.aws, ['check', '-n', s.namespace, 'deploy/app'], { kubeconfig, credentials });
    const { stdout, code } = await run();
    expect(stdout).toContain('WebhookDefaultAudience');
    expect(code).toBe(1);
    await (await shellOf(suite.testbed))(commandsIn(stdout));
    await s.allReady(2);
    expect((await run()).stdout).toContain('IRSA works');
  });
});

describe('a cluster whose webhook reads other annotations and mounts the token elsewhere', () => {
  const PREFIX = 'irsa.example.org';
  const PATH = '/var/run/secrets/sts.amazonaws.com/serviceaccount';
  const suite = integrationSuite({
    testbed: { webhookArgs: [`--annotation-prefix=${PREFIX}`, `--token-mount-path=${PATH}`] },
    grant: {},
    operator: false,
  });

  // Contract: webhook-flags
  test('the flags of the operator say so, and everything is done and judged by them', async () => {
    // As docs/concepts/other-clusters.md has it.
    const policies = (await suite.testbed.kubectl(['kustomize', 'config/policies'])).replaceAll('eks.amazonaws.com/', `${PREFIX}/`);
    await suite.testbed.kubectl(['apply', '-f', '-'], { input: policies });
    await suite.start([...SWEEP, '--webhook-annotation-prefix', PREFIX, '--webhook-token-mount-path', PATH]);
    const s = await suite.prepared('shop');
    await s.deployment();
    await s.bind({ tokenExpirationSeconds: 3600 });
    await s.conditionIs('Ready', 'True', 'Ready');
    const [pod] = await s.allReady(2);
    expect(await s.annotations()).toEqual({ [`${PREFIX}/role-arn`]: s.roleArn, [`${PREFIX}/token-expiration`]: '3600' });
    expect(JSON.stringify(pod)).toContain(`${PATH}/token`);

    // A template that sets both variables is right with the path of this webhook, and with no other.
    const env = (path: string) => [
      { name: 'AWS_ROLE_ARN', value: s.roleArn },
      { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${path}/token` },
    ];
    await s.workload('statefulsets', { name: 'right', replicas: 1, container: { env: env(PATH) } });
    await s.lookAgain();
    await s.conditionIs('Ready', 'True', 'Ready');
    await s.workload('statefulsets', {
      name: 'wrong',
      replicas: 1,
      container: { env: env('/var/run/secrets/eks.amazonaws.com/serviceaccount') },
    });
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'PodEnvOverridden');
    expect(message).toContain(`"${PATH}/token"`);
    await s.remove('statefulsets', 'wrong');
    await s.conditionIs('Ready', 'True', 'Ready');

    // The API server takes a moment to enforce a policy that was just applied. The operator looks again every minute.
    const confined = async () => (await suite.metrics()).match(/^irsa_confined\{.*service-accounts.*\} (.*)$/m)?.[1];
    await expect.poll(confined, { timeout: 90_000 }).toBe('1');
    await s.unbind();
    await s.gone();
    expect(await s.annotations()).toBeUndefined();
  });
});
