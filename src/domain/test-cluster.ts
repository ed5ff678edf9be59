import type { BatchWorkload, Container, Namespace, Owner, Pod, Template, Workload } from '../api/cluster.ts';
import type { RestartStep } from './pods/restart/attempt.ts';
import { NOW, pod } from './test-observed.ts';

/** The cluster around a binding, where `test-observed.ts` has the binding itself: healthy without arguments. */
export const replicaSet: Owner = { kind: 'ReplicaSet', name: 'app-5d9c', uid: 'replica-set' };
export const statefulSet: Owner = { kind: 'StatefulSet', name: 'db', uid: 'stateful-set' };
export const daemonSet: Owner = { kind: 'DaemonSet', name: 'agent', uid: 'daemon-set' };
export const job: Owner = { kind: 'Job', name: 'import', uid: 'job' };

export function namespace(labels: Readonly<Record<string, string>> = {}): Namespace {
  return { name: 'shop', labels };
}

/** A pod whose uid tells its name, made half an hour ago. */
export function podOf(owner: Owner | undefined, name: string, part: Partial<Pod> = {}): Pod {
  return pod({ owner, name, uid: `uid-${name}`, createdAt: NOW - 1_800_000, ...part });
}

export function workload(part: Partial<Workload> = {}): Workload {
  return {
    kind: 'Deployment',
    namespace: 'shop',
    name: 'app',
    uid: 'deployment',
    serviceAccountName: 'app',
    appName: undefined,
    template: template(),
    held: undefined,
    revision: undefined,
    outdated: false,
    replicas: 1,
    restartedAt: undefined,
    ...part,
  };
}

export function batchWorkload(part: Partial<BatchWorkload> = {}): BatchWorkload {
  return { kind: 'CronJob', namespace: 'shop', name: 'app', serviceAccountName: 'app', appName: undefined, ...part };
}

/** One container that asks for nothing. */
export function template(...containers: readonly Partial<Container>[]): Template {
  const given = containers.length === 0 ? [{}] : containers;
  return { containers: given.map((part) => ({ name: 'app', env: {}, mountsToken: false, ...part })), hasTokenVolume: false };
}

export function stepInWords(step: RestartStep): string {
  return step.how === 'rollout' ? `rollout ${step.workload.name} ${step.restartedAt}` : `${step.how} ${step.pod.name}`;
}
