import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import { finding } from '../../api/finding.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import { STS_AUDIENCE } from '../../api/names.ts';
import { type Subject, subjectOf } from '../../api/subject.ts';
import { authorize } from '../authorization/authorize.ts';
import { GrantIndex } from '../authorization/grant-index.ts';
import type { ClusterView } from '../state/identity.ts';
import type { Hold, OtherRole, RoleRecord } from '../state/role-record.ts';
import { isReleased } from '../state/verdict.ts';
import {
  ARN,
  arn,
  authorizationFor,
  binding,
  cluster,
  entry,
  grant,
  ISSUER,
  loss,
  NOW,
  OTHER_ARN,
  OWN_ROLES,
  own,
  policy,
  present,
  provider,
  ROLE_ID,
  roleObserved,
  SERVICE,
  SUBJECT,
  unreached,
  withoutQuota,
} from '../test-observed.ts';
import { type BindingAuthorization, desiredTrustOf } from './desired-trust.ts';
import { decideEdit } from './edit.ts';
import { planRole, type RoleObserved, type RolePlan } from './plan.ts';

const OTHER = subjectOf('shop', 'other');
const nothing: RolePlan = { steps: [], verdicts: [], recheck: undefined };

const other = (part: Parameters<typeof binding>[0] = {}) =>
  binding({ ...part, spec: { serviceAccountName: 'other', ...part?.spec }, metadata: { name: 'other', uid: 'other', ...part?.metadata } });
const deleted = (part: Parameters<typeof binding>[0] = {}) => binding({ ...part, metadata: { deleting: true, ...part?.metadata } });

/** The plan in short: steps, verdict by subject, and how long until the next look. */
function short(plan: RolePlan) {
  return {
    steps: plan.steps.map((step) => step.do),
    verdicts: Object.fromEntries(
      plan.verdicts.map(([{ subject }, verdict]) => [subject, verdict.kind === 'refused' ? verdict.finding.code : verdict.kind]),
    ),
    inMs: plan.recheck?.inMs,
  };
}

/** Whom the next write adds and takes away. */
function edited(plan: RolePlan): { wanted: Subject[]; released: Subject[] } | undefined {
  const step = plan.steps.find((one) => one.do === 'edit');
  if (step?.do !== 'edit') return undefined;
  const { wanted, released } = step.edit.desiredStatement;
  return { wanted: wanted.map(({ subject }) => subject), released: released.map(({ subject }) => subject as Subject) };
}

describe('before anything is asked of AWS', () => {
  const silent: Record<string, Partial<RoleObserved>> = {
    'no binding names the role': { bindings: [] },
    'the issuer is not known': { cluster: { kind: 'unknown', why: 'x' } },
    'it is not known who we are': { reach: unreached()(ARN) },
    'the quota was not asked': { reach: withoutQuota(ARN) },
    'the role is in another account': { arn: arn('arn:aws:iam::999900001111:role/team/app') },
    'no grant covers the binding': { bindings: [authorizationFor(binding({ status: { roles: [] } }), [])] },
    'no grant covers the binding any more': { bindings: [authorizationFor(binding(), [])] },
    'the binding is deleted and retains': { bindings: [authorizationFor(deleted({ spec: { deletionPolicy: 'Retain' } }))] },
    'the provider is missing': { provider: { kind: 'missing', similar: [] } },
  };
  for (const [sentence, part] of Object.entries(silent))
    test(`no call is made when ${sentence}`, () => expect(planRole(roleObserved({ record: undefined, ...part }))).toEqual(nothing));

  test('a role that a granted binding asks about is read', () =>
    expect(planRole(roleObserved({ record: undefined }))).toEqual({ ...nothing, steps: [{ do: 'read', why: 'it was not read yet' }] }));

  test('a role is read to release a binding that has lost its grant and is deleted', () =>
    expect(short(planRole(roleObserved({ record: undefined, bindings: [authorizationFor(deleted(), [])] }))).steps).toEqual(['read']));
});

