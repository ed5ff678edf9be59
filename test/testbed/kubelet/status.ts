import type { Condition, Container, ContainerStatus, Pod, PodStatus } from './pod.ts';

/** How one container's start went. */
export type Outcome =
  | { kind: 'running' }
  /** The program ended with this as its last words. */
  | { kind: 'crashed'; message: string; backOffMs: number }
  /** It could not be started, because a volume could not be made. */
  | { kind: 'notMounted'; message: string };

/** The status of a pod after its containers were tried. `now`: RFC 3339, to the second. A container without an outcome stays as it is. */
export function statusAfter(pod: Pod, outcomes: ReadonlyMap<string, Outcome>, now: string): PodStatus {
  const before = pod.status?.containerStatuses ?? [];
  const containerStatuses = pod.spec.containers.map((container) => {
    const previous = before.find(({ name }) => name === container.name) ?? created(container);
    const outcome = outcomes.get(container.name);
    return outcome === undefined ? previous : next(previous, outcome, pod, now);
  });
  const unready = containerStatuses.filter(({ ready }) => !ready).map(({ name }) => name);
  const condition = (type: string, ready: boolean): Condition => {
    const status = ready ? 'True' : 'False';
    const standing = pod.status?.conditions?.find((each) => each.type === type);
    return {
      type,
      status,
      reason: ready ? null : 'ContainersNotReady', // null takes away what stood there: this becomes a patch
      message: ready ? null : `containers with unready status: [${unready.join(' ')}]`,
      lastTransitionTime: standing?.status === status ? standing.lastTransitionTime : now,
    };
  };
  const ready = unready.length === 0;
  return {
    phase: containerStatuses.some(({ restartCount, state }) => restartCount > 0 || state.running !== undefined) ? 'Running' : 'Pending',
    startTime: pod.status?.startTime ?? now,
    conditions: [condition('Initialized', true), condition('ContainersReady', ready), condition('Ready', ready)],
    containerStatuses,
  };
}

export function isRunning(pod: Pod, container: Container): boolean {
  return pod.status?.containerStatuses?.some(({ name, state }) => name === container.name && state.running !== undefined) ?? false;
}

function created({ name, image = '' }: Container): ContainerStatus {
  return { name, image, imageID: '', ready: false, started: false, restartCount: 0, state: { waiting: { reason: 'ContainerCreating' } } };
}

function next(previous: ContainerStatus, outcome: Outcome, { metadata }: Pod, now: string): ContainerStatus {
  switch (outcome.kind) {
    case 'running':
      return { ...previous, ready: true, started: true, state: { running: { startedAt: now } } };
    case 'notMounted':
      return { ...previous, state: { waiting: { reason: 'ContainerCreating', message: outcome.message } } };
    case 'crashed': {
      const where = `container=${previous.name} pod=${metadata.name}_${metadata.namespace}(${metadata.uid})`;
      const message = `back-off ${outcome.backOffMs / 1000}s restarting failed ${where}`;
      return {
        ...previous,
        ready: false,
        started: false,
        restartCount: previous.restartCount + 1,
        state: { waiting: { reason: 'CrashLoopBackOff', message } },
        lastState: { terminated: { exitCode: 1, reason: 'Error', message: outcome.message, startedAt: now, finishedAt: now } },
      };
    }
  }
}
