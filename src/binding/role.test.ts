import { describe, expect, test } from 'vitest';
import { finding } from '../api/finding.ts';
import { type Subject, subjectOf } from '../api/subject.ts';
import { decideEdit } from './edit.ts';
import type { RoleRecord } from './observed.ts';
import { planRole, type RoleObserved, type RolePlan } from './role.ts';
import {
  ARN,
  arn,
  binding,
  claimFor,
  entry,
  NOW,
  OTHER_ARN,
  own,
  policy,
  present,
  ROLE_ID,
  roleObserved,
  SERVICE,
  SUBJECT,
} from './test-observed.ts';

const OTHER = subjectOf('shop', 'other');
const nothing: RolePlan = { steps: [], verdicts: [], lookAgain: undefined };

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
    inMs: plan.lookAgain?.inMs,
  };
}

/** Whom the next write adds and takes away. */
function edited(plan: RolePlan): { wanted: Subject[]; released: Subject[] } | undefined {
  const step = plan.steps.find((one) => one.do === 'edit');
  if (step?.do !== 'edit') return undefined;
  const { wanted, released } = step.edit.wish;
  return { wanted: wanted.map(({ subject }) => subject), released: released.map(({ subject }) => subject) };
}

describe('before anything is asked of AWS', () => {
  const silent: Record<string, Partial<RoleObserved>> = {
    'no binding names the role': { claims: [] },
    'the issuer is not known': { cluster: { kind: 'unknown', why: 'x' } },
    'it is not known who we are': { caller: { kind: 'unknown', why: 'x' } },
    'the quota was not asked': { quota: undefined },
    'the role is in another account': { arn: arn('arn:aws:iam::999900001111:role/team/app') },
    'no grant covers the binding': { claims: [claimFor(binding({ status: { roles: [] } }), [])] },
    'no grant covers the binding any more': { claims: [claimFor(binding(), [])] },
    'the binding is deleted and retains': { claims: [claimFor(deleted({ spec: { deletionPolicy: 'Retain' } }))] },
    'the provider is missing': { provider: { kind: 'missing', similar: [] } },
  };
  for (const [sentence, part] of Object.entries(silent))
    test(`no call is made when ${sentence}`, () => expect(planRole(roleObserved({ record: undefined, ...part }))).toEqual(nothing));

  test('a role that a granted binding asks about is read', () =>
    expect(planRole(roleObserved({ record: undefined }))).toEqual({ ...nothing, steps: [{ do: 'read', why: 'it was not read yet' }] }));

  test('a role is read to release a binding that has lost its grant and is deleted', () =>
    expect(short(planRole(roleObserved({ record: undefined, claims: [claimFor(deleted(), [])] }))).steps).toEqual(['read']));
});

