import { describe, expect, test } from 'vitest';
import type { BindingStatus, RoleEntry } from '../../api/binding.ts';
import { type Condition, type ConditionType, conditionOf, STEP_CONDITIONS, type StepCondition, timestamp } from '../../api/condition.ts';
import { finding } from '../../api/finding.ts';
import { ANNOTATIONS, EKS_ANNOTATIONS } from '../../api/names.ts';
import { problem } from '../../api/problem.ts';
import { MOST_EVALUATED, notGranted } from '../authorization/authorize.ts';
import type { DueLoss } from '../authorization/loss.ts';
import type { Verdict } from '../state/verdict.ts';
import { batchWorkload, workload } from '../test-cluster.ts';
import {
  ARN,
  allowed,
  binding,
  entry,
  grant,
  loss,
  NOW,
  type ObservedPart,
  OTHER_ARN,
  observed,
  pod,
  present,
  serviceAccount,
  spec,
  unreached,
} from '../test-observed.ts';
import type { Observed } from './observed.ts';
import { planBinding } from './plan.ts';

const later = 3_600_000;
/** Those of a binding that asks for no proof. */
const STEPS: readonly StepCondition[] = STEP_CONDITIONS.filter((step) => step !== 'Verified');

function refusal(code: Parameters<typeof finding>[0], part: Partial<Extract<Verdict, { kind: 'refused' }>> = {}): Verdict {
  const found = finding(code, `about ${code}`);
  return {
    kind: 'refused',
    finding: found,
    findings: [found],
    size: undefined,
    terminal: true,
    wouldWrite: undefined,
    mayStand: true,
    ...part,
  };
}
const verdicts = (verdict: Verdict) => new Map([[ARN, verdict]]);
const told = (status: BindingStatus, type: ConditionType) => {
  const condition = conditionOf(status.conditions, type);
  return condition && [condition.status, condition.reason];
};
const messagesOf = ({ conditions }: BindingStatus) =>
  Object.fromEntries(conditions.filter(({ reason }) => reason !== 'Waiting').map(({ type, message }) => [type, message]));
const stepsOf = (part: ObservedPart = {}) => planBinding(observed(part)).steps.map((step) => step.do);
/** The same world once the status is on the API server. */
const withStatus = (seen: Observed, status: BindingStatus, now = seen.now): Observed => {
  const one = { ...seen.binding, status };
  return {
    ...seen,
    now,
    binding: one,
    competingBindings: () => seen.competingBindings().map((competing) => (competing === seen.binding ? one : competing)),
  };
};

describe('a healthy binding', () => {
  test('has every condition True, and nothing to do', () => {
    const { steps, status, recheckInMs } = planBinding(observed());
    expect({ steps, recheckInMs }).toEqual({ steps: [], recheckInMs: undefined });
    expect(status.conditions.map(({ type, status: value, reason }) => [type, value, reason])).toEqual([
      ['Ready', 'True', 'Ready'],
      ['Authorized', 'True', 'Granted'],
      ['ProviderReady', 'True', 'Registered'],
      ['Trusted', 'True', 'AllowedByOperator'],
      ['Annotated', 'True', 'Annotated'],
      ['PodsCurrent', 'True', 'Current'],
    ]);
  });

  // Contract: report-status
  test('reports roles, size and pods, and no list that is empty', () => {
    const { conditions: _, ...rest } = planBinding(observed()).status;
    expect(rest).toEqual({
      observedGeneration: 1,
      roles: [entry()],
      trustPolicy: { managedBy: 'Operator', characters: 400, quota: 2048, summary: '400/2048' },
      pods: { total: 1, current: 1, stale: 0, exempt: 0, summary: '1/1' },
    });
  });

  test('names a grant whose tags the role has, and names the same after a start of the operator, before it has read the tags', () => {
    const asking = (name: string) => ({ ...grant({ requiredRoleTags: { owner: name } }), name, uid: name });
    const grants = [asking('a'), asking('b')];
    const tags = { values: new Map([['owner', 'b']]), asOf: NOW, since: NOW };
    const read = observed({ grants, role: present({ tags }) });
    const { status } = planBinding(read);
    expect(messagesOf(status)['Authorized']).toBe('granted by IrsaGrant "b"');
    const started = withStatus(observed({ grants, role: present() }), status);
    expect(planBinding(started).status.conditions).toEqual(status.conditions);
  });

  test('is told that a request that is too long requests nothing, and stays Ready', () => {
    const annotations = { [ANNOTATIONS.reconcileRequestedAt]: 'r'.repeat(300) };
    const { status } = planBinding(observed({ binding: binding({ metadata: { annotations } }) }));
    expect([told(status, 'Ready'), status.findings?.map(({ code }) => code)]).toEqual([['True', 'Ready'], ['ReconcileRequestInvalid']]);
  });

  // Contract: trust-allowed
  test('is told apart where somebody else wrote the trust', () => {
    const { status } = planBinding(observed({ verdicts: verdicts({ ...allowed, managedBy: 'Others' }) }));
    expect([told(status, 'Trusted'), status.trustPolicy?.managedBy]).toEqual([['True', 'AllowedByOthers'], 'Others']);
  });
});

