import { expect, test } from 'vitest';
import { finding } from '../../api/finding.ts';
import { EKS_ANNOTATIONS } from '../../api/names.ts';
import { onlyLookedAt } from '../../dry-run.ts';
import type { Verdict } from '../state/verdict.ts';
import { ARN, binding, entry, type ObservedPart, OTHER_ARN, observed, pod, SUBJECT, serviceAccount } from '../test-observed.ts';
import { planBinding } from './plan.ts';

const missing = finding('TrustWrongAction', 'x');
const refused = (wouldWrite: string | undefined): Verdict => ({
  kind: 'refused',
  finding: missing,
  findings: [missing],
  size: undefined,
  terminal: true,
  mayStand: false,
  wouldWrite,
});
const verdicts = (wouldWrite?: string) => new Map([[ARN, refused(wouldWrite)]]);
const observe = (spec: object = {}, status: object = {}) => binding({ spec: { mode: 'Observe', ...spec }, status });
const annotate = `annotate ServiceAccount "app" with ${EKS_ANNOTATIONS.roleArn}: "${ARN}"`;
const none = { serviceAccount: serviceAccount({}), pods: [pod({}, {})] };

const cases: Record<string, { readonly seen: ObservedPart; readonly plan: readonly string[] | undefined }> = {
  'nothing, where all is in order': { seen: { binding: observe() }, plan: undefined },
  'every step, in their order': {
    seen: { ...none, binding: observe(), verdicts: verdicts('add it') },
    plan: ['add it', annotate, 'restart 1 pods that lack the role, one first'],
  },
  'no restart, where pods are never restarted': {
    seen: { ...none, binding: observe({ restart: { strategy: 'Never' } }) },
    plan: [annotate],
  },
  'nothing behind a step that we may not take: nothing that we write would help': {
    seen: { ...none, binding: observe(), verdicts: verdicts() },
    plan: undefined,
  },
  'nothing behind a trust policy that somebody else writes': {
    seen: { ...none, binding: observe({ trustPolicy: 'External' }), verdicts: verdicts('add it') },
    plan: undefined,
  },
  'nothing behind a provider that is missing': {
    seen: { ...none, binding: observe(), provider: { kind: 'missing', similar: [] } },
    plan: undefined,
  },
  'nothing of a role that no grant allows': {
    seen: { ...none, binding: observe(), verdicts: verdicts('add it'), grants: [] },
    plan: undefined,
  },
  'the release of a former role': {
    seen: { binding: observe({}, { roles: [entry(OTHER_ARN), entry()] }) },
    plan: [`remove "${SUBJECT}" from the statement of irsa-operator in the trust policy of "${OTHER_ARN}", once all of this works`],
  },
  'the key that would be taken away': {
    seen: {
      binding: observe(),
      serviceAccount: serviceAccount({ [EKS_ANNOTATIONS.roleArn]: ARN, [EKS_ANNOTATIONS.tokenExpiration]: '3600' }),
    },
    plan: [annotate],
  },
  'the same while suspended': {
    seen: { ...none, binding: binding({ spec: { suspend: true } }) },
    plan: [annotate, 'restart 1 pods that lack the role, one first'],
  },
  'nothing while it enforces: it does it': { seen: none, plan: undefined },
  'the same in a dry run, whatever the binding says': {
    seen: { ...none, binding: onlyLookedAt(binding()) },
    plan: [annotate, 'restart 1 pods that lack the role, one first'],
  },
};
for (const [sentence, { seen, plan }] of Object.entries(cases)) {
  test(`the plan in words has ${sentence}`, () => expect(planBinding(observed(seen)).status.plan).toEqual(plan));
}

test('in a dry run a binding that is deleted goes, and keeps what stands', () => {
  const deleted = onlyLookedAt(binding({ metadata: { deleting: true } }));
  expect(planBinding(observed({ binding: deleted })).steps).toEqual([{ do: 'removeFinalizer' }]);
});
