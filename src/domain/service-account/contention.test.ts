import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import type { ServiceAccount } from '../../api/cluster.ts';
import { conditionOf } from '../../api/condition.ts';
import { EKS_ANNOTATIONS } from '../../api/names.ts';
import { problem } from '../../api/problem.ts';
import { planBinding } from '../binding/plan.ts';
import { type Contention, NO_CONTENTION, recordRevert } from '../state/contention.ts';
import { ARN, binding, NOW, type ObservedPart, observed, serviceAccount } from '../test-observed.ts';
import { ADMISSION, isRevertedWithin, revertedBy } from './contention.ts';

const OTHER = 'arn:aws:iam::111122223333:role/other';
const MINUTE = 60_000;
const theirs = (by = 'helm') => serviceAccount({ [EKS_ANNOTATIONS.roleArn]: OTHER }, by);

const reverts: Record<
  string,
  {
    readonly from?: ServiceAccount;
    readonly to: ServiceAccount;
    readonly binding?: IrsaBinding;
    readonly by: readonly string[] | undefined;
  }
> = {
  "ours stood, and somebody else's value shows": { to: theirs(), by: ['helm'] },
  'ours stood, and nothing shows: nobody signs for a removal': { to: serviceAccount({}), by: [] },
  'ours stands': { to: serviceAccount(), by: undefined },
  'ours did not stand': { from: theirs('helm'), to: theirs('argocd-controller'), by: undefined },
  'only the right value of somebody else stood': { from: serviceAccount(undefined, 'helm'), to: theirs(), by: undefined },
  'somebody else came to hold the same value': { to: serviceAccount(undefined, 'helm'), by: undefined },
  'the user changed the binding: then it is we who change it': {
    to: serviceAccount(),
    binding: binding({ spec: { roleArn: OTHER } }),
    by: undefined,
  },
  'the ServiceAccount was made again': { to: { ...serviceAccount({}), uid: 'another' }, by: undefined },
  'the binding only looks': { to: theirs(), binding: binding({ spec: { mode: 'Observe' } }), by: undefined },
  'the binding is suspended': { to: theirs(), binding: binding({ spec: { suspend: true } }), by: undefined },
  'the binding is being deleted': { to: serviceAccount({}), binding: binding({ metadata: { deleting: true } }), by: undefined },
  'the binding cannot be read': { to: theirs(), binding: { ...binding(), spec: problem('x') }, by: undefined },
};
describe('a revert is', () => {
  for (const [sentence, { from = serviceAccount(), to, binding: one = binding(), by }] of Object.entries(reverts)) {
    test(`${by === undefined ? 'not counted' : 'counted'} when ${sentence}`, () => expect(revertedBy(from, to, one)).toEqual(by));
  }
});

const AUDIENCE = EKS_ANNOTATIONS.audience;
const SENT = { [EKS_ANNOTATIONS.roleArn]: ARN };
const unsigned = (annotations: Record<string, string>): ServiceAccount => ({ ...serviceAccount(annotations), writers: {} });
const own = serviceAccount({ ...SENT, [AUDIENCE]: 'x' });
const within: Record<string, { before?: ServiceAccount; answered: ServiceAccount; sent?: Record<string, string>; counts: boolean }> = {
  'the answer has what was sent': { answered: serviceAccount(), counts: false },
  'the answer has what was sent, without a writer': { answered: unsigned(SENT), counts: false },
  'the answer has another value': { answered: serviceAccount({ [EKS_ANNOTATIONS.roleArn]: OTHER }), counts: true },
  'the answer has none': { answered: serviceAccount({}), counts: true },
  'the answer has an empty value': { answered: serviceAccount({ [EKS_ANNOTATIONS.roleArn]: '' }), counts: true },
  'the answer lacks one of two': { sent: { ...SENT, [AUDIENCE]: 'x' }, answered: serviceAccount(), counts: true },
  'the answer has one of two with another value': {
    sent: { ...SENT, [AUDIENCE]: 'x' },
    answered: serviceAccount({ ...SENT, [AUDIENCE]: 'y' }),
    counts: true,
  },
  'a key was added that was not ours': { answered: unsigned({ ...SENT, [AUDIENCE]: 'x' }), counts: false },
  'a key that only we held and removed is there again': {
    before: own,
    answered: { ...own, writers: serviceAccount().writers },
    counts: true,
  },
  'a key that we removed belongs to another writer': {
    before: own,
    answered: { ...own, writers: serviceAccount({ [AUDIENCE]: 'x' }, 'helm').writers },
    counts: false,
  },
  'a key that we removed is gone': { before: own, answered: serviceAccount(), counts: false },
  'everything was removed and is gone': { before: own, sent: {}, answered: serviceAccount({}), counts: false },
};
describe('within our own request a revert is', () => {
  for (const [sentence, { before = serviceAccount({}), sent = SENT, answered, counts }] of Object.entries(within))
    test(`${counts ? 'counted' : 'not counted'} when ${sentence}`, () => expect(isRevertedWithin(sent, before, answered)).toBe(counts));
});