describe('what is written', () => {
  const without = present({ policy: policy(SERVICE) });

  test('nothing, where our statement names the subject', () =>
    expect(short(planRole(roleObserved()))).toEqual({ steps: [], verdicts: { [SUBJECT]: 'allowed' }, inMs: undefined }));

  const intents: Record<string, ReturnType<typeof binding>> = {
    'the finalizer is missing': binding({ metadata: { finalizers: [] } }),
    'the entry in the status is missing': binding({ status: { roles: [] } }),
    'the entry names the role before it was made again': binding({ status: { roles: [entry(ARN, 'AROAOLD')] } }),
  };
  for (const [sentence, one] of Object.entries(intents))
    test(`nothing, when ${sentence}`, () =>
      expect(short(planRole(roleObserved({ record: without, claims: [claimFor(one)] })))).toEqual({
        steps: [],
        verdicts: { [SUBJECT]: 'TrustNoWebIdentityStatement' },
        inMs: undefined,
      }));

  test('one edit for all bindings, the oldest first', () => {
    const claims = [claimFor(binding()), claimFor(other({ metadata: { createdAt: NOW - 172_800_000 } }))];
    const plan = planRole(roleObserved({ record: without, claims }));
    expect(short(plan).steps).toEqual(['edit']);
    expect(edited(plan)).toEqual({ wanted: [OTHER, SUBJECT], released: [] });
  });

  test('what each deleted binding stood for is taken out, in the same edit', () => {
    const record = present({ policy: policy(SERVICE, own([OTHER])) });
    const plan = planRole(roleObserved({ record, claims: [claimFor(), claimFor(other({ metadata: { deleting: true } }))] }));
    expect(edited(plan)).toEqual({ wanted: [SUBJECT], released: [OTHER] });
  });

  test('the subject of a deleted binding stays while another binding wants it', () => {
    const heir = binding({ metadata: { name: 'heir', uid: 'heir' } });
    expect(short(planRole(roleObserved({ claims: [claimFor(deleted()), claimFor(heir)] }))).steps).toEqual([]);
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
      const steps = planRole(roleObserved({ claims: [claimFor(deleted()), claimFor(neighbour)] })).steps;
      expect(steps.map((step) => step.do)).toEqual(goes ? ['edit'] : []);
    });

  test('nothing is released because a grant is gone, a binding is suspended, or nobody names the subject', () => {
    const claims = [claimFor(binding(), []), claimFor(other({ spec: { suspend: true } }))];
    const record = present({ policy: policy(SERVICE, own([SUBJECT, OTHER, 'system:serviceaccount:shop:orphan'])) });
    expect(planRole(roleObserved({ record, claims })).steps).toEqual([]);
  });

  test('the former role is released only when the new one works', () => {
    const leaving = binding({ status: { roles: [entry(ARN), entry(OTHER_ARN)], conditions: [] } });
    expect(planRole(roleObserved({ arn: OTHER_ARN, record: { ...present(), arn: OTHER_ARN }, claims: [claimFor(leaving)] }))).toEqual(
      nothing,
    );
  });

  const watched: Record<string, object> = {
    'in mode Observe': { mode: 'Observe' },
    'while suspended': { suspend: true },
    'when somebody else writes the policy': { trustPolicy: 'External' },
  };
  for (const [sentence, part] of Object.entries(watched))
    test(`nothing ${sentence}, and the refusal waits for somebody else`, () => {
      const plan = planRole(roleObserved({ record: without, claims: [claimFor(binding({ spec: part }))] }));
      expect(plan.steps).toEqual([]);
      const [, verdict] = plan.verdicts[0] ?? [];
      expect(verdict?.kind === 'refused' && [verdict.terminal, verdict.wouldWrite?.includes(`add "${SUBJECT}"`)]).toEqual([true, true]);
    });

  for (const path of ['aws-service-role/eks.amazonaws.com/', 'aws-reserved/sso.amazonaws.com/']) {
    test(`nothing to a role under "/${path}", which only AWS may change`, () => {
      const role = arn(`arn:aws:iam::111122223333:role/${path}app`);
      const { binding: one } = claimFor(binding({ spec: { roleArn: role }, status: { roles: [entry(role)] } }));
      const claim = { kind: 'granted', spec: one.spec, grants: [{ grant: 'g', requiredRoleTags: {} }] } as ReturnType<
        typeof claimFor
      >['claim'];
      const record: RoleRecord = { ...without, arn: role };
      expect(short(planRole(roleObserved({ arn: role, claims: [{ binding: one, claim }], record })))).toEqual({
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
    'a subject to release': { claims: [claimFor(deleted())] },
    'one to add and one to release': {
      claims: [claimFor(), claimFor(other({ metadata: { deleting: true } }))],
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
      const back = planRole({ ...seen, now: at, record: present({ policy: decision.document, writtenAt: NOW }, at) });
      expect(short(back).steps).toEqual(['believe']);
      expect(planRole({ ...seen, now: at, record: present({ policy: decision.document }, at) })).toEqual({ ...back, steps: [] });
    });
});

describe('a write is read back', () => {
  const stands = policy(SERVICE, own());
  const lost = policy(SERVICE);
  /** Our write at NOW, last read `age` later, looked at `now` later. */
  const readBack = (age: number, now: number, text: string, part: Partial<RoleObserved> = {}) =>
    short(planRole(roleObserved({ now: NOW + now, record: present({ policy: text, writtenAt: NOW }, NOW + age), ...part })));
  const unanswered = { verdicts: {}, inMs: undefined };

  test('not before 2 s, and nothing is answered until then', () => {
    expect(readBack(0, 500, stands)).toEqual({ steps: [], verdicts: {}, inMs: 1_500 });
    expect(readBack(1_999, 1_999, stands)).toEqual({ steps: [], verdicts: {}, inMs: 1 });
  });
  test('at 2 s', () => expect(readBack(0, 2_000, stands)).toEqual({ ...unanswered, steps: ['read'] }));
  test('and what stands at 2 s is believed', () =>
    expect(readBack(2_000, 2_000, stands)).toEqual({ steps: [], verdicts: { [SUBJECT]: 'allowed' }, inMs: 6_000 }));
  test('what is not there at 2 s may be a stale read: nothing is said and nothing is written', () =>
    expect(readBack(2_000, 2_000, lost)).toEqual({ steps: [], verdicts: {}, inMs: 6_000 }));
  test('once more at 8 s', () => expect(readBack(2_000, 8_000, stands).steps).toEqual(['read']));
  test('and what stands at 8 s is no longer in doubt', () =>
    expect(readBack(8_000, 8_000, stands)).toEqual({ steps: ['believe'], verdicts: { [SUBJECT]: 'allowed' }, inMs: undefined }));
  test('what is not there at 8 s is lost, and written again', () =>
    expect(readBack(8_000, 8_000, lost)).toEqual({
      steps: ['believe', 'edit'],
      verdicts: { [SUBJECT]: 'TrustNoWebIdentityStatement' },
      inMs: undefined,
    }));
  test('an absence at 2 s does not yet say that a subject is released', () => {
    const claims = [claimFor(deleted())];
    expect(readBack(2_000, 2_000, lost, { claims })).toEqual({ steps: [], verdicts: {}, inMs: 6_000 });
    expect(readBack(7_999, 7_999, lost, { claims }).verdicts).toEqual({});
  });
  test('an absence at 8 s does', () =>
    expect(readBack(8_000, 8_000, lost, { claims: [claimFor(deleted())] })).toEqual({
      steps: ['believe'],
      verdicts: { [SUBJECT]: 'released' },
      inMs: undefined,
    }));
});

describe('a hold', () => {
  const paused = finding('RolePaused', 'the role is paused');
  const ungranted = finding('NotGranted', 'no IrsaGrant lets it');
  const until = NOW + 30_000;
  const empty = policy(SERVICE);

  test('of all lets nothing be written, and is the reason', () =>
    expect(short(planRole(roleObserved({ record: present({ policy: empty, hold: { until, all: paused } }) })))).toEqual({
      steps: [],
      verdicts: { [SUBJECT]: 'RolePaused' },
      inMs: 30_000,
    }));
  test('of all does not touch who is allowed already', () =>
    expect(short(planRole(roleObserved({ record: present({ hold: { until, all: paused } }) }))).verdicts).toEqual({
      [SUBJECT]: 'allowed',
    }));
  test('of all is why a deleted binding still stands', () => {
    const seen = roleObserved({ claims: [claimFor(deleted())], record: present({ hold: { until, all: paused } }) });
    expect(short(planRole(seen))).toEqual({ steps: [], verdicts: { [SUBJECT]: 'TrustRevocationBlocked' }, inMs: 30_000 });
  });
  test('of some lets the others be written', () => {
    const record = present({ policy: empty, hold: { until, some: { [SUBJECT]: ungranted } } });
    const plan = planRole(roleObserved({ record, claims: [claimFor(), claimFor(other())] }));
    expect(edited(plan)).toEqual({ wanted: [OTHER], released: [] });
    expect(short(plan).verdicts).toEqual({ [SUBJECT]: 'NotGranted', [OTHER]: 'TrustNoWebIdentityStatement' });
  });
  test('for a missing tag tells nothing of the role: neither its policy nor its size', () => {
    const record = present({ policy: empty, hold: { until, some: { [SUBJECT]: ungranted } } });
    expect(planRole(roleObserved({ record })).verdicts.map(([, verdict]) => verdict)).toEqual([
      { kind: 'refused', finding: ungranted, findings: [ungranted], size: undefined, terminal: true, wouldWrite: undefined },
    ]);
  });
  test('ends at its time', () =>
    expect(short(planRole(roleObserved({ record: present({ policy: empty, hold: { until: NOW, all: paused } }) }))).steps).toEqual([
      'edit',
    ]));
});

describe('a role that is not there', () => {
  const gone = (since: number, asOf: number, foundAs?: string): RoleRecord => ({
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
  test('releases nobody when it was missing once, or twice within 60 s', () => {
    const claims = [claimFor(deleted())];
    for (const age of [0, 59_999])
      expect(short(planRole(roleObserved({ now: NOW + age, claims, record: gone(NOW, NOW + age) }))).verdicts).toEqual({});
  });
  test('releases who is deleted when it was missing twice, 60 s apart', () =>
    expect(
      planRole(roleObserved({ now: NOW + 60_000, claims: [claimFor(deleted())], record: gone(NOW, NOW + 60_000) })).verdicts,
    ).toHaveLength(1));
  test('is no release for who wants it', () =>
    expect(short(planRole(roleObserved({ now: NOW + 60_000, record: gone(NOW, NOW + 60_000) }))).verdicts).toEqual({
      [SUBJECT]: 'RoleNotFound',
    }));
  test('under that path is told with the ARN that IAM knows', () => {
    const [, verdict] = planRole(roleObserved({ record: gone(NOW, NOW, 'arn:aws:iam::111122223333:role/app') })).verdicts[0] ?? [];
    expect(verdict?.kind === 'refused' && [verdict.finding.code, verdict.finding.message]).toEqual([
      'RoleArnMismatch',
      `IAM knows the role "app" as "arn:aws:iam::111122223333:role/app"; the binding says "${ARN}": correct spec.roleArn, path and case count`,
    ]);
  });
});

describe('a role that may not be read', () => {
  const denied: RoleRecord = { arn: ARN, asOf: NOW, state: { kind: 'unreadable', why: 'AccessDenied' } };
  test('is told, and asked for again after 60 s', () => {
    expect(short(planRole(roleObserved({ record: denied })))).toEqual({
      steps: [],
      verdicts: { [SUBJECT]: 'RoleAccessDenied' },
      inMs: 60_000,
    });
    expect(short(planRole(roleObserved({ now: NOW + 60_000, record: denied }))).steps).toEqual(['read']);
  });
  test('releases nobody', () =>
    expect(short(planRole(roleObserved({ claims: [claimFor(deleted())], record: denied }))).verdicts).toEqual({
      [SUBJECT]: 'RoleAccessDenied',
    }));
});
