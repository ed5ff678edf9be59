import { describe, expect, test } from 'vitest';
import { timestamp } from '../../api/condition.ts';
import { finding } from '../../api/finding.ts';
import type { Observed } from '../binding/observed.ts';
import type { Verdict } from '../state/verdict.ts';
import { ARN, allowed, binding, grant, NOW, type ObservedPart, observed, present, question } from '../test-observed.ts';
import {
  afterAnswer,
  askedAnew,
  askNextAt,
  type Proof,
  proofEntry,
  proofOf,
  type StsAnswer,
  verificationOf,
  withTrouble,
} from './proof.ts';

const verifies = binding({ spec: { verification: 'OnChange' } });
const stores = (part: ObservedPart = {}) => observed({ binding: verifies, grants: [grant({ allowVerification: true })], ...part });
const unknown: Verdict = {
  kind: 'unknown',
  message: 'statement 2 may deny it',
  size: { characters: 1, quota: 2 },
  mayStand: false,
  findings: [],
};
const ofHealthy = () => {
  const found = verificationOf(stores());
  return found.kind === 'wanted' ? found.of : '';
};

describe('what is to be proved', () => {
  const cases: Record<string, { seen: Observed; kind: ReturnType<typeof verificationOf>['kind'] }> = {
    'for a binding in order that asks, where its grant allows it': { seen: stores(), kind: 'wanted' },
    'where the trust policy leaves it open: then STS decides': { seen: stores({ verdicts: new Map([[ARN, unknown]]) }), kind: 'wanted' },
    'nothing where it is not asked for': { seen: stores({ binding: binding() }), kind: 'none' },
    'nothing for a binding that observes': {
      seen: stores({ binding: binding({ spec: { verification: 'Periodic', mode: 'Observe' } }) }),
      kind: 'none',
    },
    'nothing for a suspended one': {
      seen: stores({ binding: binding({ spec: { verification: 'Periodic', suspend: true } }) }),
      kind: 'none',
    },
    'nothing for one that is being deleted': {
      seen: stores({ binding: binding({ spec: { verification: 'Periodic' }, metadata: { deleting: true } }) }),
      kind: 'none',
    },
    'nothing where no grant allows it': { seen: stores({ grants: [grant()] }), kind: 'notGranted' },
    'nothing without a grant': { seen: stores({ grants: [] }), kind: 'waiting' },
    'nothing while the trust is being looked at': { seen: stores({ verdicts: new Map() }), kind: 'waiting' },
    'nothing while the provider lacks the audience': {
      seen: stores({ provider: { kind: 'registered', arn: 'x', clientIds: ['other'] } }),
      kind: 'waiting',
    },
    'nothing while the issuer is not known': { seen: stores({ cluster: { kind: 'unknown', why: '' } }), kind: 'waiting' },
    'nothing without a ServiceAccount, of whom there is no token': {
      seen: stores({ serviceAccount: undefined }),
      kind: 'awaitingServiceAccount',
    },
  };
  for (const [sentence, { seen, kind }] of Object.entries(cases)) test(sentence, () => expect(verificationOf(seen).kind).toBe(kind));

  const tagged = { ...grant({ allowVerification: true, requiredRoleTags: { owner: 'shop' } }), name: 'tagged' };
  const having = (tags: Record<string, string> | undefined) =>
    present({ tags: tags && { values: new Map(Object.entries(tags)), asOf: NOW, since: NOW } });
  const proven = binding({
    spec: { verification: 'OnChange' },
    status: { verification: { of: 'x', at: '2026-01-01T00:00:00Z' } },
  });
  const underTags: Record<string, { seen: Observed; is: ReturnType<typeof verificationOf> | 'wanted' }> = {
    'where the role has the tags of the grant that allows it': {
      seen: stores({ grants: [grant(), tagged], role: having({ owner: 'shop' }) }),
      is: 'wanted',
    },
    'not where the role lacks them, whatever the grant says that covers the binding': {
      seen: stores({ grants: [grant(), tagged], role: having({ owner: 'bank' }) }),
      is: { kind: 'notGranted', grants: ['platform'] },
    },
    'not while the tags are not known': {
      seen: stores({ grants: [grant(), tagged], role: having(undefined) }),
      is: { kind: 'notGranted', grants: ['platform'] },
    },
    'not while it is not known whether any grant covers the binding': {
      seen: stores({ grants: [tagged], role: having(undefined) }),
      is: { kind: 'waiting' },
    },
    'still after a start, where it was proven, though the tags are not known yet': {
      seen: stores({ binding: proven, grants: [grant(), tagged], role: having(undefined) }),
      is: 'wanted',
    },
    'not where it was proven and the tags are known to be gone': {
      seen: stores({ binding: proven, grants: [grant(), tagged], role: having({}) }),
      is: { kind: 'notGranted', grants: ['platform'] },
    },
    'where one grant of two with tags allows it, and the role has those of that one': {
      seen: stores({
        grants: [tagged, { ...grant({ requiredRoleTags: { team: 'x' } }), name: 'other' }],
        role: having({ owner: 'shop' }),
      }),
      is: 'wanted',
    },
    'not where the role has those of the other': {
      seen: stores({
        grants: [tagged, { ...grant({ requiredRoleTags: { team: 'x' } }), name: 'other' }],
        role: having({ team: 'x' }),
      }),
      is: { kind: 'notGranted', grants: ['other'] },
    },
  };
  // Contract: prove-opt-in
  for (const [sentence, { seen, is }] of Object.entries(underTags))
    test(`is so ${sentence}`, () => {
      const found = verificationOf(seen);
      expect(found.kind === 'wanted' ? 'wanted' : found).toEqual(is);
    });

  test('is another thing for another role, for the role made again, and when the policy is judged for another reason', () => {
    const others = [
      stores({ role: present({ roleId: 'AROAOTHER' }) }),
      stores({ verdicts: new Map([[ARN, { ...allowed, message: 'somebody else lets it in' }]]) }),
      stores({ verdicts: new Map([[ARN, unknown]]) }),
    ].map((seen) => {
      const found = verificationOf(seen);
      return found.kind === 'wanted' && found.of;
    });
    expect(new Set([ofHealthy(), ...others]).size).toBe(4);
  });
});

