import { type Api, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FOREIGN, GRANTS, makeGrant } from '../harness/given.ts';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { ACCOUNT, ROLE_ARN, type Scene, scene } from '../harness/scene.ts';

/** Grants that come, go, are moved and are lost by mistake, on the real control plane; the losses of grants run their real time. */
const PATIENCE = { timeoutMs: 120_000 };

let testbed: Testbed;
let api: Api;
let operator: RunningOperator;

beforeAll(async () => {
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  testbed.aws.account().provider.put({ issuer: testbed.issuer, clientIds: ['sts.amazonaws.com', 'https://kubernetes.default.svc'] });
  await install(testbed);
  operator = await startOperator(testbed, ['--sweep-interval', '2s']);
});

afterAll(async () => {
  expect(await operator?.stop()).toBe(0);
  api?.close();
  await testbed?.stop();
});

/** A namespace with a ServiceAccount and a role whose trust policy lets no token in. */
async function prepared(name: string, tags: Record<string, string> = {}): Promise<Scene> {
  const s = await scene(testbed, api, name);
  testbed.aws.account().role.put({ name: s.roleName, trustPolicy: FOREIGN, tags });
  await s.serviceAccount();
  return s;
}

async function granted(s: Scene, part: object = {}, name = s.namespace): Promise<void> {
  const spec = { roleArns: [s.roleArn], namespaces: { names: [s.namespace] }, serviceAccountNames: ['*'], ...part };
  await makeGrant(api, name, spec);
}

const statementsOf = (s: Scene) =>
  (JSON.parse(testbed.aws.account().role.get(s.roleName)?.trustPolicy ?? '{}') as { Statement: { Condition?: unknown }[] }).Statement;
const stands = (s: Scene) => JSON.stringify(statementsOf(s)).includes(s.subject);
const released = (s: Scene) => until(`the subject of ${s.namespace} is released`, () => !stands(s), PATIENCE);

