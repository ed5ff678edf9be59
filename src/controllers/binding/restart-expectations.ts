import type { Pod, Workload } from '../../api/cluster.ts';
import type { RestartStep } from '../../domain/pods/restart/attempt.ts';
import { UNSEEN_MOST_MS } from './write-expectations.ts';

/**
 * Our restarts that the watch has not shown yet. To decide on the pods before them is to ask for the same one again, or for a second one
 * where one may go.
 */
export class RestartExpectations {
  /** By uid of the pod or workload: when, and the step. */
  readonly #done = new Map<string, { readonly at: number; readonly step: RestartStep }>();

  expect(step: RestartStep, now: number): void {
    this.#done.set(step.how === 'rollout' ? step.workload.uid : step.pod.uid, { at: now, step });
  }

  /** What the watch shows, as it is after them: pods that are going, templates that are changed. */
  applyTo<View extends { readonly pods: readonly Pod[]; readonly workloads: readonly Workload[] }>(view: View, now: number): View {
    for (const [uid, { at }] of this.#done) if (now - at > UNSEEN_MOST_MS) this.#done.delete(uid);
    if (this.#done.size === 0) return view;
    return {
      ...view,
      pods: view.pods.map((pod) => {
        const done = this.#done.get(pod.uid);
        return done === undefined ? pod : { ...pod, deleting: true, deletingSince: pod.deletingSince ?? done.at };
      }),
      workloads: view.workloads.map((workload) => {
        const step = this.#done.get(workload.uid)?.step;
        return step?.how === 'rollout' ? { ...workload, restartedAt: step.restartedAt } : workload;
      }),
    };
  }
}
