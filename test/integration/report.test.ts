import { type Api, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bindingPath, FOREIGN, GRANTS, makeGrant } from '../harness/given.ts';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { ACCOUNT, ROLE_ARN, type Scene, scene } from '../harness/scene.ts';

/** Step 8 of the contract, and who only looks: the status, its columns, Events, a fresh look, Observe, suspend, a dry run. The sweep never comes. */
const FLAGS = ['--sweep-interval', '1h'];
const PATIENCE = { timeoutMs: 60_000 };
/** A write that is not wanted would come within the second look. */
const SECOND_LOOK_MS = 5_000;
const REQUESTED_AT = 'irsa-operator.dev/reconcile-requested-at';
const OPERATOR_USER = 'system:serviceaccount:irsa-operator-system:irsa-operator';
const NAMES = ['defaults', 'ready', 'counted', 'edited', 'looked', 'hostile', 'switched', 'resumed', 'dry', 'dry-new', 'dry-deleted'];

let testbed: Testbed;
let api: Api;
let operator: RunningOperator;

beforeAll(async () => {
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  testbed.aws.account().provider.put({ issuer: testbed.issuer });
  await install(testbed);
  const spec = { roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`], namespaces: { names: NAMES }, serviceAccountNames: ['*'] };
  await makeGrant(api, 'report', spec);
  operator = await startOperator(testbed, FLAGS);
});

afterAll(async () => {
  await operator?.stop();
  api?.close();
  await testbed?.stop();
});

const patch = (path: string, body: object) => api.call('PATCH', path, { patch: 'merge', body });
const policyOf = (s: Scene) => testbed.aws.account().role.get(s.roleName)?.trustPolicy ?? '';
const request = (s: Scene, value: string) => patch(bindingPath(s), { metadata: { annotations: { [REQUESTED_AT]: value } } });
const handled = async (s: Scene) => ((await s.binding()).status as { lastHandledReconcileAt?: string }).lastHandledReconcileAt;
const annotationOf = async (s: Scene) =>
  (await api.call<{ metadata: { annotations?: Record<string, string> } }>('GET', `/api/v1/namespaces/${s.namespace}/serviceaccounts/app`))
    .metadata.annotations?.[ROLE_ARN];

async function prepared(name: string): Promise<Scene> {
  const s = await scene(testbed, api, name);
  testbed.aws.account().role.put({ name: s.roleName, trustPolicy: FOREIGN });
  await s.serviceAccount();
  return s;
}

interface Write {
  readonly at: string;
  readonly what: string;
}
/** What the operator wrote in a namespace, Events apart, oldest first. */
async function writesIn(s: Scene): Promise<Write[]> {
  return (await testbed.auditEvents())
    .filter(({ user, objectRef }) => user.username === OPERATOR_USER && objectRef?.namespace === s.namespace)
    .filter(({ objectRef }) => objectRef?.resource !== 'events')
    .map(({ requestReceivedTimestamp, verb, objectRef }) => ({
      at: requestReceivedTimestamp,
      what: `${verb} ${objectRef?.resource}${objectRef?.subresource === undefined ? '' : `/${objectRef.subresource}`}`,
    }));
}
const whats = async (s: Scene) => (await writesIn(s)).map(({ what }) => what);

/** Every call to AWS that names the role, or asks for a provider, since. */
function callsAbout(s: Scene, since: number): string[] {
  return testbed.aws.journal
    .slice(since)
    .filter(({ operation, params }) => params['RoleName'] === s.roleName || operation === 'GetOpenIDConnectProvider')
    .map(({ operation }) => operation);
}

async function quiet(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SECOND_LOOK_MS));
}

// Contract: api-defaults, api-names
test('what is optional has the defaults of the contract on the API server, and kubectl knows the short names and categories', async () => {
  const s = await prepared('defaults');
  await s.bind();
  const { spec } = await api.call<{ spec: object }>('GET', bindingPath(s));
  expect(spec).toEqual({
    serviceAccountName: 'app',
    roleArn: s.roleArn,
    mode: 'Enforce',
    audience: 'sts.amazonaws.com',
    trustPolicy: 'Managed',
    restart: { strategy: 'Evict', afterTrustRepair: 'Unready', maxUnavailable: 1 },
    deletionPolicy: 'Revoke',
    suspend: false,
    verification: 'Never',
  });
  const grant = await api.call<{ spec: object }>('GET', `${GRANTS}/report`);
  expect(grant.spec).toMatchObject({ audiences: ['sts.amazonaws.com'], requiredRoleTags: {}, allowVerification: false });
  const names = async (...what: string[]) => (await testbed.kubectl(['get', ...what, '-o', 'name'])).trim().split('\n');
  expect(await names('irsab', '-n', 'defaults')).toEqual(['irsabinding.irsa-operator.dev/app']);
  expect(await names('irsag')).toEqual(['irsagrant.irsa-operator.dev/report']);
  for (const category of ['irsa', 'aws'])
    expect(await names(category, '-n', 'defaults')).toEqual(['irsabinding.irsa-operator.dev/app', 'irsagrant.irsa-operator.dev/report']);
});

describe.concurrent('the status', () => {
  // Contract: api-columns, report-kstatus, report-status
  test('can be waited for and read in columns, as kubectl does', async () => {
    const s = await prepared('ready');
    await s.bind();
    await testbed.kubectl(['wait', '--for=condition=Ready', '--timeout=60s', '-n', 'ready', 'irsab/app']);
    const [header = '', row = ''] = (await testbed.kubectl(['get', 'irsab', 'app', '-n', 'ready', '-o', 'wide'])).trim().split('\n');
    expect(header.split(/ {2,}/).slice(0, -1)).toEqual(['NAME', 'READY', 'REASON', 'SERVICEACCOUNT', 'ROLE', 'PODS', 'POLICY', 'MODE']);
    const { summary } = (await s.binding()).status?.trustPolicy ?? {};
    expect(row.split(/ {2,}/).slice(0, -1)).toEqual(['app', 'True', 'Ready', 'app', s.roleArn, '0/0', summary, 'Enforce']);
    expect((await s.binding()).status?.conditions?.map(({ type }) => type)).toEqual([
      'Ready',
      'Authorized',
      'ProviderReady',
      'Trusted',
      'Annotated',
      'PodsCurrent',
    ]);
  });

  // Contract: report-kstatus, failure-classes
  test('shows Stalled for what only a change can mend, and kstatus has its observedGeneration', async () => {
    const s = await scene(testbed, api, 'not-granted');
    await s.bind();
    await testbed.kubectl(['wait', '--for=condition=Stalled', '--timeout=60s', '-n', 'not-granted', 'irsab/app']);
    const { status, metadata } = await s.binding();
    expect(status?.observedGeneration).toBe(metadata.generation);
    expect(status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'False', reason: 'NotGranted' });
    expect(status?.conditions?.some(({ type }) => type === 'Reconciling')).toBe(false);
  });

  // Contract: trust-intent-first, report-twice, report-events
  test('is written at the first look, for the intent and for the outcome, and then no more; each change is one Event', async () => {
    const s = await prepared('counted');
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    await quiet();
    // The first look is told only where nothing was known of the role's trust by then.
    const written = (await whats(s)).map((what) => what.replace('patch ', '')).join(', ');
    expect(written).toMatch(/^irsabindings, (irsabindings\/status, )?irsabindings\/status, serviceaccounts, irsabindings\/status$/);
    const { items } = await api.call<{ items: { reason: string; series?: { count: number } }[] }>(
      'GET',
      '/apis/events.k8s.io/v1/namespaces/counted/events',
    );
    expect(items.filter(({ series }) => series !== undefined)).toEqual([]);
    const reasons = items.map(({ reason }) => reason).toSorted();
    expect(reasons).toEqual([...new Set(reasons)]);
    expect(reasons).toEqual(expect.arrayContaining(['Ready', 'ServiceAccountAnnotated', 'TrustPolicyWritten']));
  });

  // Contract: bad-status
  test('that somebody edited is what was found again, and nothing else comes of it', async () => {
    const s = await prepared('edited');
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    const { status } = await s.binding();
    const before = [s.writes(), (await whats(s)).filter((what) => !what.endsWith('/status'))];
    const lie = {
      conditions: [
        { type: 'Ready', status: 'False', observedGeneration: 1, lastTransitionTime: '2020-01-01T00:00:00Z', reason: 'Lie', message: '' },
      ],
      plan: ['sell the cluster'],
      findings: [{ code: 'NotGranted', severity: 'Error', message: 'a lie' }],
      pods: { total: 9, current: 9, stale: 0, exempt: 0, summary: '9/9' },
    };
    await patch(`${bindingPath(s)}/status`, { status: lie });
    await until(
      'the lie is gone',
      async () => {
        const found = (await s.binding()).status;
        return found?.plan === undefined && found?.findings === undefined && found?.conditions?.[0]?.status === 'True' && found;
      },
      PATIENCE,
    );
    const times = (one: typeof status) => ({
      ...one,
      conditions: one?.conditions?.map(({ type, reason, message }) => ({ type, reason, message })),
    });
    expect(times((await s.binding()).status)).toEqual(times(status));
    const writes = await whats(s);
    await quiet();
    expect(await whats(s)).toEqual(writes);
    expect([s.writes(), writes.filter((what) => !what.endsWith('/status'))]).toEqual(before);
  });
});

describe('a fresh look', () => {
  // Contract: drift-requested
  test('is had for a new value of reconcile-requested-at: role and provider are read by themselves, and the value is echoed then', async () => {
    const s = await prepared('looked');
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    await quiet(); // the read at 8 s is through
    await quiet();
    // Somebody takes our statement away; the sweep would see it in an hour.
    testbed.aws.account().role.put({ name: s.roleName, trustPolicy: FOREIGN });
    const [since, writes] = [testbed.aws.journal.length, s.writes().length];
    await request(s, 'first');
    await until('the value is echoed', async () => (await handled(s)) === 'first', PATIENCE);
    expect(callsAbout(s, since)).toEqual(expect.arrayContaining(['GetRole', 'GetOpenIDConnectProvider']));
    await until('our statement is back', () => s.writes().length === writes + 1, PATIENCE);
    await s.conditionIs('Ready', 'True', 'Ready');
    expect(await handled(s)).toBe('first');
  });

  // Contract: drift-requested
  test('is not had for the same value, nor for what is no value', async () => {
    const s = await prepared('hostile');
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    await request(s, 'once');
    await until('the value is echoed', async () => (await handled(s)) === 'once', PATIENCE);
    await quiet();
    await quiet();
    const since = testbed.aws.journal.length;
    await patch(bindingPath(s), { metadata: { annotations: { other: 'x' } } });
    for (const value of ['x'.repeat(254), 'x'.repeat(100_000), 'a\nb', '\u202e', '']) await request(s, value);
    await quiet();
    expect([callsAbout(s, since), await handled(s)]).toEqual([[], 'once']);
    await request(s, 'twice');
    await until('the new value is echoed', async () => (await handled(s)) === 'twice', PATIENCE);
    expect(callsAbout(s, since)).toEqual(expect.arrayContaining(['GetRole']));
  });
});

/** Everything that the words promise, in the order in which it was done: our trust write, the annotation, the restarts. */
async function doneInOrder(s: Scene, since: number): Promise<string[]> {
  const trust = testbed.aws.journal
    .slice(since)
    .filter(({ operation, params }) => operation === 'UpdateAssumeRolePolicy' && params['RoleName'] === s.roleName)
    .map(({ at }) => ({ at: at.toISOString(), what: 'add to the trust policy' }));
  const inKubernetes = (await writesIn(s)).flatMap(({ at, what }) => (what in DONE ? [{ at, what: DONE[what] ?? '' }] : []));
  const time = ({ at }: { at: string }) => Date.parse(at);
  return [...trust, ...inKubernetes].toSorted((a, b) => time(a) - time(b)).map(({ what }) => what);
}
const DONE: Readonly<Record<string, string>> = { 'patch serviceaccounts': 'annotate', 'create pods/eviction': 'restart' };
const plansToDo = (s: Scene) => [
  expect.stringMatching(new RegExp(`^add "${s.subject}" to our statement in the trust policy of "${s.roleArn}" `)),
  `annotate ServiceAccount "app" with ${ROLE_ARN}: "${s.roleArn}"`,
];

describe.concurrent('who only looks', () => {
  for (const [name, rest, act] of [
    ['switched', { mode: 'Observe' }, { mode: 'Enforce' }],
    ['resumed', { suspend: true }, { suspend: false }],
  ] as const) {
    // Contract: rule-leave-alone, report-plan
    test(`with ${JSON.stringify(rest)} a binding writes its own status and nothing else, and does what its plan says when it may`, async () => {
      const s = await prepared(name);
      const since = testbed.aws.journal.length;
      await s.deployment({ replicas: 2 });
      await s.refused();
      await s.bind(rest);
      await until('the plan is there', async () => ((await s.binding()).status?.plan?.length ?? 0) === 3, PATIENCE);
      await quiet();
      expect((await s.binding()).status?.plan).toEqual([...plansToDo(s), 'restart 2 pods that lack the role, one first']);
      expect(callsAbout(s, since).filter((operation) => !/^Get/.test(operation))).toEqual([]);
      expect(new Set(await whats(s))).toEqual(new Set(['patch irsabindings/status']));
      expect([s.writes(), await annotationOf(s), (await s.binding()).metadata.finalizers]).toEqual([[], undefined, undefined]);
      await patch(bindingPath(s), { spec: act });
      await s.conditionIs('Ready', 'True', 'Ready');
      expect(await doneInOrder(s, since)).toEqual(['add to the trust policy', 'annotate', 'restart', 'restart']);
      await s.allReady();
      expect((await s.binding()).status?.plan).toBeUndefined();
    });
  }
});

// Contract: rule-dry-run
test('a dry run writes only status, Lease and Events, lets a deleted binding go with all that stands, and its plans are what is done first after it', async () => {
  const enforced = await prepared('dry');
  const deleted = await prepared('dry-deleted');
  await Promise.all([enforced.bind(), deleted.bind()]);
  await Promise.all([enforced, deleted].map((s) => s.conditionIs('Ready', 'True', 'Ready')));
  expect(await operator.stop()).toBe(0);
  // While nobody looked: the statement is taken away, a value is set, and somebody binds another.
  testbed.aws.account().role.put({ name: enforced.roleName, trustPolicy: FOREIGN });
  const standing = policyOf(deleted);
  const [since, audited] = [testbed.aws.journal.length, (await testbed.auditEvents()).length];

  operator = await startOperator(testbed, [...FLAGS, '--dry-run']);
  const fresh = await prepared('dry-new');
  await fresh.bind();
  await api.call('DELETE', bindingPath(deleted));
  await until('the new one has a plan', async () => (await fresh.binding()).status?.plan?.length === 2, PATIENCE);
  await until('the enforced one has a plan', async () => (await enforced.binding()).status?.plan?.length === 1, PATIENCE);
  await until('the deleted one is gone', async () => !(await stillThere(bindingPath(deleted))), PATIENCE);
  await quiet();
  expect((await fresh.binding()).status?.plan).toEqual(plansToDo(fresh));
  expect((await enforced.binding()).status?.plan).toEqual(plansToDo(enforced).slice(0, 1));
  expect([policyOf(deleted), await annotationOf(deleted)]).toEqual([standing, deleted.roleArn]);
  const written = new Set(
    (await testbed.auditEvents())
      .slice(audited)
      .filter(({ user }) => user.username === OPERATOR_USER)
      .map(
        ({ verb, objectRef }) =>
          `${verb} ${[objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/')} ${objectRef?.namespace}`,
      ),
  );
  const allowed =
    /^(patch irsabindings\/status |(create|update|patch) (leases irsa-operator-system|events ))|^patch irsabindings dry-deleted$/;
  expect([...written].filter((what) => !allowed.test(what))).toEqual([]);
  expect([...written]).toContain('patch irsabindings dry-deleted');
  const calls = new Set(testbed.aws.journal.slice(since).map(({ operation }) => operation));
  expect([...calls].filter((operation) => !/^(Get|List)/.test(operation))).toEqual([]);

  expect(await operator.stop()).toBe(0);
  const afterwards = testbed.aws.journal.length;
  operator = await startOperator(testbed, FLAGS);
  await Promise.all([enforced, fresh].map((s) => s.conditionIs('Ready', 'True', 'Ready')));
  expect(await doneInOrder(fresh, afterwards)).toEqual(['add to the trust policy', 'annotate']);
  expect(enforced.writes()).toHaveLength(2);
});

/** Whether the API server still has it. */
async function stillThere(path: string): Promise<boolean> {
  try {
    await api.call('GET', path);
    return true;
  } catch {
    return false;
  }
}
