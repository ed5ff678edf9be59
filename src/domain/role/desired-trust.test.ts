import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import { conditionsFrom } from '../../api/condition.ts';
import { problem } from '../../api/problem.ts';
import type { Loss } from '../authorization/grant-loss.ts';
import type { ProviderView, RoleRecord } from '../binding/observed.ts';
import {
  ARN,
  arn,
  binding,
  claimFor,
  entry,
  grant,
  ISSUER,
  NOW,
  OTHER_ARN,
  present,
  provider,
  question,
  ROLE_ID,
} from '../test-observed.ts';
import { asks, questionKey, type Stance, stancesOf, waits } from './desired-trust.ts';

const world = (part: { now?: number; arn?: typeof ARN; record?: RoleRecord | undefined; provider?: ProviderView | undefined } = {}) => ({
  now: NOW,
  arn: ARN,
  issuer: ISSUER,
  record: present(),
  provider,
  ...part,
});
const ready = (status: 'True' | 'False', generation = 1) => ({
  conditions: conditionsFrom({ Ready: { status, reason: 'x', message: '' } }, [], generation, NOW),
});
const leaving = { roles: [entry(OTHER_ARN)] };
const deleting = { deleting: true };

interface Case {
  readonly binding: IrsaBinding;
  readonly ungranted?: true;
  readonly loss?: Loss;
  readonly world?: Parameters<typeof world>[0];
  readonly kind: Stance['kind'] | undefined;
}

const cases: Record<string, Case> = {
  'wants the role when finalizer and entry are on the API server': { binding: binding(), kind: 'wanted' },
  // Contract: trust-intent-first
  'intends only, without the finalizer': { binding: binding({ metadata: { finalizers: [] } }), kind: 'intending' },
  // Contract: trust-intent-first
  'intends only, without the entry': { binding: binding({ status: { roles: [] } }), kind: 'intending' },
  // Contract: trust-recreated
  'intends only, when the role was made again and has another ID': {
    binding: binding(),
    world: { record: present({ roleId: 'AROANEW' }) },
    kind: 'intending',
  },
  'intends only, while the role was not read': { binding: binding(), world: { record: undefined }, kind: 'intending' },
  'keeps what stands while the provider is not registered': {
    binding: binding(),
    world: { provider: { kind: 'missing', similar: [] } },
    kind: 'kept',
  },
  'expects, while the provider was not asked for': { binding: binding(), world: { provider: undefined }, kind: 'expecting' },
  'expects, while the provider cannot be read': {
    binding: binding(),
    world: { provider: { kind: 'unreadable', why: 'throttled' } },
    kind: 'expecting',
  },
  'keeps what stands while the provider lacks the audience': {
    binding: binding(),
    world: { provider: { kind: 'registered', arn: 'x', clientIds: ['sigstore'] } },
    kind: 'kept',
  },
  'keeps what stands when no grant covers it any more': { binding: binding(), ungranted: true, kind: 'kept' },
  'watches in mode Observe': { binding: binding({ spec: { mode: 'Observe' } }), kind: 'watched' },
  'keeps what stands until its grant has been gone for long enough': {
    binding: binding(),
    ungranted: true,
    loss: { since: NOW - 59_999, dueAt: NOW + 1, paused: undefined },
    kind: 'kept',
  },
  'releases what stands when its grant has been gone for long enough': {
    binding: binding(),
    ungranted: true,
    loss: { since: NOW - 60_000, dueAt: NOW, paused: undefined },
    kind: 'released',
  },
  'keeps what stands while too many lost their grant': {
    binding: binding(),
    ungranted: true,
    loss: { since: NOW - 3_600_000, dueAt: undefined, paused: undefined },
    kind: 'kept',
  },
  'watches a trust policy that somebody else writes': {
    binding: binding({ spec: { trustPolicy: 'External' }, status: { roles: [] } }),
    kind: 'watched',
  },
  'yields to somebody else who writes the policy by now': { binding: binding({ spec: { trustPolicy: 'External' } }), kind: 'yielding' },
  'watches while suspended': { binding: binding({ spec: { suspend: true } }), kind: 'watched' },
  'releases when it is deleted': { binding: binding({ metadata: deleting }), kind: 'released' },
  'releases when it is deleted, also without a grant': { binding: binding({ metadata: deleting }), ungranted: true, kind: 'released' },
  'keeps when it is deleted and says Retain': {
    binding: binding({ metadata: deleting, spec: { deletionPolicy: 'Retain' } }),
    kind: 'kept',
  },
  'keeps when it is deleted while suspended': { binding: binding({ metadata: deleting, spec: { suspend: true } }), kind: 'kept' },
  'keeps when it is deleted in mode Observe': { binding: binding({ metadata: deleting, spec: { mode: 'Observe' } }), kind: 'kept' },
  'says nothing of a role on which it never stood, when it is deleted': {
    binding: binding({ metadata: deleting, status: { roles: [] } }),
    kind: undefined,
  },
  'releases the former role when the new one works': {
    binding: binding({ status: { ...leaving, ...ready('True') } }),
    world: { arn: OTHER_ARN },
    kind: 'released',
  },
  'keeps the former role until the new one works': {
    binding: binding({ status: { ...leaving, ...ready('False') } }),
    world: { arn: OTHER_ARN },
    kind: 'kept',
  },
  'keeps the former role while Ready speaks of the former generation': {
    binding: binding({ metadata: { generation: 2 }, status: { ...leaving, ...ready('True', 1) } }),
    world: { arn: OTHER_ARN },
    kind: 'kept',
  },
  'keeps the former role while suspended': {
    binding: binding({ spec: { suspend: true }, status: { ...leaving, ...ready('True') } }),
    world: { arn: OTHER_ARN },
    kind: 'kept',
  },
  'says nothing where its spec cannot be read': { binding: { ...binding(), spec: problem('"x" is no ARN') }, kind: undefined },
};
for (const [sentence, { binding: one, ungranted, loss, world: part, kind }] of Object.entries(cases))
  test(`a binding ${sentence}`, () => {
    const claim = { ...claimFor(one, ungranted ? [] : [grant()]), loss };
    expect(stancesOf(claim, world(part)).map((stance) => stance.kind)).toEqual(kind === undefined ? [] : [kind]);
  });

