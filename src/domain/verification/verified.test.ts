import { describe, expect, test } from 'vitest';
import { conditionOf } from '../../api/condition.ts';
import { finding } from '../../api/finding.ts';
import type { Observed } from '../binding/observed.ts';
import { planBinding } from '../binding/plan.ts';
import type { Verdict } from '../state/verdict.ts';
import { ARN, binding, grant, NOW, type ObservedPart, OTHER_ARN, observed, pod, serviceAccount } from '../test-observed.ts';
import { type Proof, verificationOf } from './proof.ts';

/** What the whole plan makes of a proof. */
const verifies = binding({ spec: { verification: 'OnChange' } });
const undecided: Verdict = {
  kind: 'unknown',
  message: 'statement 2 may deny it',
  size: { characters: 400, quota: 2048 },
  mayStand: true,
  findings: [finding('TrustConditionKeyUnknown', 'statement 2 may deny it')],
};
const refusal = finding('OrgPolicyDenied', 'STS refuses it');

function seen(part: ObservedPart = {}, proof: Omit<Proof, 'of'> | undefined = undefined): Observed {
  const whole = observed({ binding: verifies, grants: [grant({ allowVerification: true })], ...part });
  const found = verificationOf(whole);
  return proof === undefined || found.kind !== 'wanted' ? whole : { ...whole, proof: { of: found.of, ...proof } };
}
const proven: Omit<Proof, 'of'> = { outcome: { kind: 'proven', at: NOW }, run: undefined };
const refused: Omit<Proof, 'of'> = { outcome: { kind: 'refused', at: NOW, finding: refusal }, run: undefined };
const noToken: Omit<Proof, 'of'> = { outcome: { kind: 'noToken', at: NOW, message: 'the API server answered 403' }, run: undefined };

function told(what: Observed) {
  const { status, steps } = planBinding(what);
  const of = (type: Parameters<typeof conditionOf>[1]) => {
    const condition = conditionOf(status.conditions, type);
    return condition && `${condition.status} ${condition.reason}`;
  };
  return {
    steps: steps.map((step) => step.do),
    ready: of('Ready'),
    trusted: of('Trusted'),
    verified: of('Verified'),
    pods: of('PodsCurrent'),
    stalled: of('Stalled'),
  };
}
const good = { steps: [], ready: 'True Ready', trusted: 'True AllowedByOperator', pods: 'True Current', stalled: undefined };
const former = serviceAccount({ 'eks.amazonaws.com/role-arn': OTHER_ARN });

describe('the condition Verified', () => {
  const cases: Record<string, { what: Observed; is: ReturnType<typeof told> }> = {
    'is absent where no proof is asked for': {
      what: observed({ grants: [grant({ allowVerification: true })] }),
      is: { ...good, verified: undefined },
    },
    'is True once STS let the token in': { what: seen({}, proven), is: { ...good, verified: 'True Proved' } },
    'holds Ready back while STS is being asked': {
      what: seen(),
      is: { ...good, ready: 'Unknown Proving', verified: 'Unknown Proving', pods: 'Unknown Waiting' },
    },
    'is False, and stalls, when STS refuses': {
      what: seen({}, refused),
      is: {
        ...good,
        ready: 'False OrgPolicyDenied',
        verified: 'False OrgPolicyDenied',
        pods: 'Unknown Waiting',
        stalled: 'True OrgPolicyDenied',
      },
    },
    'does not hold Ready back where no grant allows it': {
      what: seen({ grants: [grant()] }),
      is: { ...good, verified: 'Unknown VerificationNotGranted' },
    },
    'does not hold Ready back where config/verification is missing': {
      what: seen({}, noToken),
      is: { ...good, verified: 'Unknown VerificationNotInstalled' },
    },
    'does not hold Ready back while the ServiceAccount is missing': {
      what: seen({ serviceAccount: undefined, pods: [] }),
      is: { ...good, ready: 'True AwaitingServiceAccount', verified: 'Unknown AwaitingServiceAccount', pods: 'True NoPods' },
    },
    'holds Ready back while the role is not read': {
      what: seen({ role: undefined }),
      is: { ...good, ready: 'Unknown Proving', verified: 'Unknown Proving', pods: 'Unknown Waiting' },
    },
    'waits for the steps before it': {
      what: seen({ verdicts: new Map() }),
      is: { ...good, ready: 'Unknown Pending', trusted: 'Unknown Pending', verified: 'Unknown Waiting', pods: 'Unknown Waiting' },
    },
  };
  for (const [sentence, { what, is }] of Object.entries(cases)) test(sentence, () => expect(told(what)).toEqual(is));

  test('leaves in the status what was proved, and nothing of what was not', () => {
    const of = (what: Observed) => planBinding(what).status.verification;
    expect(of(seen({}, proven))).toEqual({ of: expect.stringMatching(/^[0-9a-f]{16}$/), at: '2026-01-01T12:00:00Z' });
    expect([of(seen({}, refused)), of(seen()), of(observed())]).toEqual([undefined, undefined, undefined]);
  });
});