describe.concurrent('a grant', () => {
  // Contract: rule-grant-lost-60s
  test('that is deleted costs the binding its trust after 60 s, and nothing else; one that comes back gives it back', async () => {
    const s = await prepared('lost');
    await granted(s);
    await s.bind();
    await s.conditionIs('Ready', 'True');
    await api.call('DELETE', `${GRANTS}/lost`);
    const lostAt = Date.now();
    const { message } = await until(
      'the message tells when the trust goes',
      async () => {
        const condition = await s.conditionIs('Authorized', 'False', 'NotGranted');
        return condition.message.includes('its trust is taken away at 20') && condition;
      },
      PATIENCE,
    );
    expect(message).toMatch(/^no IrsaGrant lets ServiceAccount "app" .*; its trust is taken away at 20\S+Z if none covers it by then$/);
    await released(s);
    // The time is told in whole seconds, so it may be one less.
    expect(Date.now() - lostAt).toBeGreaterThan(58_000);
    expect(statementsOf(s)).toHaveLength(1);
    await until('the entry goes with it', async () => (await s.binding()).status?.roles === undefined, PATIENCE);
    const account = await api.call<{ metadata: { annotations?: object } }>('GET', `/api/v1/namespaces/${s.namespace}/serviceaccounts/app`);
    expect(account.metadata.annotations).toEqual({ [ROLE_ARN]: s.roleArn });
    await granted(s);
    await s.conditionIs('Ready', 'True');
    expect(stands(s)).toBe(true);
  });

  // Contract: rule-grant-lost-60s
  test('that is renamed, which is a deletion and a creation, costs nobody anything', async () => {
    const s = await prepared('renamed');
    await granted(s);
    await s.bind();
    await s.conditionIs('Ready', 'True');
    await api.call('DELETE', `${GRANTS}/renamed`);
    await s.conditionIs('Authorized', 'False', 'NotGranted');
    await granted(s, {}, 'renamed-again');
    await s.conditionIs('Ready', 'True');
    await new Promise((resolve) => setTimeout(resolve, 70_000));
    expect([stands(s), s.writes().length]).toEqual([true, 1]);
  });

  // Contract: api-tag-same-text, api-tags-fresh
  test('that asks for a tag of the role lets nobody in before the owner of the role has set it, in the words of no grant at all', async () => {
    const s = await prepared('tagged');
    await granted(s, { requiredRoleTags: { owner: 'shop' } });
    await s.bind();
    const { message } = await s.conditionIs('Authorized', 'False', 'NotGranted');
    expect(message).toBe(
      `no IrsaGrant lets ServiceAccount "app" of namespace "tagged" have role "${s.roleArn}" with audience "sts.amazonaws.com"; ask a platform engineer for a grant that covers all four`,
    );
    expect([(await s.binding()).status?.trustPolicy, s.writes()]).toEqual([undefined, []]);
    testbed.aws.account().role.setTags(s.roleName, { owner: 'shop' });
    await s.conditionIs('Ready', 'True');
  });

  // Contract: trust-recreated, api-tags-fresh
  test('that asks for a tag asks it anew of a role that was deleted and made again', async () => {
    const tags = { owner: 'shop' };
    const s = await prepared('made-again', tags);
    await granted(s, { requiredRoleTags: tags });
    await s.bind();
    await s.conditionIs('Ready', 'True');
    testbed.aws.account().role.put({ name: s.roleName, trustPolicy: FOREIGN });
    await s.conditionIs('Authorized', 'False', 'NotGranted');
    expect([stands(s), s.writes().length]).toEqual([false, 1]);
    testbed.aws.account().role.setTags(s.roleName, tags);
    await s.conditionIs('Ready', 'True');
    expect(s.writes()).toHaveLength(2);
  });

  // Contract: rule-grant-lost-10min
  test('that selects a namespace by a label which goes leaves the trust for ten minutes, and says until when', async () => {
    const s = await prepared('relabelled');
    const label = (team: string | null) =>
      api.call('PATCH', '/api/v1/namespaces/relabelled', { patch: 'merge', body: { metadata: { labels: { team } } } });
    await label('shop');
    await granted(s, { namespaces: { selector: { matchLabels: { team: 'shop' } } } });
    await s.bind();
    await s.conditionIs('Ready', 'True');
    const lostAt = Date.now();
    await label(null);
    const until10 = await until(
      'the message tells when the trust goes',
      async () => / its trust is taken away at (\S+Z) /.exec((await s.conditionIs('Authorized', 'False', 'NotGranted')).message)?.[1],
      PATIENCE,
    );
    // The time is told in whole seconds, so it may be one less.
    expect(Date.parse(until10) - lostAt).toBeGreaterThan(598_000);
    expect([stands(s), s.writes().length]).toEqual([true, 1]);
    await label('shop');
    await s.conditionIs('Ready', 'True');
    expect([stands(s), s.writes().length]).toEqual([true, 1]);
  });

  // Contract: api-audience-refused
  test('for an audience of the API server itself is no grant', async () => {
    const s = await prepared('api-audience');
    await granted(s, { audiences: ['https://kubernetes.default.svc'] });
    await s.bind({ audience: 'https://kubernetes.default.svc' });
    await s.conditionIs('Authorized', 'False', 'AudienceForbidden');
    expect(s.writes()).toEqual([]);
  });

  // Contract: api-no-call-ungranted
  test('is what a binding has to have before AWS is asked about its role', async () => {
    await expectNotGranted(await prepared('ungranted'));
  });

  const short: Record<string, { grant: (s: Scene) => object; spec?: { roleArn: string } }> = {
    'for another role': { grant: (s) => ({ roleArns: [`${s.roleArn}2`] }) },
    'for roles without a path, whose "*" does not cross "/"': {
      grant: () => ({ roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`] }),
      spec: { roleArn: `arn:aws:iam::${ACCOUNT}:role/team/app` },
    },
    'for another namespace': { grant: () => ({ namespaces: { names: ['elsewhere'] } }) },
    'for namespaces with another label': { grant: () => ({ namespaces: { selector: { matchLabels: { team: 'elsewhere' } } } }) },
    'for another ServiceAccount': { grant: () => ({ serviceAccountNames: ['ap*e'] }) },
    'for another audience': { grant: () => ({ audiences: ['sigstore'] }) },
  };
  for (const [index, [sentence, { grant, spec }]] of Object.entries(short).entries()) {
    // Contract: api-default-deny, api-grant-patterns, api-no-call-ungranted
    test(`${sentence} is none`, async () => {
      const s = await prepared(`short-${index}`);
      await granted(s, grant(s));
      await expectNotGranted(s, spec);
    });
  }

  // Contract: api-default-deny
  test('that covers the one half does not add up with one that covers the other', async () => {
    const s = await prepared('halves');
    await granted(s, { serviceAccountNames: ['other'] });
    await granted(s, { roleArns: [`${s.roleArn}2`] }, 'halves-too');
    await expectNotGranted(s);
  });
});

/** Told in the same words whatever is missing and whatever IAM has; nothing is written, and AWS not asked about the role. */
async function expectNotGranted(s: Scene, spec: { roleArn?: string } = {}): Promise<void> {
  const { roleArn = s.roleArn } = spec;
  await s.bind({ roleArn });
  const { message } = await s.conditionIs('Authorized', 'False', 'NotGranted');
  expect(message).toBe(
    `no IrsaGrant lets ServiceAccount "app" of namespace "${s.namespace}" have role "${roleArn}" with audience "sts.amazonaws.com"; ask a platform engineer for a grant that covers all four`,
  );
  await s.conditionIs('Stalled', 'True', 'NotGranted');
  const { metadata } = await api.call<{ metadata: { annotations?: object } }>(
    'GET',
    `/api/v1/namespaces/${s.namespace}/serviceaccounts/app`,
  );
  expect([metadata.annotations, (await s.binding()).metadata.finalizers]).toEqual([undefined, undefined]);
  const name = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  expect(testbed.aws.journal.filter(({ params }) => params['RoleName'] === name)).toEqual([]);
}

/** By themselves: losses are counted over the whole cluster, and would pause those of the others. */
describe('a grant', () => {
  // Contract: rule-revocation-paused
  test('that many bindings lose at once costs nobody anything before somebody confirms it, nor who loses it within the hour after, across a restart', async () => {
    const late = await prepared('one-more');
    await granted(late);
    await late.bind();
    const s = await scene(testbed, api, 'many');
    const names = Array.from({ length: 11 }, (_, index) => `app-${index}`);
    for (const name of names) await s.serviceAccount({}, name);
    testbed.aws.account().role.put({ name: s.roleName, trustPolicy: FOREIGN });
    await granted(s);
    for (const name of names) await bindAs(s, name);
    const readyAll = async () => (await bindingsIn(s)).every(({ status }) => isTrue(status, 'Ready'));
    await until('all are Ready', readyAll, PATIENCE);
    await api.call('DELETE', `${GRANTS}/many`);
    const paused = async () =>
      (await bindingsIn(s)).every(({ status }) => status?.findings?.some(({ code }) => code === 'RevocationPaused'));
    await until('all are told that it is paused', paused, PATIENCE);
    await new Promise((resolve) => setTimeout(resolve, 65_000));
    expect(JSON.stringify(statementsOf(s))).toContain('system:serviceaccount:many:app-10');
    // Whichever grant it is: this one covers nobody here.
    await granted(s, { roleArns: [`arn:aws:iam::${ACCOUNT}:role/nobody`] }, 'many-confirmed');
    const annotations = { 'irsa-operator.dev/revocation-confirmed': new Date().toISOString() };
    await api.call('PATCH', `${GRANTS}/many-confirmed`, { patch: 'merge', body: { metadata: { annotations } } });
    await until('all are released', () => statementsOf(s).length === 1, PATIENCE);
    const remembered = async () => (await bindingsIn(s)).every(({ status }) => status?.revokedAt !== undefined);
    await until('it is remembered', remembered, PATIENCE);
    await late.conditionIs('Ready', 'True');
    expect(await operator.stop()).toBe(0);
    operator = await startOperator(testbed, ['--sweep-interval', '2s']);
    await api.call('DELETE', `${GRANTS}/one-more`);
    const told = async () => (await late.binding()).status?.findings?.find(({ code }) => code === 'RevocationPaused');
    const { message } = await until('it is told that it is paused', told, PATIENCE);
    expect(message).toMatch(/; it goes on by itself at 20\S+Z, when no more than 10 count; /);
    expect(stands(late)).toBe(true);
  });
});

interface Listed {
  readonly status?: {
    readonly conditions?: readonly { type: string; status: string }[];
    readonly findings?: readonly { code: string }[];
    readonly revokedAt?: string;
  };
}
const bindingsIn = async (s: Scene) =>
  (await api.call<{ items: Listed[] }>('GET', `/apis/irsa-operator.dev/v1alpha1/namespaces/${s.namespace}/irsabindings`)).items;
const isTrue = (status: Listed['status'], type: string) =>
  (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');

async function bindAs(s: Scene, name: string): Promise<void> {
  const body = {
    apiVersion: 'irsa-operator.dev/v1alpha1',
    kind: 'IrsaBinding',
    metadata: { name },
    spec: { serviceAccountName: name, roleArn: s.roleArn },
  };
  await api.call('POST', `/apis/irsa-operator.dev/v1alpha1/namespaces/${s.namespace}/irsabindings`, { body });
}
