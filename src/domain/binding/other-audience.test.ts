import { expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import type { Pod, ServiceAccount } from '../../api/cluster.ts';
import { EKS_ANNOTATIONS, FIELD_MANAGER, FINALIZER } from '../../api/names.ts';
import { EKS_WEBHOOK } from '../../api/webhook.ts';
import { workload } from '../test-cluster.ts';
import { ARN, binding, NOW, observed, pod, serviceAccount } from '../test-observed.ts';
import { planBinding } from './plan.ts';

const { roleArn, audience } = EKS_ANNOTATIONS;
const SECOND = 1_000;
const TOKEN = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';

/** A workload under a webhook that gives `amazonaws.com`, and the planner whose steps are done at once, in virtual time. What became of it in ten minutes. */
function story({ replicas = 2, tokenAudience = EKS_WEBHOOK.tokenAudience } = {}) {
  let now = NOW;
  let one: IrsaBinding = binding({ metadata: { finalizers: [FINALIZER] } });
  let account: ServiceAccount = serviceAccount({});
  let made = 0;
  const newPod = (): Pod => {
    const { [roleArn]: role, [audience]: wanted = 'amazonaws.com' } = account.annotations;
    const env = role === undefined ? {} : { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: TOKEN };
    const name = `app-${++made}`;
    const token = role === undefined ? undefined : wanted;
    return pod({ name, uid: name, createdAt: second(now), tokenAudience: token, ready: token === 'sts.amazonaws.com' }, env);
  };
  let pods: Pod[] = Array.from({ length: replicas }, newPod);
  let evictions = 0;
  const end = NOW + 600 * SECOND;
  while (now < end) {
    const webhook = { ...EKS_WEBHOOK, tokenAudience };
    const plan = planBinding(observed({ now, binding: one, serviceAccount: account, pods, workloads: [workload()], webhook }));
    for (const step of plan.steps) {
      if (step.do === 'annotate') {
        const writers = Object.fromEntries(
          Object.keys(step.annotations).map((key) => [key, [{ manager: FIELD_MANAGER, at: second(now) }]]),
        );
        account = { ...account, annotations: step.annotations, writers };
      }
      if (step.do === 'restart' && step.how === 'evict') {
        evictions++;
        pods = [...pods.filter(({ uid }) => uid !== step.pod.uid), newPod()];
      }
    }
    one = { ...one, status: plan.status };
    now += SECOND;
  }
  const ready = one.status.conditions.find(({ type }) => type === 'Ready');
  return {
    evictions,
    ready: `${ready?.status} ${ready?.reason}`,
    annotations: account.annotations,
    audiences: pods.map((each) => each.tokenAudience),
  };
}

const second = (at: number) => Math.floor(at / SECOND) * SECOND;

// Contract: webhook-audience
test('one replacement shows the audience of the webhook, then each pod is replaced once, and the binding is Ready', () => {
  expect(story()).toEqual({
    evictions: 3,
    ready: 'True Ready',
    annotations: { [roleArn]: ARN, [audience]: 'sts.amazonaws.com' },
    audiences: ['sts.amazonaws.com', 'sts.amazonaws.com'],
  });
});

test.each([1, 3, 5])('of %s pods one more is replaced than there are', (replicas) => {
  expect(story({ replicas })).toMatchObject({ evictions: replicas + 1, ready: 'True Ready' });
});

test('told of that audience, irsa-operator replaces each pod once', () => {
  expect(story({ tokenAudience: 'amazonaws.com' })).toMatchObject({ evictions: 2, ready: 'True Ready' });
});

test('where the annotation does not come to stand, no second pod is spent', () => {
  const account = serviceAccount({ [roleArn]: ARN });
  const shown = pod({ tokenAudience: 'amazonaws.com', createdAt: NOW - 60 * SECOND });
  const { steps } = planBinding(
    observed({
      binding: binding({ metadata: { finalizers: [FINALIZER] } }),
      serviceAccount: account,
      pods: [shown, pod({ name: 'app-2', uid: 'app-2' }, {})],
    }),
  );
  expect(steps.map((step) => step.do)).toEqual(['annotate']);
});