describe('what is written', () => {
  const without = present({ policy: policy(SERVICE) });

  test('nothing, where the statement of irsa-operator names the subject', () =>
    expect(short(planRole(roleObserved()))).toEqual({ steps: [], verdicts: { [SUBJECT]: 'allowed' }, inMs: undefined }));

  const intents: Record<string, ReturnType<typeof binding>> = {
    'the finalizer is missing': binding({ metadata: { finalizers: [] } }),
    'the entry in the status is missing': binding({ status: { roles: [] } }),
    'the entry names the role before it was made again': binding({ status: { roles: [entry(ARN, 'AROAOLD')] } }),
  };
  for (const [sentence, one] of Object.entries(intents))
    test(`nothing, when ${sentence}`, () =>
      expect(short(planRole(roleObserved({ record: without, bindings: [authorizationFor(one)] })))).toEqual({
        steps: [],
        verdicts: { [SUBJECT]: 'TrustNoWebIdentityStatement' },
        inMs: undefined,
      }));

  test('one edit for all bindings, the oldest first', () => {
    const bindings = [authorizationFor(binding()), authorizationFor(other({ metadata: { createdAt: NOW - 172_800_000 } }))];
    const plan = planRole(roleObserved({ record: without, bindings }));
    expect(short(plan).steps).toEqual(['edit']);
    expect(edited(plan)).toEqual({ wanted: [OTHER, SUBJECT], released: [] });
  });

  test('what each deleted binding stood for is taken out, in the same edit', () => {
    const record = present({ policy: policy(SERVICE, own([OTHER])) });
    const plan = planRole(
      roleObserved({ record, bindings: [authorizationFor(), authorizationFor(other({ metadata: { deleting: true } }))] }),
    );
    expect(edited(plan)).toEqual({ wanted: [SUBJECT], released: [OTHER] });
  });

  test('the subject of a deleted binding stays while another binding wants it', () => {
    const successor = binding({ metadata: { name: 'successor', uid: 'successor' } });
    expect(short(planRole(roleObserved({ bindings: [authorizationFor(deleted()), authorizationFor(successor)] }))).steps).toEqual([]);
  });

  const unknown: Record<string, RoleObserved['provider']> = {
    'was not asked for yet, as after a start': undefined,
    'cannot be read': { kind: 'unreadable', why: 'throttled' },
  };
  for (const [sentence, provider] of Object.entries(unknown))
    test(`the subject of a deleted binding stays for a successor that has nothing yet while the provider ${sentence}`, () => {
      const successor = binding({ metadata: { name: 'successor', uid: 'successor', finalizers: [] }, status: { roles: [] } });
      expect(
        short(planRole(roleObserved({ provider, bindings: [authorizationFor(deleted()), authorizationFor(successor)] }))).steps,
      ).toEqual([]);
    });

  const beside: Record<string, { part: object; goes: boolean }> = {
    'a suspended one that stands on the role too': { part: { spec: { suspend: true } }, goes: false },
    'an observing one that stands on the role too': { part: { spec: { mode: 'Observe' } }, goes: false },
    'a suspended one that never stood on it': {
      part: { spec: { suspend: true }, status: { roles: [] }, metadata: { finalizers: [] } },
      goes: true,
    },
    'an observing one that never stood on it': {
      part: { spec: { mode: 'Observe' }, status: { roles: [] }, metadata: { finalizers: [] } },
      goes: true,
    },
    'an external one that never stood on it': { part: { spec: { trustPolicy: 'External' }, status: { roles: [] } }, goes: true },
  };
  for (const [sentence, { part, goes }] of Object.entries(beside))
    test(`the subject of a deleted binding ${goes ? 'is released' : 'stays'} beside ${sentence}`, () => {
      const { metadata, ...rest } = part as { metadata?: object };
      const neighbour = binding({ ...rest, metadata: { name: 'neighbour', uid: 'neighbour', ...metadata } });
      const steps = planRole(roleObserved({ bindings: [authorizationFor(deleted()), authorizationFor(neighbour)] })).steps;
      expect(steps.map((step) => step.do)).toEqual(goes ? ['edit'] : []);
    });

  test('nothing is released because a grant is gone, a binding is suspended, or nobody names the subject', () => {
    const bindings = [authorizationFor(binding(), []), authorizationFor(other({ spec: { suspend: true } }))];
    const record = present({ policy: policy(SERVICE, own([SUBJECT, OTHER, 'system:serviceaccount:shop:orphan'])) });
    expect(planRole(roleObserved({ record, bindings })).steps).toEqual([]);
  });

  test('the former role is released only when the new one works', () => {
    const leaving = binding({ status: { roles: [entry(ARN), entry(OTHER_ARN)], conditions: [] } });
    expect(
      planRole(roleObserved({ arn: OTHER_ARN, record: { ...present(), arn: OTHER_ARN }, bindings: [authorizationFor(leaving)] })),
    ).toEqual(nothing);
  });

  const watched: Record<string, object> = {
    'in mode Observe': { mode: 'Observe' },
    'while suspended': { suspend: true },
    'when somebody else writes the policy': { trustPolicy: 'External' },
  };
  for (const [sentence, part] of Object.entries(watched))
    test(`nothing ${sentence}, and the refusal waits for somebody else`, () => {
      const plan = planRole(roleObserved({ record: without, bindings: [authorizationFor(binding({ spec: part }))] }));
      expect(plan.steps).toEqual([]);
      const [, verdict] = plan.verdicts[0] ?? [];
      expect(verdict?.kind === 'refused' && [verdict.terminal, verdict.wouldWrite?.includes(`add "${SUBJECT}"`)]).toEqual([true, true]);
    });

  for (const path of ['aws-service-role/eks.amazonaws.com/', 'aws-reserved/sso.amazonaws.com/']) {
    test(`nothing to a role under "/${path}", which only AWS may change`, () => {
      const role = arn(`arn:aws:iam::111122223333:role/${path}app`);
      const { binding: one } = authorizationFor(binding({ spec: { roleArn: role }, status: { roles: [entry(role)] } }));
      const authorization = {
        kind: 'granted',
        spec: one.spec,
        grants: [{ grant: 'g', requiredRoleTags: {}, allowVerification: false }],
      } as ReturnType<typeof authorizationFor>['authorization'];
      const record: RoleRecord = { ...without, arn: role };
      expect(short(planRole(roleObserved({ arn: role, bindings: [{ binding: one, authorization }], record })))).toEqual({
        steps: [],
        verdicts: { [SUBJECT]: 'RoleUnmodifiable' },
        inMs: undefined,
      });
    });
  }

  test('nothing into a policy that cannot be read', () =>
    expect(short(planRole(roleObserved({ record: present({ policy: '{"Statement": [' }) })))).toEqual({
      steps: [],
      verdicts: { [SUBJECT]: 'TrustPolicyUnparseable' },
      inMs: undefined,
    }));

  const starts: Record<string, Partial<RoleObserved>> = {
    'a subject to add': { record: without },
    'a subject to release': { bindings: [authorizationFor(deleted())] },
    'one to add and one to release': {
      bindings: [authorizationFor(), authorizationFor(other({ metadata: { deleting: true } }))],
      record: present({ policy: policy(SERVICE, own([OTHER])) }),
    },
  };
  for (const [sentence, part] of Object.entries(starts))
    test(`after the write and the read-backs nothing is left to do: ${sentence}`, () => {
      const seen = roleObserved(part);
      const step = planRole(seen).steps.find((one) => one.do === 'edit');
      if (step?.do !== 'edit' || seen.record?.state.kind !== 'present') throw new Error('an edit was expected');
      const decision = decideEdit(step.edit, { arn: ARN, roleId: ROLE_ID, policy: seen.record.state.policy, tags: new Map() });
      if (decision.kind !== 'write') throw new Error(`a write was expected, not "${decision.kind}"`);
      const at = NOW + 8_000;
      const pending = { at: NOW, policy: decision.document };
      const back = planRole({ ...seen, now: at, record: present({ policy: decision.document }, at, { pending }) });
      expect(short(back).steps).toEqual(['confirm']);
      expect(planRole({ ...seen, now: at, record: present({ policy: decision.document }, at) })).toEqual({ ...back, steps: [] });
    });
});

