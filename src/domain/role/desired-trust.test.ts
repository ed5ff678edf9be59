import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import { conditionsFrom } from '../../api/condition.ts';
import { problem } from '../../api/problem.ts';
import { subjectKey } from '../../api/subject.ts';
import type { DueLoss } from '../authorization/loss.ts';
import type { ProviderView } from '../state/oidc-provider.ts';
import { questionKey } from '../state/question.ts';
import type { RoleRecord } from '../state/role-record.ts';

import {
  ARN,
  arn,
  authorizationFor,
  binding,
  entry,
  grant,
  ISSUER,
  loss,
  NOW,
  OTHER_ARN,
  present,
  provider,
  question,
  ROLE_ID,
  spec,
} from '../test-observed.ts';
import { awaitsAnswer, type DesiredTrust, desiredTrustOf, needsVerdict } from './desired-trust.ts';

const stores = ({
  losses = [],
  ...part
}: {
  now?: number;
  arn?: typeof ARN;
  record?: RoleRecord | undefined;
  provider?: ProviderView | undefined;
  losses?: readonly DueLoss[];
} = {}) => ({
  now: NOW,
  arn: ARN,
  issuer: ISSUER,
  record: present(),
  provider,
  ...part,
  losses: new Map(losses.map((one) => [subjectKey(one), one])),
});
const ready = (status: 'True' | 'False', generation = 1) => ({
  conditions: conditionsFrom({ Ready: { status, reason: 'x', message: '' } }, [], generation, NOW),
});
const leaving = { roles: [entry(OTHER_ARN)] };
const deleting = { deleting: true };

interface Case {
  readonly binding: IrsaBinding;
  readonly ungranted?: true;
  readonly lost?: DueLoss;
  readonly stores?: Parameters<typeof stores>[0];
  readonly kind: DesiredTrust['kind'] | undefined;
}