const fixpoints: Record<string, ObservedPart> = {
  'in order': {},
  'without pods': { pods: [] },
  'without a ServiceAccount': { serviceAccount: undefined, pods: [] },
  'without a grant': { grants: [] },
  'with a refused policy': { verdicts: verdicts(refusal('TrustExplicitDeny')) },
  suspended: { binding: binding({ spec: { suspend: true } }) },
  observed: { binding: binding({ spec: { mode: 'Observe' } }), verdicts: verdicts(refusal('TrustWrongAction', { wouldWrite: 'add it' })) },
  'with a spec that cannot be read': { binding: { ...binding(), spec: problem('"x" is no ARN') } },
};
for (const [sentence, part] of Object.entries(fixpoints)) {
  test(`a second look says the same, an hour later too: a binding ${sentence}`, () => {
    const first = observed(part);
    const { status, steps } = planBinding(first);
    const second = planBinding(withStatus(first, status, NOW + later));
    expect([second.steps, second.status]).toEqual([steps, status]);
  });
}

interface Violated {
  readonly seen: ObservedPart;
  readonly step: StepCondition;
  readonly status: 'False' | 'Unknown';
  readonly reason: string;
  readonly sign: 'Stalled' | 'Reconciling';
}

const unknown: Verdict = { kind: 'unknown', message: 'a Deny may match', size: { characters: 1, quota: 2 }, findings: [], mayStand: true };
/** Pods are judged a while after the trust came to be. */
const trustedLongAgo: Condition = {
  type: 'Trusted',
  status: 'True',
  reason: 'AllowedByOperator',
  message: '',
  observedGeneration: 1,
  lastTransitionTime: timestamp(NOW - 86_400_000),
};
const violations: Record<string, Violated> = {
  'no grant covers it': { seen: { grants: [] }, step: 'Authorized', status: 'False', reason: 'NotGranted', sign: 'Stalled' },
  'the role lacks a tag that the grant asks for': {
    seen: { verdicts: verdicts(refusal('NotGranted')) },
    step: 'Authorized',
    status: 'False',
    reason: 'NotGranted',
    sign: 'Stalled',
  },
  'the role is the one that the operator runs as': {
    seen: { binding: binding({ spec: { roleArn: 'arn:aws:iam::111122223333:role/team/IRSA-operator' } }) },
    step: 'Authorized',
    status: 'False',
    reason: 'RoleIsOperator',
    sign: 'Stalled',
  },
  'an older binding has the ServiceAccount': {
    seen: { competingBindings: [binding({ metadata: { name: 'older', uid: 'older', createdAt: 0 } })] },
    step: 'Authorized',
    status: 'False',
    reason: 'ServiceAccountTaken',
    sign: 'Stalled',
  },
  'too many older bindings have the ServiceAccount for it to be evaluated': {
    seen: {
      competingBindings: Array.from({ length: MOST_EVALUATED }, (_, at) =>
        binding({ metadata: { name: `older-${at}`, uid: `${at}`, createdAt: at }, spec: { roleArn: OTHER_ARN } }),
      ),
      grants: [],
    },
    step: 'Authorized',
    status: 'False',
    reason: 'ServiceAccountTaken',
    sign: 'Stalled',
  },
  'AWS did not say who we are': {
    seen: { reachOf: unreached('no credentials') },
    step: 'ProviderReady',
    status: 'Unknown',
    reason: 'CallerUnknown',
    sign: 'Reconciling',
  },
  // Contract: bad-other-account
  'the role is in another account': {
    seen: {
      binding: binding({ spec: { roleArn: 'arn:aws:iam::999900001111:role/team/app' } }),
      grants: [grant({ roleArns: ['arn:aws:iam::999900001111:role/team/app'] })],
    },
    step: 'ProviderReady',
    status: 'Unknown',
    reason: 'RoleInOtherAccount',
    sign: 'Stalled',
  },
  // Contract: bad-arn
  'the role is in another partition': {
    seen: {
      binding: binding({ spec: { roleArn: 'arn:aws-cn:iam::111122223333:role/team/app' } }),
      grants: [grant({ roleArns: ['arn:aws-cn:iam::111122223333:role/team/app'] })],
    },
    step: 'ProviderReady',
    status: 'Unknown',
    reason: 'RoleInOtherAccount',
    sign: 'Stalled',
  },
  'the issuer is not known': {
    seen: { cluster: { kind: 'unknown', why: 'two sources disagree' } },
    step: 'ProviderReady',
    status: 'Unknown',
    reason: 'IssuerUnknown',
    sign: 'Reconciling',
  },
  // Contract: cluster-not-public
  'AWS cannot reach the issuer': {
    seen: { cluster: { kind: 'unknown', why: 'AWS cannot use the issuer "https://kubernetes"', notPublic: true } },
    step: 'ProviderReady',
    status: 'False',
    reason: 'IssuerNotPublic',
    sign: 'Stalled',
  },
  'the provider cannot be read': {
    seen: { provider: { kind: 'unreadable', why: 'AccessDenied' } },
    step: 'ProviderReady',
    status: 'Unknown',
    reason: 'ProviderUnreadable',
    sign: 'Reconciling',
  },
  'the provider was not asked for yet': {
    seen: { provider: undefined },
    step: 'ProviderReady',
    status: 'Unknown',
    reason: 'Pending',
    sign: 'Reconciling',
  },
  'the provider is missing': {
    seen: { provider: { kind: 'missing', similar: [] } },
    step: 'ProviderReady',
    status: 'False',
    reason: 'OidcProviderMissing',
    sign: 'Stalled',
  },
  'the provider of another cluster is there': {
    seen: { provider: { kind: 'missing', similar: ['oidc.eks.eu-west-1.amazonaws.com/id/ABCE'] } },
    step: 'ProviderReady',
    status: 'False',
    reason: 'OidcProviderUrlMismatch',
    sign: 'Stalled',
  },
  'the provider lacks the audience': {
    seen: { provider: { kind: 'registered', arn: 'x', clientIds: [] } },
    step: 'ProviderReady',
    status: 'False',
    reason: 'OidcProviderAudienceMissing',
    sign: 'Stalled',
  },
  'the trust policy was not looked at yet': {
    seen: { verdicts: new Map() },
    step: 'Trusted',
    status: 'Unknown',
    reason: 'Pending',
    sign: 'Reconciling',
  },
  'the trust policy cannot be judged': {
    seen: { verdicts: verdicts(unknown) },
    step: 'Trusted',
    status: 'Unknown',
    reason: 'Undecidable',
    sign: 'Stalled',
  },
  'the trust policy denies': {
    seen: { verdicts: verdicts(refusal('TrustExplicitDeny')) },
    step: 'Trusted',
    status: 'False',
    reason: 'TrustExplicitDeny',
    sign: 'Stalled',
  },
  'the trust policy is being mended': {
    seen: { verdicts: verdicts(refusal('TrustSubjectMismatch', { terminal: false })) },
    step: 'Trusted',
    status: 'False',
    reason: 'TrustSubjectMismatch',
    sign: 'Reconciling',
  },
  'the annotation is missing': {
    seen: { serviceAccount: serviceAccount({}) },
    step: 'Annotated',
    status: 'False',
    reason: 'AnnotationMissing',
    sign: 'Reconciling',
  },
  'the annotation names another role': {
    seen: { serviceAccount: serviceAccount({ [EKS_ANNOTATIONS.roleArn]: OTHER_ARN }, 'helm') },
    step: 'Annotated',
    status: 'False',
    reason: 'AnnotationRoleMismatch',
    sign: 'Reconciling',
  },
  'the annotation names another audience': {
    seen: { serviceAccount: serviceAccount({ [EKS_ANNOTATIONS.roleArn]: ARN, [EKS_ANNOTATIONS.audience]: 'sigstore' }) },
    step: 'Annotated',
    status: 'False',
    reason: 'AudienceAnnotationMismatch',
    sign: 'Reconciling',
  },
  // Contract: pods-barred
  'the annotation of the token lifetime lets no pod be created': {
    seen: { serviceAccount: serviceAccount({ [EKS_ANNOTATIONS.roleArn]: ARN, [EKS_ANNOTATIONS.tokenExpiration]: '4294967297' }) },
    step: 'Annotated',
    status: 'False',
    reason: 'TokenExpirationInvalid',
    sign: 'Stalled',
  },
  'a pod lacks the role and is left alone': {
    seen: { pods: [pod({ owner: undefined }, {})], binding: binding({ status: { conditions: [trustedLongAgo] } }) },
    step: 'PodsCurrent',
    status: 'False',
    reason: 'PodNotRestartable',
    sign: 'Stalled',
  },
};