test('who wants a role is never told that nothing stands: the write may be under way when the binding is deleted', () => {
  for (const text of [policy(SERVICE), policy(SERVICE, { ...own(), Sid: 'Theirs' })]) {
    const verdicts = planRole(roleObserved({ record: present({ policy: text }) })).verdicts.map(([, verdict]) => isReleased(verdict));
    expect(verdicts).toEqual([false]);
  }
});

// Contract: trust-read-back
describe('a write is read back', () => {
  const asSent = policy(SERVICE, own());
  const overwritten = policy(SERVICE);
  /** Our write at NOW, last read `age` later, looked at `now` later. */
  const readBack = (age: number, now: number, text: string, part: Partial<RoleObserved> = {}) =>
    short(planRole(roleObserved({ now: NOW + now, record: present({ policy: text }, NOW + age, sent), ...part })));
  const sent = { pending: { at: NOW, policy: asSent } };
  const released = { pending: { at: NOW, policy: overwritten } };
  const unanswered = { verdicts: {}, inMs: undefined };

  test('not before 2 s, and nothing is answered until then', () => {
    expect(readBack(0, 500, asSent)).toEqual({ steps: [], verdicts: {}, inMs: 1_500 });
    expect(readBack(1_999, 1_999, asSent)).toEqual({ steps: [], verdicts: {}, inMs: 1 });
  });
  test('at 2 s', () => expect(readBack(0, 2_000, asSent)).toEqual({ ...unanswered, steps: ['read'] }));
  test('and what stands at 2 s is believed', () =>
    expect(readBack(2_000, 2_000, asSent)).toEqual({ steps: [], verdicts: { [SUBJECT]: 'allowed' }, inMs: 6_000 }));
  test('what is not there at 2 s may be a stale read: nothing is said and nothing is written', () =>
    expect(readBack(2_000, 2_000, overwritten)).toEqual({ steps: [], verdicts: {}, inMs: 6_000 }));
  test('once more at 8 s', () => expect(readBack(2_000, 8_000, asSent).steps).toEqual(['read']));
  test('and what stands at 8 s is no longer in doubt', () =>
    expect(readBack(8_000, 8_000, asSent)).toEqual({ steps: ['confirm'], verdicts: { [SUBJECT]: 'allowed' }, inMs: undefined }));
  test('what is not there at 8 s is lost, and said to nobody before another attempt', () =>
    expect(readBack(8_000, 8_000, overwritten)).toEqual({ steps: ['retryAfterConflict'], verdicts: {}, inMs: undefined }));
  test('a subject that came back at 8 s after its release is lost too', () => {
    const record = present({ policy: asSent }, NOW + 8_000, released);
    expect(readBack(8_000, 8_000, asSent, { bindings: [authorizationFor(deleted())], record }).steps).toEqual(['retryAfterConflict']);
  });
  // Contract: fleet-undo-not-fought
  describe('and what somebody allowed again after its release', () => {
    const undoneIn = (text: string, writes: object = released) => {
      const record = present({ policy: text }, NOW + 8_000, writes);
      const { steps } = planRole(roleObserved({ now: NOW + 8_000, bindings: [authorizationFor(deleted())], record }));
      return steps.flatMap((step) => (step.do === 'retryAfterConflict' ? step.undone.map(({ subject }) => subject) : [step.do]));
    };
    const [of, ofToday] = [
      { Sid: 'Irsaaaaaaaaaaaaa', Effect: 'Deny' },
      { Sid: 'Irsaaaaaaaaaaaaa', Effect: 'Allow' },
    ];
    test('is counted', () => expect(undoneIn(asSent)).toEqual([SUBJECT]));
    test('is counted also where another operator has a statement there', () =>
      expect(undoneIn(policy(own(), of, SERVICE), { pending: { at: NOW, policy: policy(SERVICE, of) } })).toEqual([SUBJECT]));
    test('is a lost update where the statement of another operator is another one, too', () =>
      expect(undoneIn(policy(SERVICE, own(), ofToday), { pending: { at: NOW, policy: policy(SERVICE, of) } })).toEqual([]));
    test('is not known where our write had no answer', () =>
      expect(undoneIn(asSent, { pending: { ...released.pending, unanswered: true } })).toEqual([]));

    const again = (times: number, at: number, known = cluster) => {
      const record = present({ policy: asSent }, NOW, { undone: new Map([[`${SUBJECT}\n${STS_AUDIENCE}`, { times, at }]]) });
      return short(planRole(roleObserved({ bindings: [authorizationFor(deleted())], record, cluster: known })));
    };
    test('is taken out once more', () => expect(again(1, NOW).steps).toEqual(['edit']));
    test('and is then left alone for a day, and its binding says so', () =>
      expect(again(2, NOW - 1_000)).toEqual({ steps: [], verdicts: { [SUBJECT]: 'TrustRevocationBlocked' }, inMs: 86_399_000 }));
    test('and is never left alone where the cluster has an ID', () => {
      const named: ClusterView = { kind: 'known', issuer: ISSUER, previousClusterId: '', clusterId: 'blue' };
      expect(again(2, NOW - 1_000, named).steps).toEqual(['edit']);
    });
    test('and is taken out again after a day', () => expect(again(2, NOW - 86_400_000).steps).toEqual(['edit']));
  });
  test('after a loss the next write waits for its time', () => {
    const at = (now: number) =>
      planRole(roleObserved({ now, record: present({ policy: overwritten }, NOW, { conflicts: 1, retryAt: NOW + 500 }) }));
    expect(short(at(NOW))).toEqual({ steps: [], verdicts: { [SUBJECT]: 'TrustNoWebIdentityStatement' }, inMs: 500 });
    expect(short(at(NOW + 500)).steps).toEqual(['edit']);
  });
  const absent = (age: number) => {
    const record = present({ policy: overwritten }, NOW + age, released);
    return readBack(age, age, overwritten, { bindings: [authorizationFor(deleted())], record });
  };
  test('an absence at 2 s does not yet say that a subject is released', () => {
    expect(absent(2_000)).toEqual({ steps: [], verdicts: {}, inMs: 6_000 });
    expect(absent(7_999).verdicts).toEqual({});
  });
  test('an absence at 8 s does', () =>
    expect(absent(8_000)).toEqual({ steps: ['confirm'], verdicts: { [SUBJECT]: 'released' }, inMs: undefined }));
  const takenOver = (asOf: number, now = asOf) => {
    const record = present({ policy: overwritten }, NOW + asOf);
    const bindings = [authorizationFor(deleted())];
    return short(planRole(roleObserved({ now: NOW + now, record, bindings, leadsSince: NOW })));
  };
  test('nor does one within 8 s of the start: the leader before may have written', () => {
    expect(takenOver(0, 1_000)).toEqual({ steps: [], verdicts: {}, inMs: 7_000 });
    expect(takenOver(7_999, 8_000)).toEqual({ steps: ['read'], verdicts: {}, inMs: undefined });
  });
  test('one later than that does', () =>
    expect(takenOver(8_000)).toEqual({ steps: [], verdicts: { [SUBJECT]: 'released' }, inMs: undefined }));
  const leaves: Record<string, Parameters<typeof binding>[0]> = {
    'is deleted': { metadata: { deleting: true } },
    'leaves its policy to others': { spec: { trustPolicy: 'External' } },
    'is suspended': { spec: { suspend: true } },
  };
  for (const [sentence, part] of Object.entries(leaves))
    test(`a subject that went before the start is read for once, 8 s after it, where its binding ${sentence}`, () => {
      const at = (asOf: number, now: number, document = policy(SERVICE, { ...own([SUBJECT]), Sid: 'Theirs' })) =>
        short(
          planRole(
            roleObserved({
              now: NOW + now,
              record: present({ policy: document }, NOW + asOf),
              bindings: [authorizationFor(binding(part))],
              leadsSince: NOW,
            }),
          ),
        );
      expect(at(0, 1_000)).toMatchObject({ steps: [], inMs: 7_000 });
      expect(at(0, 8_000).steps).toEqual(['read']);
      expect(at(8_000, 8_000)).toMatchObject({ steps: [], inMs: undefined });
    });
  test('a subject that stands is not read for: what stands is certain', () => {
    const record = present({ policy: policy(SERVICE, own([SUBJECT])) });
    const bindings = [authorizationFor(binding({ spec: { suspend: true } }))];
    expect(short(planRole(roleObserved({ record, bindings, leadsSince: NOW })))).toMatchObject({ steps: [], inMs: undefined });
  });
  test('a binding that comes meanwhile does not wait for it', () => {
    const plan = planRole(
      roleObserved({ record: present({ policy: asSent }, NOW, sent), bindings: [authorizationFor(), authorizationFor(other())] }),
    );
    expect(edited(plan)).toEqual({ wanted: [SUBJECT, OTHER], released: [] });
  });
  test('a binding that comes meanwhile waits where the write does not show', () => {
    const plan = planRole(
      roleObserved({
        record: present({ policy: overwritten }, NOW + 1_000, sent),
        bindings: [authorizationFor(), authorizationFor(other())],
      }),
    );
    expect(short(plan)).toEqual({ steps: [], verdicts: {}, inMs: 2_000 });
  });
});

