import { until } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { OPERATOR_USER, pathOf } from '../harness/objects.ts';
import { inWords, type Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { type Binding, conditionOf, type Grant, ROLE_ARN } from '../harness/views.ts';

/** Step 8 of the contract, and who only looks: the status, its columns, Events, a fresh look, Observe, suspend, a dry run. The sweep never comes. */
const FLAGS = ['--sweep-interval', '1h'];
const PATIENCE = { timeoutMs: 60_000 };

const suite = integrationSuite({ grant: {}, flags: FLAGS });
const { prepared, working, caughtUp } = suite;

const handled = async (s: Scene) => (await s.binding()).status?.lastHandledReconcileAt;
const annotationOf = async (s: Scene) => (await s.annotations())?.[ROLE_ARN];
/** What the operator wrote in a namespace, Events apart, oldest first. */
const whats = async (s: Scene) => (await s.requests()).map((event) => inWords(event).replace(/^\d+ /, ''));

/** Every call to AWS that names the role, or asks for a provider, since. */
function callsAbout(s: Scene, since: number): string[] {
  return suite.testbed.aws.journal
    .slice(since)
    .filter(({ operation, params }) => params['RoleName'] === s.roleName || operation === 'GetOpenIDConnectProvider')
    .map(({ operation }) => operation);
}

// Contract: api-defaults, api-names
test('what is optional has the defaults of the contract on the API server, and kubectl knows the short names and categories', async () => {
  const s = await prepared('defaults');
  await s.bind();
  const { spec } = await s.binding();
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
  const grant = await suite.api.call<Grant>('GET', pathOf('irsagrants', { name: 'suite' }));
  expect(grant.spec).toMatchObject({ audiences: ['sts.amazonaws.com'], requiredRoleTags: {}, allowVerification: false });
  const names = async (...what: string[]) => (await suite.testbed.kubectl(['get', ...what, '-o', 'name'])).trim().split('\n');
  expect(await names('irsab', '-n', 'defaults')).toEqual(['irsabinding.irsa-operator.dev/app']);
  expect(await names('irsag')).toEqual(['irsagrant.irsa-operator.dev/suite']);
  for (const category of ['irsa', 'aws'])
    expect(await names(category, '-n', 'defaults')).toEqual(['irsabinding.irsa-operator.dev/app', 'irsagrant.irsa-operator.dev/suite']);
});

describe.concurrent('the status', () => {
  // Contract: api-columns, report-kstatus, report-status
  test('can be waited for and read in columns, as kubectl does', async () => {
    const s = await prepared('ready');
    await s.bind();
    await suite.testbed.kubectl(['wait', '--for=condition=Ready', '--timeout=60s', '-n', 'ready', 'irsab/app']);
    const [header = '', row = ''] = (await suite.testbed.kubectl(['get', 'irsab', 'app', '-n', 'ready', '-o', 'wide'])).trim().split('\n');
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
    const s = await suite.scene('not-granted', { granted: false });
    await s.bind();
    await suite.testbed.kubectl(['wait', '--for=condition=Stalled', '--timeout=60s', '-n', 'not-granted', 'irsab/app']);
    const seen = await s.binding();
    expect(seen.status?.observedGeneration).toBe(seen.metadata.generation);
    expect(conditionOf(seen, 'Ready')).toMatchObject({ status: 'False', reason: 'NotGranted' });
    expect(conditionOf(seen, 'Reconciling')).toBeUndefined();
  });

  // Contract: trust-intent-first, report-twice, report-events
  test('is written at the first look, for the intent and for the outcome, and then no more; each change is one Event', async () => {
    const s = await working('counted');
    await s.writeIsBelieved();
    await caughtUp();
    // The first look is told only where nothing was known of the role's trust by then.
    const written = (await whats(s)).map((what) => what.replace('patch ', '')).join(', ');
    expect(written).toMatch(/^irsabindings, (irsabindings\/status, )?irsabindings\/status, serviceaccounts, irsabindings\/status$/);
    const items = await s.events();
    expect(items.filter(({ series }) => series !== undefined)).toEqual([]);
    const reasons = items.map(({ reason }) => reason).toSorted();
    expect(reasons).toEqual([...new Set(reasons)]);
    expect(reasons).toEqual(expect.arrayContaining(['Ready', 'ServiceAccountAnnotated', 'TrustPolicyWritten']));
  });

  // Contract: bad-status
  test('that somebody edited is what was found again, and nothing else comes of it', async () => {
    const s = await working('edited');
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
    await s.patch('irsabindings', 'app/status', { status: lie });
    await until(
      'the lie is gone',
      async () => {
        const found = (await s.binding()).status;
        return found?.plan === undefined && found?.findings === undefined && found?.conditions?.[0]?.status === 'True' && found;
      },
      PATIENCE,
    );
    const times = (one: Binding['status']) => ({
      ...one,
      conditions: one?.conditions?.map(({ type, reason, message }) => ({ type, reason, message })),
    });
    expect(times((await s.binding()).status)).toEqual(times(status));
    const writes = await whats(s);
    await caughtUp();
    expect(await whats(s)).toEqual(writes);
    expect([s.writes(), writes.filter((what) => !what.endsWith('/status'))]).toEqual(before);
  });
});

describe('a fresh look', () => {
  // Contract: drift-requested
  test('is had for a new value of reconcile-requested-at: role and provider are read by themselves, and the value is echoed then', async () => {
    const s = await working('looked');
    await s.writeIsBelieved();
    // Somebody takes the statement of irsa-operator away; the sweep would see it in an hour.
    s.role();
    const [since, writes] = [suite.testbed.aws.journal.length, s.writes().length];
    await s.requestLook('first');
    await until('the value is echoed', async () => (await handled(s)) === 'first', PATIENCE);
    expect(callsAbout(s, since)).toEqual(expect.arrayContaining(['GetRole', 'GetOpenIDConnectProvider']));
    await until('the statement of irsa-operator is back', () => s.writes().length === writes + 1, PATIENCE);
    await s.conditionIs('Ready', 'True', 'Ready');
    expect(await handled(s)).toBe('first');
  });

  // Contract: drift-requested
  test('is not had for the same value, nor for what is no value', async () => {
    const s = await working('hostile');
    await s.requestLook('once');
    await until('the value is echoed', async () => (await handled(s)) === 'once', PATIENCE);
    await s.writeIsBelieved();
    await caughtUp();
    const since = suite.testbed.aws.journal.length;
    await s.patch('irsabindings', 'app', { metadata: { annotations: { other: 'x' } } });
    for (const value of ['x'.repeat(254), 'x'.repeat(100_000), 'a\nb', '\u202e', '']) await s.requestLook(value);
    await caughtUp();
    expect([callsAbout(s, since), await handled(s)]).toEqual([[], 'once']);
    await s.requestLook('twice');
    await until('the new value is echoed', async () => (await handled(s)) === 'twice', PATIENCE);
    expect(callsAbout(s, since)).toEqual(expect.arrayContaining(['GetRole']));
  });
});

/** Everything that the words promise, in the order in which it was done: our trust write, the annotation, the restarts. */
async function doneInOrder(s: Scene, since: number): Promise<string[]> {
  const trust = suite.testbed.aws.journal
    .slice(since)
    .filter(({ operation, params }) => operation === 'UpdateAssumeRolePolicy' && params['RoleName'] === s.roleName)
    .map(({ at }) => ({ at: at.toISOString(), what: 'add to the trust policy' }));
  const inKubernetes = (await s.requests()).flatMap((event) => {
    const what = DONE[inWords(event).replace(/^\d+ /, '')];
    return what === undefined ? [] : [{ at: event.requestReceivedTimestamp, what }];
  });
  const time = ({ at }: { at: string }) => Date.parse(at);
  return [...trust, ...inKubernetes].toSorted((a, b) => time(a) - time(b)).map(({ what }) => what);
}
const DONE: Readonly<Record<string, string>> = { 'patch serviceaccounts': 'annotate', 'create pods/eviction': 'restart' };
const plansToDo = (s: Scene) => [
  expect.stringMatching(new RegExp(`^add "${s.subject}" to the statement of irsa-operator in the trust policy of "${s.roleArn}" `)),
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
      const since = suite.testbed.aws.journal.length;
      await s.deployment({ replicas: 2 });
      await s.refused();
      await s.bind(rest);
      await until('the plan is there', async () => ((await s.binding()).status?.plan?.length ?? 0) === 3, PATIENCE);
      await s.lookAgain();
      expect((await s.binding()).status?.plan).toEqual([...plansToDo(s), 'restart 2 pods that lack the role, one first']);
      expect(callsAbout(s, since).filter((operation) => !/^Get/.test(operation))).toEqual([]);
      expect(new Set(await whats(s))).toEqual(new Set(['patch irsabindings/status']));
      expect([s.writes(), await annotationOf(s), (await s.binding()).metadata.finalizers]).toEqual([[], undefined, undefined]);
      await s.change(act);
      await s.conditionIs('Ready', 'True', 'Ready');
      expect(await doneInOrder(s, since)).toEqual(['add to the trust policy', 'annotate', 'restart', 'restart']);
      await s.allReady();
      expect((await s.binding()).status?.plan).toBeUndefined();
    });
  }
});