const cases: Record<string, Case> = {
  'wants the role when finalizer and entry are on the API server': { binding: binding(), kind: 'ensure' },
  // Contract: trust-intent-first
  'intends only, without the finalizer': { binding: binding({ metadata: { finalizers: [] } }), kind: 'awaitIntent' },
  // Contract: trust-intent-first
  'intends only, without the entry': { binding: binding({ status: { roles: [] } }), kind: 'awaitIntent' },
  // Contract: trust-recreated
  'intends only, when the role was made again and has another ID': {
    binding: binding(),
    stores: { record: present({ roleId: 'AROANEW' }) },
    kind: 'awaitIntent',
  },
  'intends only, while the role was not read': { binding: binding(), stores: { record: undefined }, kind: 'awaitIntent' },
  'keeps what stands while the provider is not registered': {
    binding: binding(),
    stores: { provider: { kind: 'missing', similar: [] } },
    kind: 'retain',
  },
  'expects, while the provider was not asked for': { binding: binding(), stores: { provider: undefined }, kind: 'awaitProvider' },
  'expects, while the provider cannot be read': {
    binding: binding(),
    stores: { provider: { kind: 'unreadable', why: 'throttled' } },
    kind: 'awaitProvider',
  },
  'keeps what stands while the provider lacks the audience': {
    binding: binding(),
    stores: { provider: { kind: 'registered', arn: 'x', clientIds: ['sigstore'] } },
    kind: 'retain',
  },
  'keeps what stands when no grant covers it any more': { binding: binding(), ungranted: true, kind: 'retain' },
  'watches in mode Observe': { binding: binding({ spec: { mode: 'Observe' } }), kind: 'observe' },
  'keeps what stands until its grant has been gone for long enough': {
    binding: binding(),
    ungranted: true,
    lost: loss({ dueAt: NOW + 1 }),
    kind: 'retain',
  },
  'releases what stands when its grant has been gone for long enough': {
    binding: binding(),
    ungranted: true,
    lost: loss(),
    kind: 'revoke',
  },
  'keeps what stands while too many lost their grant': {
    binding: binding(),
    ungranted: true,
    lost: loss({ dueAt: undefined }),
    kind: 'retain',
  },
  'watches a trust policy that somebody else writes': {
    binding: binding({ spec: { trustPolicy: 'External' }, status: { roles: [] } }),
    kind: 'observe',
  },
  'yields to somebody else who writes the policy by now': {
    binding: binding({ spec: { trustPolicy: 'External' } }),
    kind: 'releaseWhenRedundant',
  },
  'watches while suspended': { binding: binding({ spec: { suspend: true } }), kind: 'observe' },
  'releases when it is deleted': { binding: binding({ metadata: deleting }), kind: 'revoke' },
  'releases when it is deleted, also without a grant': { binding: binding({ metadata: deleting }), ungranted: true, kind: 'revoke' },
  'keeps when it is deleted and says Retain': {
    binding: binding({ metadata: deleting, spec: { deletionPolicy: 'Retain' } }),
    kind: 'retain',
  },
  'keeps when it is deleted while suspended': { binding: binding({ metadata: deleting, spec: { suspend: true } }), kind: 'retain' },
  'keeps when it is deleted in mode Observe': { binding: binding({ metadata: deleting, spec: { mode: 'Observe' } }), kind: 'retain' },
  'says nothing of a role on which it never stood, when it is deleted': {
    binding: binding({ metadata: deleting, status: { roles: [] } }),
    kind: undefined,
  },
  'releases the former role when the new one works': {
    binding: binding({ status: { ...leaving, ...ready('True') } }),
    stores: { arn: OTHER_ARN },
    kind: 'revoke',
  },
  'keeps the former role until the new one works': {
    binding: binding({ status: { ...leaving, ...ready('False') } }),
    stores: { arn: OTHER_ARN },
    kind: 'retain',
  },
  'keeps the former role while Ready speaks of the former generation': {
    binding: binding({ metadata: { generation: 2 }, status: { ...leaving, ...ready('True', 1) } }),
    stores: { arn: OTHER_ARN },
    kind: 'retain',
  },
  'keeps the former role while suspended': {
    binding: binding({ spec: { suspend: true }, status: { ...leaving, ...ready('True') } }),
    stores: { arn: OTHER_ARN },
    kind: 'retain',
  },
  'says nothing where its spec cannot be read': { binding: { ...binding(), spec: problem('"x" is no ARN') }, kind: undefined },
};
for (const [sentence, { binding: one, ungranted, lost, stores: part, kind }] of Object.entries(cases))
  test(`a binding ${sentence}`, () => {
    const authorization = authorizationFor(one, ungranted ? [] : [grant()]);
    const input = stores({ ...part, losses: lost === undefined ? [] : [lost] });
    expect(desiredTrustOf(authorization, input).map((desired) => desired.kind)).toEqual(kind === undefined ? [] : [kind]);
  });

/** What a namespace may write to keep what it has. */
const edits: Record<string, { part: Parameters<typeof binding>[0]; role?: typeof ARN }> = {
  'changes its role to one that no grant covers': { part: { spec: { roleArn: OTHER_ARN } } },
  'changes its audience': { part: { spec: { audience: 'sigstore' } } },
  'changes its spec once more': { part: { metadata: { generation: 7 } } },
  'takes its finalizer away': { part: { metadata: { finalizers: [] } } },
  'is suspended': { part: { spec: { suspend: true } } },
  'only observes': { part: { spec: { mode: 'Observe' } } },
  'leaves the policy to somebody else': { part: { spec: { trustPolicy: 'External' } } },
  'is suspended while it leaves its role': { part: { spec: { roleArn: OTHER_ARN, suspend: true } } },
  'is deleted and says Retain': { part: { metadata: deleting, spec: { deletionPolicy: 'Retain' } } },
  'is deleted while suspended': { part: { metadata: deleting, spec: { suspend: true } } },
  'is deleted in mode Observe': { part: { metadata: deleting, spec: { mode: 'Observe' } } },
  'is deleted without its finalizer': { part: { metadata: { ...deleting, finalizers: [] }, spec: { deletionPolicy: 'Retain' } } },
};
// Contract: rule-entry-by-entry
for (const [sentence, { part }] of Object.entries(edits))
  test(`a binding whose grant went loses its trust in time though it ${sentence}`, () => {
    const kinds = (dueAt: number) =>
      desiredTrustOf(authorizationFor(binding(part), []), stores({ losses: [loss({ dueAt })] })).flatMap(
        ({ kind, question: { audience } }) => (audience === 'sts.amazonaws.com' ? [kind] : []),
      );
    expect([kinds(NOW + 1), kinds(NOW)]).toEqual([['retain'], ['revoke']]);
  });