describe('bindings that come together', () => {
  const without = present({ policy: policy(SERVICE) });
  const coming = other({ status: { roles: [] } });
  const bindings = [authorizationFor(), authorizationFor(coming)];
  test('are gathered before the first write', () =>
    expect(short(planRole(roleObserved({ record: without, bindings }))).steps).toEqual(['debounce']));
  const waiting = (part: object = {}) =>
    present({ policy: policy(SERVICE) }, NOW, { debounce: { since: NOW - 5_000, awaited: 1, progressAt: NOW - 1_000, ...part } });
  test('are waited for until 3 s after the last of them came on', () => {
    expect(short(planRole(roleObserved({ record: without, bindings }))).inMs).toBe(3_000);
    expect(short(planRole(roleObserved({ record: waiting(), bindings }))).inMs).toBe(2_000);
    expect(short(planRole(roleObserved({ record: waiting(), bindings, now: NOW + 2_000 }))).steps).toEqual(['edit']);
  });
  test('are waited for while they wait for their turn themselves, so that a busy machine makes one write too', () => {
    const underway = [authorizationFor(), { ...authorizationFor(coming), underway: true }];
    const plan = planRole(roleObserved({ record: waiting(), bindings: underway, now: NOW + 9_000 }));
    expect([short(plan).steps, short(plan).inMs]).toEqual([['debounce'], 3_000]);
  });
  test('are waited for anew where fewer or more of them are on their way', () => {
    for (const awaited of [2, 3])
      expect(short(planRole(roleObserved({ record: waiting({ awaited }), bindings }))).steps).toEqual(['debounce']);
  });
  test('are waited for 30 s at the most, however many come', () => {
    const record = waiting({ since: NOW - 29_000, progressAt: NOW });
    expect(short(planRole(roleObserved({ record, bindings }))).inMs).toBe(1_000);
    const underway = [authorizationFor(), { ...authorizationFor(coming), underway: true }];
    for (const late of [bindings, underway])
      expect(short(planRole(roleObserved({ record, bindings: late, now: NOW + 1_000 }))).steps).toEqual(['edit']);
  });
  test('make one write as soon as the intent of each is on the API server', () => {
    const plan = planRole(roleObserved({ record: waiting(), bindings: [authorizationFor(), authorizationFor(other())] }));
    expect(edited(plan)).toEqual({ wanted: [SUBJECT, OTHER], released: [] });
  });
  test('do not hold up a revocation', () => {
    const leaving = authorizationFor(binding({ metadata: { deleting: true } }));
    const record = present({ policy: policy(SERVICE, own([SUBJECT])) });
    expect(edited(planRole(roleObserved({ record, bindings: [leaving, authorizationFor(coming)] })))?.released).toEqual([SUBJECT]);
  });
});