const contentionAgo = (minutesAgo: readonly number[], by: readonly string[] = ['helm']): Contention =>
  minutesAgo.reduce((contention, minutes) => recordRevert(contention, NOW - minutes * MINUTE, by), NO_CONTENTION);
const plan = (contention: Contention, part: ObservedPart = {}) => {
  const { steps, status, recheckInMs } = planBinding(observed({ serviceAccount: theirs(), contention, ...part }));
  const annotated = conditionOf(status.conditions, 'Annotated');
  return {
    steps: steps.map((step) => step.do),
    says: [annotated?.status, annotated?.reason],
    stalled: conditionOf(status.conditions, 'Stalled')?.reason,
    findings: (status.findings ?? []).map(({ code }) => code),
    minutes: recheckInMs === undefined ? undefined : recheckInMs / MINUTE,
  };
};

describe('contention', () => {
  test('of one revert is a repair at once', () =>
    expect(plan(contentionAgo([0]))).toEqual({
      steps: ['annotate'],
      says: ['False', 'AnnotationRoleMismatch'],
      stalled: undefined,
      findings: ['AnnotationRoleMismatch'],
      minutes: undefined,
    }));
  test('of three in a day is told, and repaired at once', () =>
    expect(plan(contentionAgo([1_000, 500, 0]))).toEqual({
      steps: ['annotate'],
      says: ['False', 'AnnotationRoleMismatch'],
      stalled: undefined,
      findings: ['AnnotationRoleMismatch', 'Contended'],
      minutes: undefined,
    }));
  test('of three in ten minutes waits, and only those who contend can end it', () =>
    expect(plan(contentionAgo([2, 1, 0]))).toEqual({
      steps: [],
      says: ['False', 'Contended'],
      stalled: 'Contended',
      findings: ['Contended', 'AnnotationRoleMismatch'],
      minutes: 5,
    }));
  test('is taken up again after five minutes', () =>
    expect(plan(contentionAgo([7, 6, 5]))).toEqual({
      steps: ['annotate'],
      says: ['False', 'Contended'],
      stalled: 'Contended',
      findings: ['Contended', 'AnnotationRoleMismatch'],
      minutes: undefined,
    }));
  test('is told while ours stands again', () =>
    expect(plan(contentionAgo([7, 6, 5]), { serviceAccount: serviceAccount() })).toEqual({
      steps: [],
      says: ['True', 'Annotated'],
      stalled: undefined,
      findings: ['Contended'],
      minutes: undefined,
    }));

  const advice: Record<string, { readonly by: readonly string[]; readonly contains: readonly string[] }> = {
    Helm: { by: ['helm'], contains: ['"helm" keeps overwriting', "Helm: remove the key from the chart's values"] },
    'Argo CD': {
      by: ['argocd-controller'],
      contains: ['"argocd-controller"', 'Argo CD: ignoreDifferences', 'RespectIgnoreDifferences=true'],
    },
    Flux: { by: ['kustomize-controller'], contains: ['"kustomize-controller"', 'Flux: remove the key from the manifest'] },
    'Flux, by a HelmRelease': { by: ['helm-controller'], contains: ['"helm-controller"', "Helm: remove the key from the chart's values"] },
    Terraform: {
      by: ['Terraform'],
      contains: ['"Terraform" keeps overwriting', 'Terraform: remove the key', 'ignore_changes = [metadata[0].annotations]'],
    },
    'Terraform, by the name of its client': { by: ['HashiCorp'], contains: ['"HashiCorp" keeps overwriting', 'Terraform: remove the key'] },
    kubectl: { by: ['kubectl-client-side-apply'], contains: ['"kubectl-client-side-apply"', 'kubectl: remove the key'] },
    'whoever it is': { by: ['our-own-thing'], contains: ['"our-own-thing"', 'Configure that client to ignore these keys'] },
    'a policy of the API server': {
      by: [ADMISSION],
      contains: ['a mutating webhook or policy keeps overwriting', 'kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies'],
    },
    nobody: { by: [], contains: ['another client (the API server keeps no name of who removes a key)'] },
  };
  for (const [who, { by, contains }] of Object.entries(advice)) {
    test(`with ${who} names it, quotes both values and says what to do`, () => {
      const { status } = planBinding(observed({ serviceAccount: theirs(), contention: contentionAgo([2, 1, 0], by) }));
      const message = conditionOf(status.conditions, 'Annotated')?.message ?? '';
      expect([...contains, OTHER, ARN, 'once in 5 minutes'].filter((part) => !message.includes(part))).toEqual([]);
    });
  }
});
