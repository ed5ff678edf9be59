import { describe, expect, test } from 'vitest';
import type { RoleEntry } from '../../api/binding.ts';
import type { ServiceAccount } from '../../api/cluster.ts';
import { type Condition, conditionOf, conditionsFrom } from '../../api/condition.ts';
import { finding } from '../../api/finding.ts';
import { ANNOTATIONS, EKS_ANNOTATIONS, FINALIZER } from '../../api/names.ts';
import { problem } from '../../api/problem.ts';
import type { Verdict } from '../state/verdict.ts';
import {
  ARN,
  allowed,
  binding,
  entry,
  grant,
  NOW,
  type ObservedPart,
  OTHER_ARN,
  observed,
  ROLE_ID,
  SUBJECT,
  serviceAccount,
} from '../test-observed.ts';
import type { Observed } from './observed.ts';
import { planBinding } from './plan.ts';

type Part = NonNullable<Parameters<typeof binding>[0]>;

const released: Verdict = { kind: 'released' };
const going = (part: Part = {}) => binding({ ...part, metadata: { deleting: true, ...part.metadata } });
const successor = (part: Part = {}) => binding({ ...part, metadata: { name: 'successor', uid: 'successor', ...part.metadata } });
/** A binding that is being deleted, its subject still in the trust policy. */
function deleted(part: Part = {}, seen: ObservedPart = {}): Observed {
  const one = going(part);
  return observed({ binding: one, competingBindings: [one, ...(seen.competingBindings ?? [])], ...without(seen) });
}
const without = ({ competingBindings: _, ...rest }: ObservedPart) => rest;
const stepsOf = (seen: Observed) => planBinding(seen).steps.map((step) => step.do);
const isReleased = { verdicts: new Map<string, Verdict>([[ARN, released]]) };
const unmarked = serviceAccount({});

describe('Revoke', () => {
  test('waits until the subject is released, and says so', () => {
    const { steps, status } = planBinding(deleted());
    expect(steps).toEqual([]);
    expect(status.roles).toEqual([entry()]);
    expect(conditionOf(status.conditions, 'Reconciling')).toMatchObject({ reason: 'Releasing', message: 'see condition Trusted' });
    expect(conditionOf(status.conditions, 'Trusted')).toEqual({
      type: 'Trusted',
      status: 'Unknown',
      reason: 'Releasing',
      message: `removing the subject of this binding from the trust policy of "${ARN}"`,
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T12:00:00Z',
    });
  });
  // Contract: end-unreachable
  test('says why where IAM could not be asked, and that it is tried again', () => {
    const { status } = planBinding(deleted({}, { failureOf: (of) => (of === ARN ? 'iam:GetRole: ServiceUnavailable' : undefined) }));
    expect(conditionOf(status.conditions, 'Trusted')).toMatchObject({
      status: 'Unknown',
      reason: 'Releasing',
      message: `removing the subject of this binding from the trust policy of "${ARN}". The last attempt failed: iam:GetRole: ServiceUnavailable`,
    });
  });
  test('names the reason while the release is refused', () => {
    const found = finding('TrustRevocationBlocked', 'statement 2 names a principal that was deleted');
    const refused: Verdict = {
      kind: 'refused',
      finding: found,
      findings: [found],
      size: undefined,
      terminal: false,
      wouldWrite: undefined,
      mayStand: true,
    };
    const { steps, status } = planBinding(deleted({}, { verdicts: new Map([[ARN, refused]]) }));
    expect(steps).toEqual([]);
    expect(conditionOf(status.conditions, 'Ready')?.reason).toBe('TrustRevocationBlocked');
    expect(conditionOf(status.conditions, 'Ready')?.message).toBe(
      'Remove what keeps irsa-operator from writing the trust policy. See condition Trusted',
    );
    expect(conditionOf(status.conditions, 'Trusted')?.message).toBe(found.message);
    expect(status.findings).toEqual([{ code: found.code, severity: found.severity }]);
  });
  test('waits for each role on which the binding may stand', () => {
    const both = { status: { roles: [entry(OTHER_ARN), entry()] } };
    expect(stepsOf(deleted(both, isReleased))).toEqual([]);
    expect(
      stepsOf(deleted(both, { verdicts: new Map([...isReleased.verdicts, [OTHER_ARN, released]]), serviceAccount: unmarked })),
    ).toEqual(['removeFinalizer']);
  });
  test('takes the annotation away after the trust, and lets go after that', () => {
    expect(stepsOf(deleted({}, isReleased))).toEqual(['unannotate']);
    expect(stepsOf(deleted({}, { ...isReleased, serviceAccount: unmarked }))).toEqual(['removeFinalizer']);
  });
  test('does not wait where it never stood on a role', () =>
    expect(stepsOf(deleted({ status: { roles: [] } }, { serviceAccount: unmarked }))).toEqual(['removeFinalizer']));
  test('takes the answer to another binding of the ServiceAccount for a release, where it says that nothing of ours stands', () =>
    expect(stepsOf(deleted({}, { verdicts: new Map([[ARN, { ...allowed, mayStand: false }]]) }))).toEqual(['unannotate']));
  test('does not take an answer for a release', () => expect(stepsOf(deleted({}, { verdicts: new Map([[ARN, allowed]]) }))).toEqual([]));
  test('releases also without a grant', () => expect(stepsOf(deleted({}, { ...isReleased, grants: [] }))).toEqual(['unannotate']));
  test('releases also where somebody else writes the policy by now', () => {
    const external = { spec: { trustPolicy: 'External' } };
    expect(stepsOf(deleted(external))).toEqual([]);
    expect(stepsOf(deleted(external, isReleased))).toEqual(['unannotate']);
  });
});