describe.each(Object.entries(violations))('when %s', (_, { seen, step, status: value, reason, sign }) => {
  const { status } = planBinding(observed(seen));

  test('the condition of the step says why', () => expect(told(status, step)).toEqual([value, reason]));
  // Contract: step-order
  test('the earlier steps hold and the later ones wait for it', () => {
    const at = STEPS.indexOf(step);
    expect(STEPS.slice(0, at).map((earlier) => told(status, earlier)?.[0])).toEqual(STEPS.slice(0, at).map(() => 'True'));
    for (const waiting of STEPS.slice(at + 1)) {
      expect(conditionOf(status.conditions, waiting)).toEqual({
        type: waiting,
        status: 'Unknown',
        reason: 'Waiting',
        message: `waits for ${step}`,
        observedGeneration: 1,
        lastTransitionTime: timestamp(NOW),
      });
    }
  });
  test('Ready tells the same, and kstatus sees who has to act', () => {
    expect(told(status, 'Ready')).toEqual([value, reason]);
    const signs = ['Stalled', 'Reconciling'].filter((type) => conditionOf(status.conditions, type as ConditionType));
    expect(signs).toEqual([sign]);
    expect(told(status, sign)).toEqual(['True', reason]);
  });
});

const strayed = (part: ObservedPart) => planBinding(observed({ pods: [], ...part })).status;
const runsAs = (serviceAccountName: string) => ({
  workloads: [workload({ serviceAccountName })],
  serviceAccountExists: (name: string) => name === 'default',
});
const strays: [sentence: string, part: ObservedPart, reason: string][] = [
  ['runs as one that does not exist: it cannot work', runsAs('ap'), 'WorkloadUsesOtherServiceAccount'],
  ['runs as one that exists: that may be meant so', runsAs('default'), 'NoPods'],
  ['is a CronJob', { ...runsAs('app'), workloads: [], batchWorkloads: () => [batchWorkload({ serviceAccountName: 'default' })] }, 'NoPods'],
  [
    'runs as one that exists, and the binding is suspended',
    { ...runsAs('default'), binding: binding({ spec: { suspend: true } }) },
    'Suspended',
  ],
  [
    'runs as one that exists, and the bound one does not exist yet',
    { ...runsAs('default'), serviceAccount: undefined },
    'AwaitingServiceAccount',
  ],
];
// Contract: pods-stray
describe('where a workload of the name of the ServiceAccount runs as another one', () => {
  test.each(strays)('Ready is True: one that %s', (_, part, reason) => {
    const status = strayed(part);
    expect(told(status, 'Ready')).toEqual(['True', reason]);
    expect(status.findings?.map(({ code }) => code)).toEqual(['WorkloadUsesOtherServiceAccount']);
  });

  test.each(strays)('no sentence only says to give a workload the role: one that %s', (_, part) => {
    const { conditions, findings } = strayed(part);
    const sentences = [...conditions, ...(findings ?? [])].flatMap(({ message = '' }) => message.split('. '));
    expect(sentences.filter((each) => /serviceAccountName/.test(each) && !each.startsWith('If it needs the role'))).toEqual([]);
  });
});