describe('a grant that is gone', () => {
  const losing = (part: Parameters<typeof loss>[0]) => roleObserved({ bindings: [authorizationFor(binding(), [])], losses: [loss(part)] });
  test('takes nothing away before its time, and is looked at then', () =>
    expect(short(planRole(losing({ since: NOW - 1_000, dueAt: NOW + 59_000 })))).toEqual({
      steps: [],
      verdicts: {},
      inMs: 59_000,
    }));
  test('takes the subject out when it is time', () => {
    const plan = planRole(losing({}));
    expect(edited(plan)).toEqual({ wanted: [], released: [SUBJECT] });
  });
  test('takes nothing away while too many are gone', () =>
    expect(planRole(losing({ since: NOW - 3_600_000, dueAt: undefined }))).toEqual(nothing));
});

describe('the limits of a grant', () => {
  const limited = (limits: object, part: object = {}) => grant({ limits, ...part });
  const withoutRoom = (one: IrsaBinding, grants: readonly IrsaGrant[], full: string): BindingAuthorization => ({
    ...authorizationFor(one, grants),
    authorization: authorize(one, {
      grants: new GrantIndex(grants),
      namespace: { name: 'shop', labels: {} },
      contenders: [one],
      ownRoles: OWN_ROLES,
      apiAudiences: [],
      fullGrants: () => new Set([full]),
    }),
  });
  const tagged = (values: Record<string, string>) =>
    present({ tags: { values: new Map(Object.entries(values)), since: NOW - 3_600_000, asOf: NOW } });

  // Contract: grant-limit-keeps
  test('revoke nothing: what a binding has stays where it has no room any more', () =>
    expect(planRole(roleObserved({ bindings: [withoutRoom(binding(), [limited({ bindingsPerNamespace: 1 })], 'platform')] }))).toEqual(
      nothing,
    ));

  // Contract: grant-limit-keeps
  test('revoke nothing: what stands by a full grant needs no tags that only another one asks for', () => {
    const grants = [limited({ bindingsPerNamespace: 1 }), { ...grant({ requiredRoleTags: { owner: 'shop' } }), name: 'other' }];
    const plan = planRole(roleObserved({ record: tagged({}), bindings: [withoutRoom(binding(), grants, 'platform')] }));
    expect(short(plan)).toEqual({ steps: [], verdicts: { [SUBJECT]: 'allowed' }, inMs: undefined });
    const newcomer = binding({ status: { roles: [] } });
    const refused = planRole(roleObserved({ record: tagged({}), bindings: [withoutRoom(newcomer, grants, 'platform')] }));
    expect(short(refused).verdicts).toEqual({ [SUBJECT]: 'NotGranted' });
  });

  // Contract: grant-limit-subjects
  test('keep a newcomer out of a role that has as many subjects of its namespace, also in what Observe says', () => {
    const grants = [limited({ subjectsPerNamespace: 1 })];
    const bindings = [authorizationFor(binding(), grants), authorizationFor(other(), grants)];
    const observing = [authorizationFor(binding(), grants), authorizationFor(other({ spec: { mode: 'Observe' } }), grants)];
    for (const them of [bindings, observing])
      expect(short(planRole(roleObserved({ bindings: them })))).toEqual({
        steps: [],
        verdicts: { [SUBJECT]: 'allowed', [OTHER]: 'GrantLimitReached' },
        inMs: undefined,
      });
  });

  test('are those of the most generous grant', () => {
    const grants = [limited({ subjectsPerNamespace: 1 }), { ...limited({ subjectsPerNamespace: 2 }), name: 'other' }];
    const bindings = [authorizationFor(binding(), grants), authorizationFor(other(), grants)];
    expect(edited(planRole(roleObserved({ bindings })))?.wanted).toEqual([SUBJECT, OTHER]);
    const unlimited = [...grants, { ...grant(), name: 'third' }];
    const [desired] = desiredTrustOf(authorizationFor(binding(), unlimited), {
      now: NOW,
      arn: ARN,
      issuer: ISSUER,
      record: present(),
      provider,
      losses: new Map(),
    });
    expect(desired?.namespaceLimit).toBeUndefined();
  });
});