const leaves: Record<string, Part> = {
  'it says Retain': { spec: { deletionPolicy: 'Retain' } },
  'it is suspended': { spec: { suspend: true } },
  'it only observes': { spec: { mode: 'Observe' } },
  'it is forced': { metadata: { annotations: { [ANNOTATIONS.forceDelete]: 'true' } } },
};
// Contract: rule-leave-alone
for (const [sentence, part] of Object.entries(leaves))
  test(`trust and annotation are left as they are when ${sentence}`, () => expect(stepsOf(deleted(part))).toEqual(['removeFinalizer']));
test('trust and annotation are left as they are when the CRD itself is being deleted', () =>
  expect(stepsOf(deleted({}, { crdDeleting: true }))).toEqual(['removeFinalizer']));

test('a spec that cannot be read holds nobody back', () => {
  const one = { ...going(), spec: problem('x') };
  expect(stepsOf(observed({ binding: one, competingBindings: [one] }))).toEqual(['removeFinalizer']);
});
test('"true" is the only word that forces', () =>
  expect(stepsOf(deleted({ metadata: { annotations: { [ANNOTATIONS.forceDelete]: 'yes' } } }))).toEqual([]));
test('without our finalizer there is nothing to do', () => {
  const seen = deleted({ metadata: { finalizers: ['somebody.else/finalizer'] } });
  expect(planBinding(seen)).toEqual({ steps: [], status: seen.binding.status, recheckInMs: undefined });
});

describe('a successor', () => {
  test('takes trust and annotation over without a gap', () =>
    expect(stepsOf(deleted({}, { competingBindings: [successor()] }))).toEqual(['removeFinalizer']));

  const unready: Record<string, Part> = {
    'without the finalizer': { metadata: { finalizers: [] } },
    'without its entry for the role': { status: { roles: [] } },
    'that is being deleted too': { metadata: { deleting: true } },
    'for another audience, which no grant covers': { spec: { audience: 'sigstore' }, status: { roles: [entry(ARN, ROLE_ID, 'sigstore')] } },
  };
  // It keeps what stands, and its own entry and finalizer remember it: to wait for its end would be to wait for ever.
  const keeping: Record<string, Part> = {
    'that is suspended': { spec: { suspend: true } },
    'that only observes': { spec: { mode: 'Observe' } },
  };
  for (const [sentence, part] of Object.entries(keeping))
    test(`${sentence} and stands on the role keeps trust and annotation, and the deletion does not wait for it`, () =>
      expect(stepsOf(deleted({}, { competingBindings: [successor(part)] }))).toEqual(['removeFinalizer']));

  test('still stands where it comes from while it leaves: the deletion does not wait for that', () =>
    expect(stepsOf(deleted({}, { competingBindings: [successor({ spec: { audience: 'sigstore' } })] }))).toEqual(['removeFinalizer']));
  for (const [sentence, part] of Object.entries(unready))
    test(`is none ${sentence}`, () => expect(stepsOf(deleted({}, { competingBindings: [successor(part)] }))).toEqual([]));
  test('for another role does not take this one over', () => {
    const elsewhere = successor({ spec: { roleArn: OTHER_ARN }, status: { roles: [entry(OTHER_ARN)] } });
    expect(stepsOf(deleted({}, { competingBindings: [elsewhere] }))).toEqual([]);
  });
});