describe('times of conditions', () => {
  const times = (conditions: readonly Condition[]) => new Map(conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]));
  const healthy = planBinding(observed()).status;
  const broken = { verdicts: verdicts(refusal('TrustExplicitDeny')) };

  test('move where the status changes, and only there', () => {
    const { status } = planBinding(withStatus(observed(broken), healthy, NOW + later));
    expect(times(status.conditions)).toEqual(
      new Map([
        ['Ready', timestamp(NOW + later)],
        ['Authorized', timestamp(NOW)],
        ['ProviderReady', timestamp(NOW)],
        ['Trusted', timestamp(NOW + later)],
        ['Annotated', timestamp(NOW + later)],
        ['PodsCurrent', timestamp(NOW + later)],
        ['Stalled', timestamp(NOW + later)],
      ]),
    );
  });
  test('stay where only the reason changes', () => {
    const first = planBinding(observed(broken)).status;
    const other = { verdicts: verdicts(refusal('TrustPolicyTooLarge')) };
    const { status } = planBinding(withStatus(observed(other), first, NOW + later));
    expect(told(status, 'Trusted')).toEqual(['False', 'TrustPolicyTooLarge']);
    expect([...times(status.conditions).values()]).toEqual(status.conditions.map(() => timestamp(NOW)));
  });
});