// Contract: trust-absent
test('a ServiceAccount that does not exist is not added where space is short, and is when it comes', () => {
  const bindings = [authorizationFor(), authorizationFor(other({ metadata: { createdAt: NOW - 2 * 86_400_000 } }))];
  const reach = { kind: 'reached', quota: 600 } as const;
  const plan = planRole(roleObserved({ reach, bindings, absent: new Set([OTHER]) }));
  expect(short(plan)).toEqual({ steps: [], verdicts: { [SUBJECT]: 'allowed', [OTHER]: 'ServiceAccountMissing' }, inMs: undefined });
  expect(edited(planRole(roleObserved({ reach, bindings })))?.wanted).toEqual([OTHER, SUBJECT]);
});

describe('a role without the tags that the grant asks for', () => {
  const wants = [grant({ requiredRoleTags: { owner: 'shop' } })];
  const tagged = (values: Record<string, string>, since: number, asOf = NOW) =>
    present({ tags: { values: new Map(Object.entries(values)), since, asOf } }, asOf);
  const seen = (record: RoleRecord, part: Partial<RoleObserved> = {}) =>
    roleObserved({ record, bindings: [authorizationFor(binding(), wants)], ...part });

  test('keeps what stands for ten minutes, says so in the words of a missing grant, and is read again', () => {
    const plan = planRole(seen(tagged({}, NOW)));
    expect(short(plan)).toEqual({ steps: [], verdicts: { [SUBJECT]: 'NotGranted' }, inMs: 60_000 });
    expect(short(planRole(seen(tagged({}, NOW - 60_000, NOW - 60_000)))).steps).toEqual(['read']);
  });
  test('tells nothing of its policy: not even the size', () => {
    const [, verdict] = planRole(seen(tagged({}, NOW))).verdicts[0] ?? [];
    expect(verdict?.kind === 'refused' && [verdict.size, verdict.findings.map(({ code }) => code)]).toEqual([undefined, ['NotGranted']]);
  });
  // Contract: rule-grant-lost-10min
  test('loses the subject after ten minutes', () => {
    const plan = planRole(seen(tagged({}, NOW - 600_000), { losses: [loss({ cause: 'labelOrTag' })] }));
    expect(edited(plan)).toEqual({ wanted: [], released: [SUBJECT] });
    expect(short(plan).verdicts).toEqual({ [SUBJECT]: 'NotGranted' });
  });
  test('keeps it while too many lost their grant', () =>
    expect(short(planRole(seen(tagged({}, NOW - 600_000), { losses: [loss({ cause: 'labelOrTag', dueAt: undefined })] }))).steps).toEqual(
      [],
    ));
  const newcomers: Record<string, Parameters<typeof binding>[0]> = {
    'that wants it': {},
    'that only observes': { spec: { mode: 'Observe' } },
    'that is suspended': { spec: { suspend: true } },
    'that leaves the policy to somebody else': { spec: { trustPolicy: 'External' } },
  };
  for (const [sentence, part] of Object.entries(newcomers)) {
    const bindings = [authorizationFor(binding({ ...part, status: { roles: [] } }), wants)];
    // Contract: api-tag-same-text
    test(`tells a new binding ${sentence} nothing of itself, not even that it is there`, () => {
      const plan = planRole(seen(tagged({}, NOW), { bindings }));
      expect(short(plan)).toEqual({ steps: [], verdicts: { [SUBJECT]: 'NotGranted' }, inMs: 60_000 });
    });
    test(`that was only listed is read by itself before a new binding ${sentence} is told anything`, () =>
      expect(short(planRole(seen(present(), { bindings })))).toEqual({ steps: ['read'], verdicts: {}, inMs: undefined }));
  }
  test('that was only listed is not read for those who stand on it: sweeps do that in turns', () =>
    expect(short(planRole(seen(present())))).toEqual({ steps: [], verdicts: { [SUBJECT]: 'allowed' }, inMs: undefined }));
  test('does not get a new subject', () => {
    const record = present({ policy: policy(SERVICE), tags: { values: new Map(), since: NOW, asOf: NOW } });
    expect(short(planRole(seen(record))).steps).toEqual([]);
  });
  test('lets the others be written', () => {
    const record = present({ policy: policy(SERVICE), tags: { values: new Map(), since: NOW, asOf: NOW } });
    const plan = planRole(roleObserved({ record, bindings: [authorizationFor(binding(), wants), authorizationFor(other())] }));
    expect(edited(plan)).toEqual({ wanted: [OTHER], released: [] });
    expect(short(plan).verdicts).toEqual({ [SUBJECT]: 'NotGranted', [OTHER]: 'TrustNoWebIdentityStatement' });
  });
  test('is in order when it carries them', () =>
    expect(short(planRole(seen(tagged({ owner: 'shop' }, NOW))))).toEqual({
      steps: [],
      verdicts: { [SUBJECT]: 'allowed' },
      inMs: undefined,
    }));
});