describe('a binding that changed its audience', () => {
  const former = entry(ARN, ROLE_ID, 'sigstore');
  const kinds = (one: IrsaBinding) =>
    desiredTrustOf(authorizationFor(one), stores()).map(({ kind, question: { audience } }) => [kind, audience]);
  test('stands for the former one until the new one works', () =>
    expect(kinds(binding({ status: { roles: [entry(), former], ...ready('False') } }))).toEqual([
      ['ensure', 'sts.amazonaws.com'],
      ['retain', 'sigstore'],
    ]));
  test('releases the former one after that', () =>
    expect(kinds(binding({ status: { roles: [entry(), former], ...ready('True') } }))).toEqual([
      ['ensure', 'sts.amazonaws.com'],
      ['revoke', 'sigstore'],
    ]));
  test('releases both when it is deleted', () =>
    expect(kinds(binding({ metadata: deleting, status: { roles: [entry(), former] } }))).toEqual([
      ['revoke', 'sts.amazonaws.com'],
      ['revoke', 'sigstore'],
    ]));
});

test('a desired trust carries the question, the age and the tags that each grant asks for', () => {
  const authorization = authorizationFor(binding(), [grant({ requiredRoleTags: { owner: 'shop' } }), grant()]);
  expect(desiredTrustOf(authorization, stores())).toEqual([
    {
      kind: 'ensure',
      question: question(),
      binding: authorization.binding,
      spec: spec(),
      mayStand: true,
      requiredTags: [{ owner: 'shop' }, {}],
      loss: undefined,
    },
  ]);
});

const kinds: Record<DesiredTrust['kind'], { needsVerdict: boolean; awaitsAnswer: boolean }> = {
  ensure: { needsVerdict: true, awaitsAnswer: true },
  awaitIntent: { needsVerdict: true, awaitsAnswer: true },
  awaitProvider: { needsVerdict: false, awaitsAnswer: false },
  observe: { needsVerdict: true, awaitsAnswer: true },
  releaseWhenRedundant: { needsVerdict: true, awaitsAnswer: true },
  tagsMissing: { needsVerdict: false, awaitsAnswer: false },
  revoke: { needsVerdict: false, awaitsAnswer: true },
  retain: { needsVerdict: false, awaitsAnswer: false },
};
for (const [kind, expected] of Object.entries(kinds) as [DesiredTrust['kind'], (typeof kinds)['retain']][])
  test(`desired trust of the kind ${kind} ${expected.awaitsAnswer ? 'waits for an answer' : 'waits for nothing'}`, () => {
    const desired: DesiredTrust = {
      kind,
      question: question(),
      binding: binding(),
      spec: spec(),
      mayStand: true,
      requiredTags: [],
      loss: undefined,
    };
    expect({ needsVerdict: needsVerdict(desired), awaitsAnswer: awaitsAnswer(desired) }).toEqual(expected);
  });

test('each part of a question makes another key', () => {
  const questions = [
    question(),
    question({ role: arn('arn:aws:iam::111122223333:role/other') }),
    question({ audience: 'sigstore' }),
    question({ subject: otherSubject() }),
  ];
  expect(new Set(questions.map(questionKey)).size).toBe(questions.length);
});

function otherSubject() {
  const [desired] = desiredTrustOf(authorizationFor(binding({ spec: { serviceAccountName: 'other' } })), stores());
  if (desired === undefined) throw new Error('a healthy binding desires trust');
  return desired.question.subject;
}
