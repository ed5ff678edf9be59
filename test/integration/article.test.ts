import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { until } from '@irsa-operator/testbed';
import { unusedGrants } from '@irsa-operator/testbed/aws';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { ARTICLE, allow, annotated, type Case, NO_CREDENTIALS, NOT_AUTHORIZED, OTHER_CLUSTER, right } from '../harness/article.ts';
import { OPERATOR_POLICY, OPERATOR_ROLE } from '../harness/operator.ts';
import { policy } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';
import { ACCOUNT, isReady, type Pod, uidsOf } from '../harness/views.ts';

/**
 * The article's checklist, cause by cause: two replicas that STS refuses become Ready because a binding was applied. In the testbed a pod
 * is Ready only if STS let it in, with the token of the real API server and the trust policy that stands in IAM.
 */
const suite = integrationSuite({
  grant: { roleArns: [`arn:aws:iam::${ACCOUNT}:role/role-of-*`], serviceAccountNames: ['app'] },
  flags: [...SWEEP, '--eks-cluster-name', 'testbed'],
});
const { scene, secondLook } = suite;

beforeAll(() => {
  suite.testbed.aws.account().provider.put({ issuer: OTHER_CLUSTER });
});

/** A namespace that the grant selects, with everything broken as the case says, and the pods refused. */
async function broken(
  name: string,
  { annotation = annotated, policy: trustPolicy, message = NOT_AUTHORIZED }: Omit<Case, 'told' | 'writes'>,
): Promise<Scene> {
  const s = await scene(name);
  s.role(trustPolicy(s));
  await s.serviceAccount(annotation(s));
  await s.deployment();
  expect(await s.refused()).toMatch(message);
  return s;
}