describe('a binding that changed its audience', () => {
  const former = entry(ARN, ROLE_ID, 'sigstore');
  const kinds = (one: IrsaBinding) => stancesOf(claimFor(one), world()).map(({ kind, question: { audience } }) => [kind, audience]);
  test('stands for the former one until the new one works', () =>
    expect(kinds(binding({ status: { roles: [entry(), former], ...ready('False') } }))).toEqual([
      ['wanted', 'sts.amazonaws.com'],
      ['kept', 'sigstore'],
    ]));
  test('releases the former one after that', () =>
    expect(kinds(binding({ status: { roles: [entry(), former], ...ready('True') } }))).toEqual([
      ['wanted', 'sts.amazonaws.com'],
      ['released', 'sigstore'],
    ]));
  test('releases both when it is deleted', () =>
    expect(kinds(binding({ metadata: deleting, status: { roles: [entry(), former] } }))).toEqual([
      ['released', 'sts.amazonaws.com'],
      ['released', 'sigstore'],
    ]));
});

test('a stance carries the question, the age and the tags that each grant asks for', () => {
  const claim = claimFor(binding(), [grant({ requiredRoleTags: { owner: 'shop' } }), grant()]);
  expect(stancesOf(claim, world())).toEqual([
    {
      kind: 'wanted',
      question: question(),
      binding: claim.binding,
      stands: true,
      consents: [{ owner: 'shop' }, {}],
      lost: undefined,
    },
  ]);
});

const kinds: Record<Stance['kind'], { asks: boolean; waits: boolean }> = {
  wanted: { asks: true, waits: true },
  intending: { asks: true, waits: true },
  expecting: { asks: false, waits: false },
  watched: { asks: true, waits: true },
  yielding: { asks: true, waits: true },
  withheld: { asks: false, waits: false },
  disowned: { asks: false, waits: false },
  released: { asks: false, waits: true },
  kept: { asks: false, waits: false },
};
for (const [kind, expected] of Object.entries(kinds) as [Stance['kind'], (typeof kinds)['kept']][])
  test(`who has ${kind} the role ${expected.waits ? 'waits for an answer' : 'waits for nothing'}`, () => {
    const stance: Stance = { kind, question: question(), binding: binding(), stands: true, consents: [], lost: undefined };
    expect({ asks: asks(stance), waits: waits(stance) }).toEqual(expected);
  });

test('each part of a question makes another key', () => {
  const questions = [
    question(),
    question({ role: arn('arn:aws:iam::111122223333:role/other') }),
    question({ audience: 'sigstore' }),
    question({ subject: claimSubject() }),
  ];
  expect(new Set(questions.map(questionKey)).size).toBe(questions.length);
});

function claimSubject() {
  const [stance] = stancesOf(claimFor(binding({ spec: { serviceAccountName: 'other' } })), world());
  if (stance === undefined) throw new Error('a healthy binding has a stance');
  return stance.question.subject;
}