describe('a trust policy that somebody else writes by now', () => {
  const external = [authorizationFor(binding({ spec: { trustPolicy: 'External' } }))];
  const theirs = { ...own(), Sid: 'Theirs' };
  test('keeps our subject while nobody else lets it in', () =>
    expect(short(planRole(roleObserved({ bindings: external })))).toEqual({
      steps: [],
      verdicts: { [SUBJECT]: 'allowed' },
      inMs: undefined,
    }));
  // Contract: rule-external
  test('loses it when theirs lets it in', () => {
    const plan = planRole(roleObserved({ bindings: external, record: present({ policy: policy(theirs, own()) }) }));
    expect(edited(plan)).toEqual({ wanted: [], released: [SUBJECT] });
  });
  test('says that ours is gone only when an absence is believed', () => {
    const pending = { at: NOW, policy: policy(theirs) };
    const at = (age: number) =>
      planRole(
        roleObserved({ bindings: external, now: NOW + age, record: present({ policy: policy(theirs) }, NOW + age, { pending }) }),
      ).verdicts.map(([, verdict]) => verdict.kind === 'allowed' && verdict.mayStand);
    expect([at(2_000), at(8_000)]).toEqual([[true], [false]]);
  });
});

describe('a hold', () => {
  const until = NOW + 30_000;
  const paused: Hold = { since: NOW - 30_000, until, finding: finding('RolePaused', 'the role is paused'), allowsRevocation: true };
  const rejected: Hold = { since: NOW - 30_000, until, finding: finding('TrustWriteRejected', 'IAM rejects it'), allowsRevocation: false };
  const empty = policy(SERVICE);

  test('lets nothing be written, and is the reason', () =>
    expect(short(planRole(roleObserved({ record: present({ policy: empty, hold: paused }) })))).toEqual({
      steps: [],
      verdicts: { [SUBJECT]: 'RolePaused' },
      inMs: 30_000,
    }));
  test('does not touch who is allowed already', () =>
    expect(short(planRole(roleObserved({ record: present({ hold: paused }) }))).verdicts).toEqual({
      [SUBJECT]: 'allowed',
    }));
  // Contract: rule-paused
  test('by the owner lets a revocation through', () =>
    expect(edited(planRole(roleObserved({ bindings: [authorizationFor(deleted())], record: present({ hold: paused }) })))).toEqual({
      wanted: [],
      released: [SUBJECT],
    }));
  test('by IAM is why a deleted binding still stands', () => {
    const seen = roleObserved({ bindings: [authorizationFor(deleted())], record: present({ hold: rejected }) });
    expect(short(planRole(seen))).toEqual({ steps: [], verdicts: { [SUBJECT]: 'TrustWriteRejected' }, inMs: 30_000 });
  });
  // Contract: end-blocked
  test('by IAM for ten minutes calls for somebody', () => {
    const hold = { ...rejected, since: NOW - 600_000 };
    const [, verdict] = planRole(roleObserved({ bindings: [authorizationFor(deleted())], record: present({ hold }) })).verdicts[0] ?? [];
    expect(verdict?.kind === 'refused' && [verdict.finding.code, verdict.finding.message, verdict.terminal]).toEqual([
      'TrustRevocationBlocked',
      `the subject of this binding cannot be removed from the trust policy of "${ARN}". irsa-operator retries: IAM rejects it`,
      false,
    ]);
  });
  test('that is over is followed by another attempt, and stays the reason until that has shown what is so', () =>
    expect(short(planRole(roleObserved({ record: present({ policy: empty, hold: { ...paused, until: NOW } }) })))).toEqual({
      steps: ['edit'],
      verdicts: { [SUBJECT]: 'RolePaused' },
      inMs: undefined,
    }));
});