/** What IAM held before stands in what was sent with the same bytes, and beside it `ours` statements of ours. */
function expectForeignStatementsUntouched(before: string, sent: string, ours: number): void {
  const old = /"Statement":\[?(.*?)\]?\}$/.exec(before)?.[1] ?? 'no statement';
  expect(sent).toContain(old);
  const count = (text: string) => [(JSON.parse(text) as { Statement: object | object[] }).Statement].flat().length;
  expect(count(sent)).toBe(count(before) + ours);
  expect(sent.match(/"Sid":"Irsa/g)).toHaveLength(ours);
}

async function expectNoWriteOnASecondLook(s: Scene, writes: number): Promise<void> {
  const pods = uidsOf(await s.pods());
  const binding = await s.binding();
  await secondLook();
  expect(s.writes()).toHaveLength(writes);
  expect(uidsOf(await s.pods())).toEqual(pods);
  expect(await s.binding()).toEqual(binding); // its resource version too
}

/** Every condition with its reason; the trust is ours where we had to write it. */
async function expectHealthy(s: Scene, writes: number): Promise<void> {
  const { status, metadata } = await s.binding();
  expect(Object.fromEntries((status?.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is} ${reason}`]))).toEqual({
    Ready: 'True Ready',
    Authorized: 'True Granted',
    ProviderReady: 'True Registered',
    Trusted: writes > 0 ? 'True AllowedByOperator' : 'True AllowedByOthers',
    Annotated: 'True Annotated',
    PodsCurrent: 'True Current',
  });
  expect(status?.observedGeneration).toBe(metadata.generation);
  expect(status?.pods).toEqual({ total: 2, current: 2, stale: 0, exempt: 0, summary: '2/2' });
  expect(status?.findings).toBeUndefined();
}

/** One write or none, every other statement as it was, every step in order, and nothing more on a second look. */
async function expectMended(s: Scene, before: string, writes: number): Promise<void> {
  await s.conditionIs('Ready', 'True');
  // Where the last replacement came into view after that, only the counts change, which are written every 30 s at most.
  await until('the counts are those of both pods', async () => (await s.binding()).status?.pods?.summary === '2/2', { timeoutMs: 45_000 });
  await expectHealthy(s, writes);
  expect(s.writes()).toHaveLength(writes);
  for (const sent of s.writes()) expectForeignStatementsUntouched(before, sent, 1);
  if (writes === 0) expect(s.trust()).toBe(before);
  await expectNoWriteOnASecondLook(s, writes);
}

describe.concurrent('the article: what is broken is mended, and STS lets the pods in', () => {
  for (const [index, [sentence, given]] of Object.entries(ARTICLE).entries()) {
    test(sentence, async () => {
      const s = await broken(`case-${index}`, given);
      const before = s.trust();
      await s.bind();
      await s.allReady();
      await expectMended(s, before, given.writes);
      await s.eventSays(given.told);
    });
  }

  // Contract: pods-canary
  test('the pods are older than the annotation: they are restarted, one first', async () => {
    const s = await broken('older-pods', { annotation: () => ({}), policy: right, message: NO_CREDENTIALS });
    await s.annotate(annotated(s));
    const old = uidsOf(await s.pods());
    const before = s.trust();
    await s.bind();
    const seen: Pod[][] = [];
    await until(
      'both pods were replaced and are ready',
      async () => {
        const pods = await s.pods();
        seen.push(pods);
        return pods.length === 2 && pods.every((pod) => isReady(pod) && !old.includes(pod.metadata.uid));
      },
      { timeoutMs: 90_000 },
    );
    // The second one went only after the first replacement was ready.
    const firstGone = seen.find((pods) => pods.some(({ metadata }) => !old.includes(metadata.uid)));
    expect(firstGone?.filter(({ metadata }) => old.includes(metadata.uid))).toHaveLength(1);
    await expectMended(s, before, 0);
    expect((await s.binding()).status?.restarts).toEqual([expect.objectContaining({ phase: 'Done', attempts: 1, cause: 'Stale' })]);
  });

  // Contract: trust-byte-for-byte
  test("a role is shared by two clusters and only the other one is in the policy: both work, the other's statement goes out byte for byte", async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    suite.testbed.aws.trustIssuer(OTHER_CLUSTER, async () => ({ keys: [{ ...(await exportJWK(publicKey)), kid: 'other', alg: 'RS256' }] }));
    const s = await broken('shared-role', { policy: (one) => policy(allow(one, { issuer: OTHER_CLUSTER })) });
    const before = s.trust();
    await s.bind();
    await s.allReady();
    const token = await new SignJWT({ sub: s.subject })
      .setProtectedHeader({ alg: 'RS256', kid: 'other' })
      .setIssuer(OTHER_CLUSTER)
      .setAudience('sts.amazonaws.com')
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey);
    const sts = new STSClient({
      endpoint: suite.testbed.aws.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    });
    const answer = await sts.send(
      new AssumeRoleWithWebIdentityCommand({ RoleArn: s.roleArn, RoleSessionName: 'other', WebIdentityToken: token }),
    );
    expect(answer.SubjectFromWebIdentityToken).toBe(s.subject);
    await expectMended(s, before, 1);
  });

  test('the Deployment names a service account that does not exist: a finding names the workload', async () => {
    const s = await labelled('no-such-account');
    await s.serviceAccount();
    await s.deployment({ serviceAccountName: 'ap' });
    await s.bind();
    await s.conditionIs('Ready', 'True', 'WorkloadUsesOtherServiceAccount');
    const message =
      'no pod runs as the bound ServiceAccount "app", and Deployment "app" runs as "ap", which does not exist. If it needs the role, set its spec.template.spec.serviceAccountName. Nothing is wrong if tokens are requested by name (External Secrets, cert-manager, Flux)';
    expect((await s.binding()).status?.findings).toEqual([{ code: 'WorkloadUsesOtherServiceAccount', severity: 'Warning', message }]);
    await expectNoWriteOnASecondLook(s, 0);
  });

  test('the Deployment names a service account that is not the bound one: a finding names the workload', async () => {
    const s = await labelled('other-account');
    await s.serviceAccount();
    await s.deployment({ serviceAccountName: 'default' });
    await s.refused();
    await s.bind();
    await s.conditionIs('Ready', 'True', 'NoPods');
    const [found] = (await s.binding()).status?.findings ?? [];
    expect(found?.code).toBe('WorkloadUsesOtherServiceAccount');
    expect(found?.message).toContain(
      'Deployment "app" runs as "default". If it needs the role, set its spec.template.spec.serviceAccountName',
    );
    await expectNoWriteOnASecondLook(s, 0);
  });
});

/** A namespace that the grant selects, with a role that is in order. */
async function labelled(name: string): Promise<Scene> {
  const s = await scene(name);
  s.role(right(s));
  return s;
}

describe('the OIDC provider in the account of the role: reported, nothing written, mended when it is there', () => {
  // Contract: provider-ready
  test('it is not registered', async () => {
    suite.testbed.aws.account().provider.delete(suite.testbed.issuer);
    const s = await labelled('no-provider');
    s.role();
    const before = s.trust();
    await s.serviceAccount();
    await s.deployment();
    await s.bind();
    const { message } = await s.conditionIs('ProviderReady', 'False', 'OidcProviderMissing');
    expect(message).toBe(
      `account ${ACCOUNT} has no OIDC provider for this cluster's issuer "${suite.testbed.issuer}". Register it: aws iam create-open-id-connect-provider --url ${suite.testbed.issuer} --client-id-list sts.amazonaws.com`,
    );
    expect(s.writes()).toEqual([]);
    suite.testbed.aws.account().provider.put({ issuer: suite.testbed.issuer });
    await s.allReady();
    await expectMended(s, before, 1);
  });

  // Contract: provider-ready
  test('the audience is missing from its client IDs', async () => {
    suite.testbed.aws.account().provider.put({ issuer: suite.testbed.issuer, clientIds: ['sigstore'] });
    const s = await labelled('no-audience');
    s.role();
    const before = s.trust();
    await s.serviceAccount();
    await s.deployment();
    await s.bind();
    const { message } = await s.conditionIs('ProviderReady', 'False', 'OidcProviderAudienceMissing');
    expect(message).toContain(`has no client ID that is similar to the audience of this binding. Wanted: "sts.amazonaws.com"`);
    expect(s.writes()).toEqual([]);
    suite.testbed.aws.account().provider.put({ issuer: suite.testbed.issuer });
    await s.allReady();
    await expectMended(s, before, 1);
  });
});

describe('config/iam/policy.json', () => {
  test('allows what all of the above asked for, and nothing that none of it needed', () => {
    const { journal } = suite.testbed.aws;
    const caller = `arn:aws:sts::${ACCOUNT}:assumed-role/${OPERATOR_ROLE}/session`;
    expect(journal.filter((entry) => entry.caller === caller && entry.code === 'AccessDenied')).toEqual([]);
    expect(unusedGrants(OPERATOR_POLICY, journal)).toEqual([]);
  });
});