describe('what is done', () => {
  // Contract: trust-intent-first
  test('the finalizer comes first, and alone', () => {
    const seen = { binding: binding({ metadata: { finalizers: [] } }), serviceAccount: serviceAccount({}), pods: [pod({}, {})] };
    expect(stepsOf(seen)).toEqual(['addFinalizer']);
  });
  test('no finalizer without a grant', () =>
    expect(stepsOf({ binding: binding({ metadata: { finalizers: [] } }), grants: [] })).toEqual([]));
  test('a ServiceAccount is annotated with the role, and nothing else', () =>
    expect(planBinding(observed({ serviceAccount: serviceAccount({}) })).steps).toEqual([
      { do: 'annotate', annotations: { [EKS_ANNOTATIONS.roleArn]: ARN } },
    ]));
  test('also where somebody else set the same value: then it is ours to take away', () =>
    expect(stepsOf({ serviceAccount: serviceAccount({ [EKS_ANNOTATIONS.roleArn]: ARN }, 'helm') })).toEqual(['annotate']));
  test('nothing is annotated before the trust stands', () =>
    expect(stepsOf({ serviceAccount: serviceAccount({}), verdicts: verdicts(refusal('TrustWrongAction')) })).toEqual([]));
  test('a stale pod is restarted when its attempt is on the API server, and not before the annotations are right', () => {
    const audience = { [EKS_ANNOTATIONS.roleArn]: ARN, [EKS_ANNOTATIONS.audience]: 'sigstore' };
    const stale = observed({ pods: [pod({}, {})] });
    const trusted = withStatus(stale, planBinding(observed()).status, NOW + later);
    const recorded = withStatus(stale, planBinding(trusted).status, NOW + later);
    expect(planBinding(trusted).steps).toEqual([]);
    expect(planBinding(recorded).steps.map((step) => step.do)).toEqual(['restart']);
    const wrong = { ...recorded, serviceAccount: serviceAccount(audience) };
    expect(planBinding(wrong).steps.map((step) => step.do)).toEqual(['annotate']);
    const ours = serviceAccount({ [EKS_ANNOTATIONS.roleArn]: ARN });
    const barred = { ...ours, annotations: { ...ours.annotations, [EKS_ANNOTATIONS.tokenExpiration]: '4294967297' } };
    expect(planBinding({ ...recorded, serviceAccount: barred }).steps).toEqual([]);
  });
});

describe('after a restart while AWS is out', () => {
  const reach = unreached('no answer');
  const before = planBinding(observed()).status;
  // Contract: failure-classes
  test('the status stays as it is: what worked still works, and nobody is alarmed', () =>
    expect(planBinding(withStatus(observed({ reachOf: reach }), before, NOW + later))).toEqual({
      steps: [],
      status: before,
      recheckInMs: undefined,
    }));
  test('a binding that was told so before is told why, as it is now', () => {
    const first = planBinding(observed({ reachOf: unreached('no credentials') })).status;
    const { status } = planBinding(withStatus(observed({ reachOf: reach }), first, NOW + later));
    expect(conditionOf(status.conditions, 'ProviderReady')?.message).toMatch(/^sts:GetCallerIdentity failed: no answer\./);
  });
  test('a new generation is told', () => {
    const old = { ...before, observedGeneration: 0 };
    expect(told(planBinding(withStatus(observed({ reachOf: reach }), old, NOW + later)).status, 'Ready')).toEqual([
      'Unknown',
      'CallerUnknown',
    ]);
  });
});