describe('the annotation, where another binding comes into its right', () => {
  const [same, other] = [{}, { spec: { roleArn: OTHER_ARN } }];
  const refused = (terminal: boolean, wouldWrite?: string): Extract<Verdict, { kind: 'refused' }> => {
    const found = finding('TrustNoWebIdentityStatement', `the trust policy of "${OTHER_ARN}" does not allow "${SUBJECT}"`);
    return { kind: 'refused', finding: found, findings: [found], size: undefined, terminal, wouldWrite, mayStand: true };
  };
  const unsure: Extract<Verdict, { kind: 'unknown' }> = {
    kind: 'unknown',
    message: 'a Deny may match',
    size: { characters: 1, quota: 2 },
    findings: [],
    mayStand: true,
  };
  const says = (type: 'Trusted' | 'Stalled', reason: string, generation = 1) =>
    conditionsFrom({ [type]: { status: 'True', reason, message: '' } }, [], generation, NOW);
  const [replaced, foreign] = [
    serviceAccount({ [EKS_ANNOTATIONS.roleArn]: OTHER_ARN }),
    serviceAccount({ [EKS_ANNOTATIONS.roleArn]: ARN }, 'helm'),
  ];

  interface Case {
    readonly successor: {
      readonly spec?: object;
      readonly conditions?: Condition[];
      readonly finalizers?: string[];
      readonly roles?: RoleEntry[];
    };
    /** On the role of the successor. */
    readonly verdict?: Verdict | undefined;
    readonly account?: ServiceAccount;
    readonly steps: readonly string[];
  }
  const cases: Record<string, Case> = {
    'is waited for while its role was not looked at yet': { successor: other, steps: [] },
    'is waited for while it still says that its ServiceAccount is taken': {
      successor: { ...other, conditions: says('Stalled', 'ServiceAccountTaken') },
      steps: [],
    },
    'is waited for while what it says is of a former spec': {
      successor: { ...other, conditions: says('Stalled', 'OidcProviderMissing', 0) },
      steps: [],
    },
    'is waited for while its trust is about to be written': { successor: other, verdict: refused(false, 'add it'), steps: [] },
    'is waited for while its trust is there and its annotation is not': { successor: other, verdict: allowed, steps: [] },
    'is waited for while STS is asked': { successor: other, verdict: unsure, steps: [] },
    'is replaced by its own': { successor: other, verdict: allowed, account: replaced, steps: ['removeFinalizer'] },
    'is none of ours': { successor: other, verdict: refused(true), account: foreign, steps: ['removeFinalizer'] },
    'goes where its role refuses it': { successor: other, verdict: refused(true), steps: ['unannotate'] },
    'goes where its role cannot be read': { successor: other, verdict: refused(false), steps: ['unannotate'] },
    'goes where its role does not take the write': { successor: other, verdict: refused(true, 'add it'), steps: ['unannotate'] },
    'goes where it waits for somebody before its role is looked at': {
      successor: { ...other, conditions: says('Stalled', 'OidcProviderMissing') },
      steps: ['unannotate'],
    },
    'goes where nobody can tell whether its role lets it in': {
      successor: { ...other, conditions: says('Stalled', 'Undecidable') },
      verdict: unsure,
      steps: ['unannotate'],
    },
    'stays where it stands on the same role': { successor: { ...same, roles: [entry()] }, verdict: released, steps: ['removeFinalizer'] },
    'stays where it stands on the same role, though it is refused there by now: it takes it away in its turn': {
      successor: { ...same, roles: [entry()] },
      verdict: { ...refused(true), mayStand: false },
      steps: ['removeFinalizer'],
    },
    'stays where somebody else lets it into the same role': {
      successor: { spec: { trustPolicy: 'External' } },
      verdict: { ...allowed, mayStand: false },
      steps: ['removeFinalizer'],
    },
    'stays where STS let it into the same role': {
      successor: { ...same, conditions: says('Trusted', 'Proved') },
      verdict: { ...unsure, mayStand: false },
      steps: ['removeFinalizer'],
    },
    'goes where it is refused by the same role and stands on none': {
      successor: same,
      verdict: { ...refused(true), mayStand: false },
      steps: ['unannotate'],
    },
    'goes where it says of the same role that it stands there, and nothing will clean up': {
      successor: { ...same, roles: [entry()], finalizers: [] },
      verdict: { ...refused(true), mayStand: false },
      steps: ['unannotate'],
    },
  };
  for (const [sentence, { successor: part, verdict, account = serviceAccount(), steps }] of Object.entries(cases)) {
    test(sentence, () => {
      const { spec = {}, conditions = [], finalizers = [FINALIZER], roles = [] } = part;
      const one = successor({ spec, metadata: { finalizers }, status: { conditions, roles } });
      const verdicts = new Map<string, Verdict>([[ARN, released]]);
      if (verdict !== undefined) verdicts.set('roleArn' in spec ? OTHER_ARN : ARN, verdict);
      expect(stepsOf(deleted({}, { verdicts, competingBindings: [one], serviceAccount: account }))).toEqual(steps);
    });
  }

  // Contract: end-handover
  test('is waited for, and says so', () => {
    const { status } = planBinding(deleted({}, { ...isReleased, competingBindings: [successor({ ...other, status: { roles: [] } })] }));
    expect(conditionOf(status.conditions, 'Annotated')).toMatchObject({
      reason: 'HandingOver',
      message: `waiting for IrsaBinding "successor" to annotate ServiceAccount "app" in place of this binding. If it never does, suspend or delete it`,
    });
  });

  test('of whoever goes before its turn is left to the older one, though that is refused by now', () => {
    const older = successor({ metadata: { createdAt: 0 }, status: { roles: [entry()] } });
    const seen = deleted({ status: { roles: [] } }, { competingBindings: [older], verdicts: new Map([[ARN, refused(true)]]) });
    expect(stepsOf(seen)).toEqual(['removeFinalizer']);
  });
});

