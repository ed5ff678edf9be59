import { describe, expect, test } from 'vitest';
import type { ServiceAccount } from '../../api/cluster.ts';
import { EKS_ANNOTATIONS, FIELD_MANAGER } from '../../api/names.ts';
import { EKS_WEBHOOK } from '../../api/webhook.ts';
import { planBinding } from '../binding/plan.ts';
import { workload } from '../test-cluster.ts';
import { ARN, binding, NOW, type ObservedPart, observed, pod, serviceAccount } from '../test-observed.ts';
import { webhookAudience } from './webhook-audience.ts';

const { roleArn, audience } = EKS_ANNOTATIONS;
const MINUTE = 60_000;
/** When the operator annotated the ServiceAccount: an hour ago. */
const ANNOTATED = NOW - 60 * MINUTE;
const OTHER = 'amazonaws.com';
const fresh = (part: object = {}) => pod({ tokenAudience: OTHER, createdAt: NOW - MINUTE, ...part });

function foundWith(part: ObservedPart = {}): string | undefined {
  const seen = observed({ pods: [fresh()], ...part });
  return webhookAudience(seen, binding().spec as never);
}

describe('the audience that the webhook gives by itself', () => {
  const annotatedWith = (annotations: Record<string, string>, by?: string): ServiceAccount => serviceAccount(annotations, by);
  const shown: Record<string, ObservedPart> = {
    'a pod that was made since the annotation shows': {},
    'one such pod among others shows': { pods: [pod(), pod({ name: 'app-2', uid: 'pod-2' }), fresh({ name: 'app-3', uid: 'pod-3' })] },
    'a pod that is not ready shows': { pods: [fresh({ ready: false })] },
    'a pod of a known template shows': { workloads: [workload()] },
    'a pod of an annotation that others wrote shows': { serviceAccount: annotatedWith({ [roleArn]: ARN }, 'helm') },
  };
  for (const [sentence, part] of Object.entries(shown)) test(sentence, () => expect(foundWith(part)).toBe(OTHER));

  const not: Record<string, ObservedPart> = {
    'no pod shows': { pods: [] },
    'a pod with the wanted audience does not': { pods: [pod()] },
    'a pod that was made before the annotation does not': { pods: [fresh({ createdAt: ANNOTATED - MINUTE })] },
    'a pod of the seconds in which the webhook may still answer from its cache does not': {
      pods: [fresh({ createdAt: ANNOTATED + 5_000 })],
    },
    'a pod that is being deleted does not': { pods: [fresh({ deleting: true })] },
    'a pod that has ended does not': { pods: [fresh({ finished: true })] },
    'a pod of another role does not': {
      pods: [pod({ tokenAudience: OTHER }, { AWS_ROLE_ARN: `${ARN}2`, AWS_WEB_IDENTITY_TOKEN_FILE: '/x' })],
    },
    'a pod without a token does not': { pods: [fresh({ tokenAudience: undefined })] },
    'a pod whose template has a volume of that name does not': {
      pods: [fresh({ owner: { kind: 'StatefulSet', name: 'app', uid: 'stateful-set' } })],
      workloads: [workload({ kind: 'StatefulSet', uid: 'stateful-set', template: { ...workload().template, hasTokenVolume: true } })],
    },
    'an audience that the ServiceAccount names does not': { serviceAccount: annotatedWith({ [roleArn]: ARN, [audience]: OTHER }) },
    'a ServiceAccount of which nobody knows when it was annotated does not': {
      serviceAccount: { ...annotatedWith({ [roleArn]: ARN }), writers: {} },
    },
    'a ServiceAccount with another role does not': { serviceAccount: annotatedWith({ [roleArn]: `${ARN}2` }) },
    'a ServiceAccount that is gone does not': { serviceAccount: undefined },
  };
  for (const [sentence, part] of Object.entries(not)) test(sentence, () => expect(foundWith(part)).toBeUndefined());
});

/** What is done and said of it, by the planner of the whole binding. */
function planned(part: ObservedPart = {}) {
  const { steps, status } = planBinding(observed({ pods: [fresh()], ...part }));
  const condition = status.conditions.find(({ type }) => type === 'Annotated');
  return { steps, condition: [condition?.status, condition?.reason], message: condition?.message ?? '' };
}

// Contract: webhook-audience
describe('a webhook with another --token-audience', () => {
  const finalizers = { metadata: { finalizers: ['irsa-operator.dev/finalizer'] } };
  test('gets the audience by annotation, and no pod is restarted before', () => {
    const { steps, condition, message } = planned({ binding: binding(finalizers) });
    expect(steps).toEqual([{ do: 'annotate', annotations: { [roleArn]: ARN, [audience]: 'sts.amazonaws.com' } }]);
    expect(condition).toEqual(['False', 'AudienceAnnotationMismatch']);
    expect(message).toContain('--token-audience');
    expect(message).toContain('"amazonaws.com"');
  });
  test('is told where the binding only observes', () => {
    const { steps, condition, message } = planned({ binding: binding({ ...finalizers, spec: { mode: 'Observe' } }) });
    expect([steps, condition]).toEqual([[], ['False', 'AudienceAnnotationMismatch']]);
    expect(message).toContain('--token-audience');
  });
  test('is known from the flag without any pod', () => {
    const { steps } = planned({ binding: binding(finalizers), pods: [], webhook: { ...EKS_WEBHOOK, tokenAudience: OTHER } });
    expect(steps).toEqual([{ do: 'annotate', annotations: { [roleArn]: ARN, [audience]: 'sts.amazonaws.com' } }]);
  });
  test('needs no annotation where the binding wants that audience', () => {
    const one = binding({ ...finalizers, spec: { audience: OTHER } });
    const { condition } = planned({ binding: one, webhook: { ...EKS_WEBHOOK, tokenAudience: OTHER } });
    expect(condition[1]).not.toBe('AudienceAnnotationMismatch');
  });
  test('keeps the annotation once it is there, whatever the pods show', () => {
    const annotations = { [roleArn]: ARN, [audience]: 'sts.amazonaws.com' };
    const { steps, condition } = planned({
      binding: binding(finalizers),
      pods: [pod()],
      serviceAccount: serviceAccount(annotations, FIELD_MANAGER),
    });
    expect([steps, condition[0]]).toEqual([[], 'True']);
  });
});