describe('the intent', () => {
  const fresh = (part: Parameters<typeof binding>[0] = {}) => binding({ ...part, status: { roles: [], ...part?.status } });
  const roles = (part: ObservedPart) => planBinding(observed(part)).status.roles;

  test('stands in the status as soon as the binding is granted and the role is known', () =>
    expect(roles({ binding: fresh(), verdicts: new Map() })).toEqual([entry()]));
  test('names the role as it is now, after it was made again', () =>
    expect(roles({ role: present({ roleId: 'AROANEW' }) })).toEqual([entry(ARN, 'AROANEW')]));

  const none: Record<string, ObservedPart> = {
    'without a grant': { binding: fresh(), grants: [] },
    'while the role was not read': { binding: fresh(), role: undefined },
    'while the issuer is not known': { binding: fresh(), cluster: { kind: 'unknown', why: 'x' } },
    'in mode Observe': { binding: fresh({ spec: { mode: 'Observe' } }) },
    'while suspended': { binding: fresh({ spec: { suspend: true } }) },
    'where somebody else writes the policy': { binding: fresh({ spec: { trustPolicy: 'External' } }) },
  };
  for (const [sentence, part] of Object.entries(none)) test(`is not made ${sentence}`, () => expect(roles(part)).toBeUndefined());

  const kept: Record<string, ObservedPart> = {
    'the grant is gone': { grants: [] },
    'the role cannot be read': { role: { arn: ARN, asOf: NOW, state: { kind: 'unreadable', since: NOW, why: 'x' } } },
    'the role is missing': { role: { arn: ARN, asOf: NOW, state: { kind: 'missing', since: 0, foundAs: undefined } } },
    'the binding is suspended': { binding: binding({ spec: { suspend: true } }) },
  };
  for (const [sentence, part] of Object.entries(kept)) test(`is kept when ${sentence}`, () => expect(roles(part)).toEqual([entry()]));

  const moved = binding({ status: { roles: [entry(OTHER_ARN)] } });
  test('of the former role is kept until its release was seen', () =>
    expect(roles({ binding: moved })).toEqual([entry(OTHER_ARN), entry()]));
  test('of the former role is kept while its release is refused', () =>
    expect(roles({ binding: moved, verdicts: verdicts(allowed).set(OTHER_ARN, refusal('TrustRevocationBlocked')) })).toEqual([
      entry(OTHER_ARN),
      entry(),
    ]));
  test('of the former role goes with its release', () =>
    expect(roles({ binding: moved, verdicts: verdicts(allowed).set(OTHER_ARN, { kind: 'released' }) })).toEqual([entry()]));
});

describe('who only looks', () => {
  const off = {
    serviceAccount: serviceAccount({}),
    pods: [pod({}, {})],
    verdicts: verdicts(refusal('TrustWrongAction', { terminal: false, wouldWrite: 'add it' })),
  };

  test('does nothing in mode Observe, and says what would be done', () => {
    const { steps, status } = planBinding(
      observed({ ...off, binding: binding({ spec: { mode: 'Observe' }, metadata: { finalizers: [] } }) }),
    );
    expect(steps).toEqual([]);
    expect(status.plan).toEqual([
      'add it',
      `annotate ServiceAccount "app" with ${EKS_ANNOTATIONS.roleArn}: "${ARN}"`,
      'restart 1 pods that lack the role, one first',
    ]);
    expect(conditionOf(status.conditions, 'Stalled')?.reason).toBe('TrustWrongAction');
  });
  test('is not stalled in mode Observe while we have not looked yet', () => {
    const { status } = planBinding(observed({ binding: binding({ spec: { mode: 'Observe' } }), verdicts: new Map() }));
    expect([told(status, 'Reconciling'), told(status, 'Stalled')]).toEqual([['True', 'Pending'], undefined]);
  });
  test('has no plan in mode Observe where all is in order', () =>
    expect(planBinding(observed({ binding: binding({ spec: { mode: 'Observe' } }) })).status.plan).toBeUndefined());
  test('does nothing while suspended, and says what it would do', () => {
    const { steps, status } = planBinding(
      observed({ ...off, binding: binding({ spec: { suspend: true }, metadata: { finalizers: [] } }) }),
    );
    expect([steps, status.plan?.[0]]).toEqual([[], 'add it']);
  });
  test('is Ready while suspended, where all is in order', () =>
    expect(told(planBinding(observed({ binding: binding({ spec: { suspend: true } }) })).status, 'Ready')).toEqual(['True', 'Suspended']));
});

