import { describe, expect, test } from 'vitest';
import { roleArnParts } from '../../api/arn.ts';
import { keyOf, type ServiceAccount } from '../../api/cluster.ts';
import { conditionOf } from '../../api/condition.ts';
import { EKS_ANNOTATIONS, FIELD_MANAGER } from '../../api/names.ts';
import { ARN, allowed, binding, grant, NOW, present, provider, question, serviceAccount } from '../../domain/test-observed.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { createStores } from '../stores.ts';
import { putIdentity } from '../test-identity.ts';
import { bindingController } from './index.ts';

/** Admission changes what the operator writes within the operator's own request. No event need come: nothing may have changed. */

type Annotations = Readonly<Record<string, string>>;
/** What the API server stores of the annotations that were sent; undefined: it puts back the whole object. */
type Admission = (sent: Annotations, write: number) => Annotations | undefined;

const { roleArn, audience } = EKS_ANNOTATIONS;
const OTHER = 'arn:aws:iam::111122223333:role/other';
const KEY = keyOf(binding().metadata);
const BY_POLICY = 'a mutating webhook or policy keeps overwriting the annotations of irsa-operator on ServiceAccount "app"';

/** The controller against an API server with this admission, whose watch shows each change at once. */
function against(admission: Admission, start: { account?: ServiceAccount; spec?: object; deleting?: boolean } = {}) {
  const seen = createStores(silentLog);
  const clock = new ManualClock(NOW);
  seen.grants.put(grant());
  seen.namespaces.put({ name: 'shop', labels: {} });
  putIdentity(seen);
  seen.providers.put({ account: roleArnParts(ARN).account, view: provider });
  seen.roles.put(present());
  seen.verdicts.put({ question: question(), verdict: start.deleting ? { kind: 'released' } : allowed, urgency: 'change' });
  seen.bindings.put(binding({ spec: start.spec ?? {}, metadata: { deleting: start.deleting ?? false } }));
  seen.serviceAccounts.put(start.account ?? serviceAccount({}));
  const events: string[] = [];
  const metrics: string[] = [];
  let writes = 0;
  let released = 0;
  let version = 1;
  const unexpected = async () => {
    throw new Error('only the ServiceAccount and the status were to be written');
  };
  const stored = (account: ServiceAccount, sent: Annotations): ServiceAccount => {
    const annotations = admission(sent, writes);
    if (annotations === undefined) return account;
    // What admission changes stays with the manager of the request.
    const writers = Object.fromEntries(Object.keys(sent).map((key) => [key, [{ manager: FIELD_MANAGER, at: NOW }]]));
    const same = JSON.stringify([annotations, writers]) === JSON.stringify([account.annotations, account.writers]);
    return same ? account : { ...account, annotations, writers, resourceVersion: String(++version) };
  };
  const controller = bindingController({
    stores: seen,
    owned: seen,
    writes: {
      addFinalizer: unexpected,
      async removeFinalizer() {
        released += 1;
      },
      evict: unexpected,
      deletePod: unexpected,
      rollOut: unexpected,
      async annotate(account, sent) {
        writes += 1;
        const answered = stored(account, sent);
        if (answered !== account) seen.serviceAccounts.put(answered);
        return answered;
      },
      async report(one, status) {
        const resourceVersion = String(Number(one.metadata.resourceVersion) + 1);
        seen.bindings.put({ ...one, metadata: { ...one.metadata, resourceVersion }, status });
        return resourceVersion;
      },
    },
    events: { record: (_, { reason }) => void events.push(reason) },
    metrics: { drifted: () => metrics.push('drifted'), repaired: () => metrics.push('repaired'), restarted: () => {} },
    sweepIntervalMs: 60_000,
    clock,
  });
  let woken = false;
  for (const wake of controller.wakes)
    wake.subscribe(() => {
      woken = true;
    });
  /** Only what an event wakes, and what a recheck within a second asks for. Returns when it would look again. */
  const settle = async (): Promise<number | undefined> => {
    for (let round = 0; round < 20; round++) {
      woken = false;
      const outcome = await controller.reconcile(KEY, new AbortController().signal, {
        id: '1',
        urgency: 'change',
        failures: 0,
        log: silentLog,
      });
      const again = outcome.kind === 'recheck' ? outcome.afterMs : undefined;
      if (!woken && (again === undefined || again > 1_000)) return again;
    }
    throw new Error('it never comes to rest');
  };
  const condition = () => conditionOf(seen.bindings.get(KEY)?.status.conditions ?? [], 'Annotated');
  const findings = () => (seen.bindings.get(KEY)?.status.findings ?? []).map(({ code }) => code);
  return { settle, clock, condition, findings, events, metrics, writes: () => writes, released: () => released };
}

const cases: Record<
  string,
  { admission: Admission; start?: { account?: ServiceAccount; spec?: object }; writes: number; says: string; message?: string }