describe('the annotation', () => {
  const stays: Record<string, ObservedPart> = {
    'somebody else set the same value': { serviceAccount: serviceAccount({ [EKS_ANNOTATIONS.roleArn]: ARN }, 'helm') },
    'it has another value by now': { serviceAccount: serviceAccount({ [EKS_ANNOTATIONS.roleArn]: OTHER_ARN }) },
    'the ServiceAccount is gone': { serviceAccount: undefined },
  };
  // Contract: end-revoke
  for (const [sentence, part] of Object.entries(stays))
    test(`stays when ${sentence}`, () => expect(stepsOf(deleted({}, { ...isReleased, ...part }))).toEqual(['removeFinalizer']));

  test('goes also where it has the value of a role that was being left', () => {
    const moved = { status: { roles: [entry(), entry(OTHER_ARN)] } };
    const both = new Map<string, Verdict>([...isReleased.verdicts, [OTHER_ARN, released]]);
    const former = serviceAccount({ [EKS_ANNOTATIONS.roleArn]: OTHER_ARN });
    expect(stepsOf(deleted(moved, { verdicts: both, serviceAccount: former }))).toEqual(['unannotate']);
  });
  test('goes although a binding stands beside it that no grant covers', () => {
    const competingBindings = [successor({ spec: { audience: 'sigstore' }, status: { roles: [] } })];
    expect(stepsOf(deleted({}, { ...isReleased, competingBindings, grants: [grant()] }))).toEqual(['unannotate']);
  });
});