// Contract: pods-static
describe('a warning about pods', () => {
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
  const { containers } = pod();
  const other = containers.map((container) => ({ ...container, env: { ...container.env, ...keys } }));
  const skipped = { 'eks.amazonaws.com/skip-pod-identity-webhook': '' };
  const remark = 'Warnings about pods: WebhookSkipped, PodStaticCredentials. See status.findings';
  const pods = [pod({ name: 'a', containers: other }), pod({ name: 'b', labels: skipped }), pod({ name: 'c', containers: other })];

  test('does not hold back Ready, which does not say without a remark that all agree', () => {
    const { status, steps } = planBinding(observed({ pods }));
    expect([steps, told(status, 'Ready'), told(status, 'PodsCurrent')]).toEqual([[], ['True', 'Ready'], ['True', 'Current']]);
    expect(messagesOf(status)['Ready']).toBe(`role, ServiceAccount and pods agree. ${remark}`);
    expect(status.findings?.map(({ code, severity }) => `${code} ${severity}`)).toEqual([
      'WebhookSkipped Warning',
      'PodStaticCredentials Warning',
    ]);
  });

  test('is remarked on where the binding is suspended', () =>
    expect(messagesOf(planBinding(observed({ pods, binding: binding({ spec: { suspend: true } }) })).status)['Ready']).toBe(
      `role, ServiceAccount and pods agree now. The binding is suspended, so irsa-operator does not repair drift. ${remark}`,
    ));
});

test('a ServiceAccount that does not exist yet does not hold back Ready', () => {
  const { steps, status } = planBinding(observed({ serviceAccount: undefined, pods: [] }));
  expect(steps).toEqual([]);
  expect(told(status, 'Annotated')).toEqual(['Unknown', 'AwaitingServiceAccount']);
  expect(told(status, 'Ready')).toEqual(['True', 'AwaitingServiceAccount']);
  expect(status.conditions.map(({ type }) => type)).toEqual(['Ready', ...STEPS]);
});

// Contract: pods-none
describe('without a pod', () => {
  const none = 'No pod of namespace "shop" runs as ServiceAccount "app"';

  test('Ready does not say that pods agree', () =>
    expect(messagesOf(planBinding(observed({ pods: [] })).status)['Ready']).toBe(`role and ServiceAccount agree. ${none}`));

  test('nor does it while the binding is suspended', () =>
    expect(messagesOf(planBinding(observed({ pods: [], binding: binding({ spec: { suspend: true } }) })).status)['Ready']).toBe(
      `role and ServiceAccount agree now. ${none}. The binding is suspended, so irsa-operator does not repair drift`,
    ));
});

// Contract: trust-full-names
test('Ready advises to remove from a full policy what no cluster uses, before a higher quota', () => {
  const { status } = planBinding(observed({ verdicts: verdicts(refusal('TrustPolicyTooLarge')) }));
  expect(messagesOf(status)['Ready']).toBe(
    'Remove what no cluster uses from the trust policy, ask AWS for a higher quota, or bind another role. See condition Trusted',
  );
});

// Contract: api-tag-same-text
test('a missing role tag reads like a missing grant', () => {
  const words = notGranted(binding(), spec());
  const tag = planBinding(
    observed({ verdicts: verdicts({ ...refusal('NotGranted'), finding: words, findings: [words] } as Verdict) }),
  ).status;
  const bare = planBinding(observed({ grants: [] })).status;
  expect(tag.conditions).toEqual(bare.conditions);
  expect(tag.findings).toEqual(bare.findings);
});

test('what is being mended says why it is not yet, and what is not says nothing of it', () => {
  const failing = { failureOf: () => 'down' };
  const message = (terminal: boolean) =>
    conditionOf(
      planBinding(observed({ ...failing, verdicts: verdicts(refusal('TrustWrongAction', { terminal })) })).status.conditions,
      'Trusted',
    )?.message;
  expect([message(false), message(true)]).toEqual(['about TrustWrongAction. The last attempt failed: down', 'about TrustWrongAction']);
});

describe('after a restart of the operator', () => {
  const before = planBinding(observed()).status;
  const pending: Record<string, ObservedPart> = {
    'the provider was not asked for yet': { provider: undefined },
    'no role was looked at yet': { verdicts: new Map(), role: undefined },
  };
  for (const [sentence, part] of Object.entries(pending)) {
    test(`the status stays as it is while ${sentence}`, () =>
      expect(planBinding(withStatus(observed(part), before, NOW + later))).toEqual({
        steps: [],
        status: before,
        recheckInMs: undefined,
      }));
    test(`the status stays as it is while ${sentence}, also where AWS cannot be reached`, () =>
      expect(planBinding(withStatus(observed({ ...part, failureOf: () => 'down' }), before, NOW + later)).status).toEqual(before));
    // Contract: failure-classes
    test(`a new binding is told why, where ${sentence} since AWS cannot be reached`, () => {
      const first = planBinding(observed({ provider: undefined, verdicts: new Map(), role: undefined })).status;
      const { status } = planBinding(withStatus(observed({ ...part, failureOf: () => 'down' }), first, NOW + later));
      expect(told(status, 'Reconciling')).toEqual(['True', 'Pending']);
      const step = STEP_CONDITIONS.map((type) => conditionOf(status.conditions, type)).find((one) => one?.reason === 'Pending');
      expect(step?.message).toMatch(/\. The last attempt failed: down$/);
    });
    test(`a new generation is told that ${sentence}`, () => {
      const old = { ...before, observedGeneration: 0 };
      expect(told(planBinding(withStatus(observed(part), old, NOW + later)).status, 'Ready')).toEqual(['Unknown', 'Pending']);
    });
  }
});