describe('where the trust policy leaves it open', () => {
  const open = { verdicts: new Map([[ARN, undecided]]), serviceAccount: former };
  const waiting = { steps: [], pods: 'Unknown Waiting', verified: 'Unknown Waiting', stalled: undefined };
  const cases: Record<string, { what: Observed; is: ReturnType<typeof told> }> = {
    'nothing goes on before STS has spoken': {
      what: seen(open),
      is: { ...waiting, ready: 'Unknown Undecidable', trusted: 'Unknown Undecidable' },
    },
    'STS says yes: trusted, and on it goes': {
      what: seen(open, proven),
      is: {
        steps: ['annotate'],
        ready: 'False AnnotationRoleMismatch',
        trusted: 'True Proved',
        verified: 'Unknown Waiting',
        pods: 'Unknown Waiting',
        stalled: undefined,
      },
    },
    'STS says no: not trusted, and nothing is annotated': {
      what: seen(open, refused),
      is: { ...waiting, ready: 'False OrgPolicyDenied', trusted: 'False OrgPolicyDenied', stalled: 'True OrgPolicyDenied' },
    },
    'nobody may ask STS: it stays open, and stalls': {
      what: seen(open, noToken),
      is: { ...waiting, ready: 'Unknown Undecidable', trusted: 'Unknown Undecidable', stalled: 'True Undecidable' },
    },
    'the grant does not allow to ask: it stays open, and stalls': {
      what: seen({ ...open, grants: [grant()] }),
      is: { ...waiting, ready: 'Unknown Undecidable', trusted: 'Unknown Undecidable', stalled: 'True Undecidable' },
    },
  };
  for (const [sentence, { what, is }] of Object.entries(cases)) test(sentence, () => expect(told(what)).toEqual(is));
});

describe('pods that lack the role', () => {
  const stale = pod({}, {});
  const at = (ms: number) => new Date(ms).toISOString();
  const trusted = { type: 'Trusted', status: 'True', reason: 'AllowedByOperator', message: '', observedGeneration: 1 } as const;
  const one = binding({
    spec: { verification: 'OnChange' },
    status: { conditions: [{ ...trusted, lastTransitionTime: at(NOW - 2_000) }] },
  });
  const begins = (what: Observed) => (planBinding(what).status.restarts ?? []).length > 0;
  test('wait for the proof', () => expect(begins(seen({ binding: one, pods: [stale] }))).toBe(false));
  test('are restarted when it succeeds, though the trust is not 10 s old: STS knows of it', () =>
    expect(begins(seen({ binding: one, pods: [stale] }, proven))).toBe(true));
  test('wait for the webhook all the same, of which STS knows nothing', () => {
    const account = serviceAccount();
    const key = 'eks.amazonaws.com/role-arn';
    const justNow = { ...account, writers: { [key]: [{ manager: 'irsa-operator', at: NOW - 1_000 }] } };
    expect(begins(seen({ binding: one, pods: [stale], serviceAccount: justNow }, proven))).toBe(false);
  });
  test('are left alone where STS refuses: new ones would be refused too', () =>
    expect(begins(seen({ binding: one, pods: [stale] }, refused))).toBe(false));
  test('are restarted 10 s after trust where no proof can be had', () => {
    expect(begins(seen({ binding: one, pods: [stale] }, noToken))).toBe(false);
    expect(begins({ ...seen({ binding: one, pods: [stale] }, noToken), now: NOW + 10_000 })).toBe(true);
  });
});