> = {
  'puts another role in its place': { admission: () => ({ [roleArn]: OTHER }), writes: 3, says: 'Contended', message: OTHER },
  'puts another role there, and was there before': {
    admission: () => ({ [roleArn]: OTHER }),
    start: { account: serviceAccount({ [roleArn]: OTHER }, 'helm') },
    writes: 3,
    says: 'Contended',
    message: OTHER,
  },
  'removes it': { admission: () => ({}), writes: 3, says: 'Contended', message: 'has no annotation' },
  'puts back the whole object, so that no version is new': {
    admission: () => undefined,
    writes: 3,
    says: 'Contended',
    message: 'has no annotation',
  },
  'puts back the whole object with the role of another writer': {
    admission: () => undefined,
    start: { account: serviceAccount({ [roleArn]: OTHER }, 'helm') },
    writes: 3,
    says: 'Contended',
    message: OTHER,
  },
  'changes the case of a letter': { admission: () => ({ [roleArn]: ARN.toUpperCase() }), writes: 3, says: 'Contended' },
  'puts another value there each time': {
    admission: (_, write) => ({ [roleArn]: `${OTHER}-${write}` }),
    writes: 3,
    says: 'Contended',
    message: `${OTHER}-3`,
  },
  'changes the audience alone': {
    admission: (sent) => ({ ...sent, [audience]: 'theirs' }),
    start: { account: serviceAccount({ [audience]: 'theirs' }, 'helm') },
    writes: 3,
    says: 'Contended',
    message: 'theirs',
  },
  'changes the lifetime alone': {
    admission: (sent) => ({ ...sent, [EKS_ANNOTATIONS.tokenExpiration]: '600' }),
    start: { spec: { tokenExpirationSeconds: 3_600 } },
    writes: 3,
    says: 'Contended',
    message: '600',
  },
  'changes it once': { admission: (sent, write) => (write > 1 ? sent : { [roleArn]: OTHER }), writes: 2, says: 'Annotated' },
  'changes it twice': { admission: (sent, write) => (write > 2 ? sent : { [roleArn]: OTHER }), writes: 3, says: 'Annotated' },
  'leaves it alone': { admission: (sent) => sent, writes: 1, says: 'Annotated' },
  'adds a key that was not sent and that no binding wants': {
    admission: (sent) => ({ ...sent, [EKS_ANNOTATIONS.stsRegionalEndpoints]: 'true' }),
    writes: 1,
    says: 'Annotated',
  },
  'puts back the whole object, which has the right value': {
    admission: () => undefined,
    start: { account: serviceAccount(undefined, 'helm') },
    writes: 2, // the second for the event of the status, and that is all
    says: 'Annotated',
  },
};

// Contract: annotate-own-request
describe('where admission', () => {
  for (const [sentence, { admission, start, writes, says, message = '' }] of Object.entries(cases))
    test(`${sentence}, the status says ${says} without another event`, async () => {
      const one = against(admission, start);
      const again = await one.settle();
      expect([one.condition()?.reason, one.writes()]).toEqual([says, writes]);
      expect(one.condition()?.message).toContain(message);
      if (says === 'Contended') {
        expect(one.condition()?.message).toContain(BY_POLICY);
        expect(again).toBe(5 * 60_000);
      }
    });
});

describe('an annotation that is changed within our own request', () => {
  const overwriting: Admission = () => ({ [roleArn]: OTHER });

  test('is no news where nothing changed at all', async () => {
    const one = against(() => undefined, { account: serviceAccount(undefined, 'helm') });
    await one.settle();
    expect([one.writes() > 0, one.events.includes('ServiceAccountAnnotated')]).toEqual([true, false]);
  });

  test('is told as a mismatch before it is contended', async () => {
    const one = against(overwriting);
    await one.settle();
    const told = one.events.filter((reason, index) => one.events.indexOf(reason) === index);
    expect(told.indexOf('AnnotationRoleMismatch')).toBeGreaterThanOrEqual(0);
    expect(told.indexOf('AnnotationRoleMismatch')).toBeLessThan(told.indexOf('Contended'));
  });

  test('is not told as set, nor counted as repaired', async () => {
    const one = against(overwriting);
    await one.settle();
    expect(one.events).not.toContain('ServiceAccountAnnotated');
    expect(one.metrics).not.toContain('repaired');
  });

  test('is written once more after five minutes, and no more often', async () => {
    const one = against(overwriting);
    await one.settle();
    await one.settle();
    expect(one.writes()).toBe(3);
    await one.clock.advance(5 * 60_000);
    expect([await one.settle(), one.writes(), one.condition()?.reason]).toEqual([5 * 60_000, 4, 'Contended']);
  });

  test('is annotated as soon as the policy is gone', async () => {
    let gone = false;
    const one = against((sent) => (gone ? sent : { [roleArn]: OTHER }));
    await one.settle();
    gone = true;
    await one.clock.advance(5 * 60_000);
    await one.settle();
    expect([one.condition()?.reason, one.writes()]).toEqual(['Annotated', 4]);
  });
});

describe('the annotation of a binding that is deleted', () => {
  test('which admission puts back is not ours any more: the binding is let go', async () => {
    const one = against(() => ({ [roleArn]: ARN }), { account: serviceAccount(), deleting: true });
    await one.settle();
    expect([one.writes(), one.released()]).toEqual([1, 1]);
  });

  test('which admission does not let go of is a failure that is tried again, not an event that is waited for', async () => {
    const one = against(() => undefined, { account: serviceAccount(), deleting: true });
    await expect(one.settle()).rejects.toMatchObject({
      kind: 'transient',
      message: `ServiceAccount "app" still has the annotation ${roleArn} after irsa-operator removed it. A mutating webhook or policy undid the write within its request. Configure it to leave irsa-operator alone`,
    });
    expect(one.released()).toBe(0);
  });
});