const admitted: StsAnswer = { kind: 'admitted' };
const denied: StsAnswer = { kind: 'refused', code: 'AccessDenied', message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity' };
const noToken: StsAnswer = { kind: 'noToken', message: 'forbidden' };
const fresh: Proof = { of: 'x', outcome: undefined, run: undefined };
const standing: Proof = { of: 'x', outcome: { kind: 'proven', at: 0 }, run: undefined };
const failed: Proof = { of: 'x', outcome: { kind: 'refused', at: 0, finding: finding('OrgPolicyDenied', 'no') }, run: undefined };

/** Asks as often as the proof says, up to so many answers; the role was read a moment before each unless said otherwise. */
function run(start: Proof, answers: readonly StsAnswer[], { readAt = (now: number) => now, periodic = false, from = 0 } = {}) {
  let proof = start;
  let now = from;
  const asked: number[] = [];
  for (const answer of answers) {
    const at = askNextAt(proof, periodic);
    if (at === undefined) break;
    now = Math.max(now, at);
    asked.push(now);
    proof = afterAnswer(proof, answer, { now, question: question(), verdict: allowed, roleReadAt: readAt(now) });
  }
  return { asked, proof, outcome: proof.outcome?.kind };
}
const times = (count: number, answer: StsAnswer) => Array.from({ length: count }, () => answer);

describe('a proof', () => {
  // Contract: prove-three
  test('is three successes in a row over 10 s', () => {
    expect(run(fresh, times(9, admitted))).toEqual({
      asked: [0, 5_000, 10_000],
      outcome: 'proven',
      proof: { ...standing, outcome: { kind: 'proven', at: 10_000 } },
    });
  });
  test('begins anew after a refusal, for replicas of STS learn one after the other', () => {
    const { asked, outcome } = run(fresh, [denied, admitted, admitted, denied, admitted, admitted, admitted, admitted]);
    expect([asked.at(-1), outcome]).toEqual([30_000, 'proven']);
  });
  test('is refused when STS still refuses after 60 s', () => {
    const { asked, outcome } = run(fresh, times(30, denied).slice(0, 13));
    expect([asked.length, asked.at(-1), outcome]).toEqual([13, 60_000, 'refused']);
    expect(run(fresh, times(12, denied)).outcome).toBeUndefined();
  });
  test('is not refused before the role was read again: a drift that no sweep has shown yet has its own finding', () => {
    const { asked, outcome } = run(fresh, times(15, denied), { readAt: () => -1 });
    expect([asked.slice(-3), outcome]).toEqual([[60_000, 120_000, 180_000], undefined]);
  });
  test('that failed is tried again after 10 minutes, and one more refusal is enough', () => {
    expect(run(failed, [denied])).toMatchObject({ asked: [600_000], outcome: 'refused' });
    expect(run(failed, [admitted, admitted]).outcome).toBe('refused');
    expect(run(failed, times(3, admitted)).outcome).toBe('proven');
  });
  test('that stands is not asked for again on change alone', () => expect(askNextAt(standing, false)).toBeUndefined());
  // Contract: prove-modes
  test('that stands is asked for again after a day where it is periodic, and stands until STS refuses for 60 s', () => {
    const day = 24 * 3_600_000;
    expect(run(standing, times(3, admitted), { periodic: true })).toMatchObject({
      asked: [day, day + 5_000, day + 10_000],
      outcome: 'proven',
    });
    expect(run(standing, times(12, denied), { periodic: true }).outcome).toBe('proven');
    expect(run(standing, times(13, denied), { periodic: true }).outcome).toBe('refused');
  });
  test('that gets no token is no refusal, and is tried again after 10 minutes', () => {
    expect(run(fresh, [noToken, noToken])).toMatchObject({ asked: [0, 600_000], outcome: 'noToken' });
  });
  // Contract: drift-requested
  test('that failed is asked for again when the user requests a look, and only then', () => {
    const { proof } = run(failed, [denied]);
    const at = 600_000;
    expect(run(askedAnew(proof, at + 1), times(3, admitted), { from: at + 1 })).toMatchObject({
      asked: [at + 1, at + 5_001, at + 10_001],
      outcome: 'proven',
    });
    expect(run(askedAnew(proof, at + 1), [denied], { from: at + 1 })).toMatchObject({ asked: [at + 1], outcome: 'refused' });
    const others = {
      'a request before that answer': proof,
      'one that stands': standing,
      'one under way': run(fresh, [denied]).proof,
      fresh,
    };
    for (const one of Object.values(others)) expect(askedAnew(one, at)).toBe(one);
    expect(askedAnew(failed, undefined)).toBe(failed);
  });
  test('keeps what it has when a call fails, with the reason, and is due at once: the queue backs off', () => {
    const { proof } = run(fresh, [admitted]);
    expect(withTrouble(proof, 'no answer')).toEqual({ ...proof, run: { ...proof.run, trouble: 'no answer' } });
    expect(askNextAt(withTrouble(fresh, 'no answer'), false)).toBeLessThanOrEqual(5_000);
  });
});

describe('a restart of the operator', () => {
  const proven: Proof = { of: 'x', outcome: { kind: 'proven', at: NOW }, run: undefined };
  test('finds the proof that stands in the status', () => {
    const entry = proofEntry(proven);
    expect(entry).toEqual({ of: 'x', at: timestamp(NOW) });
    expect(proofOf('x', undefined, { conditions: [], verification: entry })).toEqual(proven);
  });
  test('does not take the proof of another question for it', () => {
    expect(proofOf('y', proven, { conditions: [], verification: { of: 'x', at: timestamp(NOW) } })).toEqual({ ...fresh, of: 'y' });
  });
  test('leaves no entry of what was refused', () => expect(proofEntry(failed)).toBeUndefined());
});