describe('a role that is not there', () => {
  const gone = (since: number, asOf: number, foundAs?: OtherRole): RoleRecord => ({
    arn: ARN,
    asOf,
    state: { kind: 'missing', since, foundAs },
  });

  test('is told to who asks, and asked for again after 60 s', () => {
    expect(short(planRole(roleObserved({ record: gone(NOW, NOW) })))).toEqual({
      steps: [],
      verdicts: { [SUBJECT]: 'RoleNotFound' },
      inMs: 60_000,
    });
    expect(short(planRole(roleObserved({ now: NOW + 60_000, record: gone(NOW, NOW) }))).steps).toEqual(['read']);
  });
  // Contract: end-role-gone
  test('releases nobody when it was missing once, or twice within 60 s', () => {
    const bindings = [authorizationFor(deleted())];
    for (const age of [0, 59_999])
      expect(short(planRole(roleObserved({ now: NOW + age, bindings, record: gone(NOW, NOW + age) }))).verdicts).toEqual({});
  });
  // Contract: end-role-gone
  test('releases who is deleted when it was missing twice, 60 s apart', () =>
    expect(
      planRole(roleObserved({ now: NOW + 60_000, bindings: [authorizationFor(deleted())], record: gone(NOW, NOW + 60_000) })).verdicts,
    ).toHaveLength(1));
  test('is no release for who wants it', () =>
    expect(short(planRole(roleObserved({ now: NOW + 60_000, record: gone(NOW, NOW + 60_000) }))).verdicts).toEqual({
      [SUBJECT]: 'RoleNotFound',
    }));
  test('under that path is told with the ARN that IAM knows', () => {
    const knownAs = arn('arn:aws:iam::111122223333:role/app');
    const record = gone(NOW, NOW, { arn: knownAs, tags: new Map() });
    const [, verdict] = planRole(roleObserved({ record, bindings: [{ ...authorizationFor(), knownAs }] })).verdicts[0] ?? [];
    expect(verdict?.kind === 'refused' && [verdict.finding.code, verdict.finding.message]).toEqual([
      'RoleArnMismatch',
      `IAM knows the role "app" as "arn:aws:iam::111122223333:role/app". The binding says "${ARN}". Correct spec.roleArn: path and case count`,
    ]);
  });
});

describe('a role that may not be read', () => {
  const denied: RoleRecord = { arn: ARN, asOf: NOW, state: { kind: 'unreadable', since: NOW, why: 'AccessDenied' } };
  test('is told, and asked for again after 60 s', () => {
    expect(short(planRole(roleObserved({ record: denied })))).toEqual({
      steps: [],
      verdicts: { [SUBJECT]: 'RoleAccessDenied' },
      inMs: 60_000,
    });
    expect(short(planRole(roleObserved({ now: NOW + 60_000, record: denied }))).steps).toEqual(['read']);
  });
  // Contract: fair-sweep
  test('is asked for again after as long as it has been so, an hour at most: a tenant may name any number of such roles', () => {
    const inMinutes = (minutes: number) => {
      const since = NOW - minutes * 60_000;
      const record: RoleRecord = { arn: ARN, asOf: NOW, state: { kind: 'unreadable', since, why: 'AccessDenied' } };
      return (short(planRole(roleObserved({ record }))).inMs ?? Number.NaN) / 60_000;
    };
    expect([0.5, 7, 600].map(inMinutes)).toEqual([1, 7, 60]);
  });
  test('releases nobody', () =>
    expect(short(planRole(roleObserved({ bindings: [authorizationFor(deleted())], record: denied }))).verdicts).toEqual({
      [SUBJECT]: 'RoleAccessDenied',
    }));
});