describe('the intent', () => {
  const rolesWith = (roles: RoleEntry[]) =>
    planBinding(
      observed({
        binding: binding({ status: { roles } }),
        grants: [grant({ requiredRoleTags: { owner: 'shop' } })],
        role: present({ tags: { values: new Map(), asOf: NOW, since: NOW } }),
        verdicts: verdicts(refusal('NotGranted')),
      }),
    ).status.roles;
  test("is not written where the role's owner did not consent", () => expect(rolesWith([])).toBeUndefined());
  test('that stands is kept: the tags may come back', () => expect(rolesWith([entry()])).toEqual([entry()]));
});

describe('a binding whose trust was taken away for want of a grant', () => {
  const revoked = (lossOf: () => DueLoss | undefined) =>
    planBinding(observed({ binding: binding({ status: { roles: [] } }), grants: [], verdicts: new Map(), lossOf })).status;
  test('tells when, as long as the record has it', () =>
    expect(revoked(() => loss({ revokedAt: NOW - 600_000 })).revokedAt).toBe(timestamp(NOW - 600_000)));
  test('does not say that it is still to come', () =>
    expect(conditionOf(revoked(() => loss({ revokedAt: NOW - 600_000 })).conditions, 'Authorized')?.message).not.toContain('revoked'));
  test('tells nothing of it any more when the record has forgotten it', () =>
    expect(Object.keys(revoked(() => undefined)).includes('revokedAt')).toBe(false));
});

describe('a binding that lost its grant looks again', () => {
  const recheckOf = (part: Partial<DueLoss>) => planBinding(observed({ grants: [], lossOf: () => loss(part) })).recheckInMs;
  const paused = (until: number): Partial<DueLoss> => ({
    dueAt: undefined,
    paused: { finding: finding('RevocationPaused', 'more than 10 subjects lost their grant'), until },
  });
  test('when its trust is due: meanwhile so many may have lost theirs that it is not taken away', () =>
    expect(recheckOf({ since: NOW, dueAt: NOW + 60_000 })).toBe(60_000));
  test('no more once it is due: what comes of it is another change', () => expect(recheckOf({ dueAt: NOW })).toBeUndefined());
  test('no more while it is paused: whoever confirms changes a grant', () =>
    expect(recheckOf(paused(Number.POSITIVE_INFINITY))).toBeUndefined());
  test('when it is paused until a time: then it goes on by itself', () => expect(recheckOf(paused(NOW + 5_000))).toBe(5_000));
});

test('a spec that cannot be read is told, changes nothing and forgets nothing', () => {
  const one = { ...binding(), spec: problem('spec.roleArn: "x" is not the ARN of a role') };
  const { steps, status, recheckInMs } = planBinding(observed({ binding: one, competingBindings: [one] }));
  expect({ steps, recheckInMs, roles: status.roles }).toEqual({ steps: [], recheckInMs: undefined, roles: [entry()] });
  expect(messagesOf(status)).toEqual({
    Ready: 'Correct the spec of the binding. See condition Authorized',
    Authorized: 'spec.roleArn: "x" is not the ARN of a role',
    Stalled: 'see condition Authorized',
  });
  expect(status.findings).toEqual([{ code: 'InvalidSpec', severity: 'Error' }]);
});

test('what was found is said once: where a condition has the sentence, the finding has the code alone', () => {
  const twice = refusal('TrustWrongAction');
  if (twice.kind !== 'refused') throw new Error('refusal() refuses');
  const other = finding('TrustWrongAction', 'another statement');
  const { status } = planBinding(observed({ verdicts: verdicts({ ...twice, findings: [twice.finding, { ...twice.finding }, other] }) }));
  expect(status.findings).toEqual([{ code: 'TrustWrongAction', severity: 'Error' }, other]);
});
