import { expect, test } from 'vitest';
import { FOREIGN, hostOf, policy, providerOf } from '../../harness/policies.ts';
import type { Binding, Grant } from '../../harness/views.ts';
import { Authorization, type Moment } from './authorization.ts';
import type { Recorded } from './look.ts';
import { arnOf, subjectOf } from './world.ts';

/** What is judged after every step has to see what is wrong: a course of moments in each case, in seconds. */
const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/TEST';
const ALPHA = arnOf('alpha');
const APP = subjectOf('walk-a', 'app');
const AUDIENCE = 'sts.amazonaws.com';

function document(subjects: readonly string[]): string {
  const keys = { [`${hostOf(ISSUER)}:aud`]: AUDIENCE, [`${hostOf(ISSUER)}:sub`]: subjects };
  const ours = {
    Sid: 'Irsaabcdefghijkl',
    Effect: 'Allow' as const,
    Principal: { Federated: providerOf(ISSUER) },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: keys },
  };
  return JSON.stringify(subjects.length === 0 ? FOREIGN : policy(...FOREIGN.Statement, ours));
}

const GRANT: Grant = {
  spec: {
    roleArns: [ALPHA],
    namespaces: { names: ['walk-a'] },
    serviceAccountNames: ['*'],
    audiences: [AUDIENCE],
    requiredRoleTags: {},
  },
};
const BINDING: Binding = {
  metadata: {
    name: 'app-1',
    namespace: 'walk-a',
    uid: 'u',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: {
    serviceAccountName: 'app',
    roleArn: ALPHA,
    mode: 'Enforce',
    audience: AUDIENCE,
    trustPolicy: 'Managed',
    deletionPolicy: 'Revoke',
    suspend: false,
    restart: { strategy: 'Evict' },
  },
};

interface Part {
  readonly at: number;
  readonly granted?: boolean;
  readonly bound?: boolean;
  readonly stands?: boolean;
  readonly sent?: readonly string[][];
  readonly loss?: Partial<Recorded>;
  readonly others?: number;
  readonly startedAt?: number;
  readonly confirmedAt?: number;
}

const loss = (part: Partial<Recorded>): Recorded => ({ role: ALPHA, subject: APP, audience: AUDIENCE, cause: 'grant', since: 0, ...part });

function moment({
  at,
  granted = true,
  bound = true,
  stands = true,
  sent = [],
  others = 0,
  startedAt = 0,
  confirmedAt = -1,
  ...part
}: Part): Moment {
  const many = Array.from({ length: others }, (_, n) => loss({ subject: subjectOf(`other-${n}`, 'app'), since: 0 }));
  return {
    now: at * 1_000,
    seen: {
      bindings: bound ? [BINDING] : [],
      grants: granted ? [GRANT] : [],
      labels: new Map(),
      accounts: new Map(),
      pods: new Map(),
      roles: new Map([[ALPHA, { tags: {}, text: document(stands ? [APP] : []) }]]),
      issuer: ISSUER,
    },
    record: [...many, ...(part.loss === undefined ? [] : [loss(part.loss)])],
    sent: sent.map((subjects) => ({ role: ALPHA, text: document(subjects) })),
    startedAt: startedAt * 1_000,
    confirmedAt: confirmedAt * 1_000,
  };
}

const lost = { granted: false, loss: {} };
const cases: Record<string, [course: Part[], wrong: RegExp | undefined]> = {
  'what is granted stands': [[{ at: 0 }, { at: 500 }], undefined],
  'what lost its grant stands for its grace': [[{ at: 0 }, { at: 10, ...lost }, { at: 180, ...lost }], undefined],
  'what lost its grant stands no longer than that': [
    [{ at: 0 }, { at: 10, ...lost }, { at: 200, ...lost }],
    /no grant for 190 s, and stands/,
  ],
  'a grant that comes back ends the loss': [
    [{ at: 0 }, { at: 10, ...lost }, { at: 100 }, { at: 110, ...lost }, { at: 250, ...lost }],
    undefined,
  ],
  'a binding is not needed for it': [
    [{ at: 0 }, { at: 10, bound: false, ...lost }, { at: 200, bound: false, ...lost }],
    /no grant for 190 s, and stands/,
  ],
  'a loss is written down': [[{ at: 0 }, { at: 10, granted: false }, { at: 110, granted: false }], /the record does not know/],
  'an operator that was started anew has its time': [
    [{ at: 0 }, { at: 10, granted: false }, { at: 110, granted: false, startedAt: 100 }],
    undefined,
  ],
  'many losses pause it': [[{ at: 0 }, { at: 10, ...lost, others: 10 }, { at: 200, ...lost, others: 10 }], undefined],
  'a confirmation ends the pause': [
    [{ at: 0 }, { at: 10, ...lost, others: 10 }, { at: 200, ...lost, others: 10, confirmedAt: 20 }],
    /and stands/,
  ],
  'what was seen to be covered does not count as unseen': [
    [{ at: 0 }, { at: 95 }, { at: 100, granted: false, loss: { cause: 'unseen' } }],
    /counts as unseen/,
  ],
  'what was covered for a moment may count as unseen': [[{ at: 0 }, { at: 50, granted: false, loss: { cause: 'unseen' } }], undefined],
  'what is unseen stands for a day': [
    [
      { at: 0, granted: false, loss: { cause: 'unseen' } },
      { at: 5_000, granted: false, loss: { cause: 'unseen' } },
    ],
    undefined,
  ],
  'what is granted and asked for is not taken out': [[{ at: 0 }, { at: 20, sent: [[], [APP]] }], /was taken out/],
  'what was just granted may not be known yet': [[{ at: 0 }, { at: 5, sent: [[], [APP]] }], undefined],
  'what no binding asks for may be taken out': [
    [
      { at: 0, bound: false },
      { at: 20, bound: false, stands: false, sent: [[]] },
    ],
    undefined,
  ],
};
for (const [sentence, [course, wrong]] of Object.entries(cases))
  test(sentence, () => {
    const authorization = new Authorization();
    for (const part of course) authorization.judge(moment(part));
    if (wrong === undefined) expect(authorization.wrong).toEqual([]);
    else expect(authorization.wrong.join('\n')).toMatch(wrong);
  });

test('what was taken out for want of a grant is counted', () => {
  const authorization = new Authorization();
  for (const part of [{ at: 0 }, { at: 10, ...lost }, { at: 80, ...lost, stands: false, sent: [[]] }]) authorization.judge(moment(part));
  expect([authorization.revoked, authorization.wrong]).toEqual([1, []]);
});