// Contract: rule-dry-run
test('a dry run writes only status, Lease and Events, lets a deleted binding go with all that stands, and its plans are what is done first after it', async () => {
  const [enforced, deleted] = await Promise.all([working('dry'), working('dry-deleted')]);
  expect(await suite.operator.stop()).toBe(0);
  // While nobody looked: the statement is taken away, a value is set, and somebody binds another.
  enforced.role();
  const standing = deleted.trust();
  const [since, audited] = [suite.testbed.aws.journal.length, (await suite.testbed.auditEvents()).length];

  await suite.start([...FLAGS, '--dry-run']);
  const fresh = await prepared('dry-new');
  await fresh.bind();
  await deleted.unbind();
  await until('the new one has a plan', async () => (await fresh.binding()).status?.plan?.length === 2, PATIENCE);
  await until('the enforced one has a plan', async () => (await enforced.binding()).status?.plan?.length === 1, PATIENCE);
  await deleted.gone();
  await Promise.all([fresh.lookAgain(), enforced.lookAgain()]);
  expect((await fresh.binding()).status?.plan).toEqual(plansToDo(fresh));
  expect((await enforced.binding()).status?.plan).toEqual(plansToDo(enforced).slice(0, 1));
  expect([deleted.trust(), await annotationOf(deleted)]).toEqual([standing, deleted.roleArn]);
  const written = new Set(
    (await suite.testbed.auditEvents())
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
  const calls = new Set(suite.testbed.aws.journal.slice(since).map(({ operation }) => operation));
  expect([...calls].filter((operation) => !/^(Get|List)/.test(operation))).toEqual([]);

  expect(await suite.operator.stop()).toBe(0);
  const afterwards = suite.testbed.aws.journal.length;
  await suite.start();
  await Promise.all([enforced, fresh].map((s) => s.conditionIs('Ready', 'True', 'Ready')));
  expect(await doneInOrder(fresh, afterwards)).toEqual(['add to the trust policy', 'annotate']);
  expect(enforced.writes()).toHaveLength(2);
});
