import { setTimeout as sleep } from 'node:timers/promises';
import type { STSClient } from '@aws-sdk/client-sts';
import { type Api, ApiError } from '../api.ts';
import { WORKLOAD_LABEL } from '../control-plane/kwok.ts';
import { follow } from '../follow.ts';
import { refusalOf } from './credentials.ts';
import { injectionOf } from './injection.ts';
import type { Container, Pod, PodStatus } from './pod.ts';
import { isRunning, type Outcome, statusAfter } from './status.ts';

/** A real kubelet starts at ten seconds and ends at five minutes: too long to watch a repair. */
const BACK_OFF_MS = [1_000, 2_000, 4_000, 5_000] as const;

/** After a call to the API server that failed: it is down or busy, not the pod's fault. */
const RETRY_MS = 1_000;

/** Nodes that kwok plays. On a real cluster the other nodes have a kubelet of their own. */
const NODE_PREFIX = 'kwok-';

/** One life of a pod, or its end, on its way. */
interface Task {
  of: 'life' | 'end';
  stop: AbortController;
}

/**
 * Plays the kubelet of the pods with the label `testbed.irsa-operator.dev/workload: aws` until the signal: such a pod becomes Ready only
 * if STS lets each of its containers in by what was injected into it. Once Ready it stays so. Never throws.
 */
export async function runKubelet(api: Api, sts: STSClient, signal: AbortSignal): Promise<void> {
  const tasks = new Map<string, Task>();
  const running = new Set<Promise<void>>();

  function begin(pod: Pod, of: Task['of'], work: (pod: Pod, signal: AbortSignal) => Promise<void>): void {
    const { uid } = pod.metadata;
    const current = tasks.get(uid);
    if (current?.of === of) return; // one event of many about the same pod
    current?.stop.abort();
    const stop = new AbortController();
    tasks.set(uid, { of, stop });
    const done = persist(work, pod, AbortSignal.any([signal, stop.signal]));
    running.add(done);
    void done.then(() => running.delete(done));
  }

  const follower = {
    present(pod: Pod): void {
      if (!isOurs(pod)) return;
      if (pod.metadata.deletionTimestamp === undefined) begin(pod, 'life', (each, until) => live(each, api, sts, until));
      else begin(pod, 'end', (each, until) => end(each, api, until));
    },
    gone({ metadata: { uid } }: Pod): void {
      tasks.get(uid)?.stop.abort();
      tasks.delete(uid);
    },
  };
  await follow<Pod>(api, '/api/v1/pods', `labelSelector=${encodeURIComponent(`${WORKLOAD_LABEL}=aws`)}`, follower, signal);
  await Promise.all(running);
}

function isOurs({ spec, status }: Pod): boolean {
  return (spec.nodeName?.startsWith(NODE_PREFIX) ?? false) && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

/** Until it is done, or the pod is gone, or its time is over. */
async function persist(work: (pod: Pod, signal: AbortSignal) => Promise<void>, pod: Pod, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await work(pod, signal);
      return;
    } catch (error) {
      if (isGone(error)) return;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
}

/** Tries the containers that do not run, with longer and longer pauses, until all of them do. */
async function live({ metadata }: Pod, api: Api, sts: STSClient, signal: AbortSignal): Promise<void> {
  let pod = await api.call<Pod>('GET', podPath(metadata), { signal }); // the restarts that are counted in it are ours
  if (pod.metadata.uid !== metadata.uid) return;
  for (let attempt = 0; ; attempt++) {
    const stopped = pod.spec.containers.filter((container) => !isRunning(pod, container));
    if (stopped.length === 0) return;
    const backOffMs = backOff(attempt);
    const outcomes = new Map<string, Outcome>();
    for (const container of stopped) outcomes.set(container.name, await start(container, pod, backOffMs, api, sts, signal));
    pod = await writeStatus(pod, statusAfter(pod, outcomes, secondsOf(new Date())), api, signal);
    if ([...outcomes.values()].every(({ kind }) => kind === 'running')) return;
    await sleep(backOffMs, undefined, { signal });
  }
}

/** A container without anything injected, beside one that has it, is a sidecar that does not use AWS: it just runs. */
async function start(container: Container, pod: Pod, backOffMs: number, api: Api, sts: STSClient, signal: AbortSignal): Promise<Outcome> {
  const injection = injectionOf(container, pod.spec);
  const isSidecar = injection.kind === 'none' && pod.spec.containers.some((each) => injectionOf(each, pod.spec).kind !== 'none');
  const refusal = isSidecar ? undefined : await refusalOf(injection, pod, api, sts, signal);
  return refusal === undefined ? { kind: 'running' } : { ...refusal, backOffMs };
}

export function backOff(attempt: number): number {
  return BACK_OFF_MS[Math.min(attempt, BACK_OFF_MS.length - 1)] ?? BACK_OFF_MS[0];
}

/** Returns the pod as it is then. The uid makes it fail on a pod that was replaced by another of the same name. */
function writeStatus(pod: Pod, status: PodStatus, api: Api, signal: AbortSignal): Promise<Pod> {
  const body = { metadata: { uid: pod.metadata.uid }, status };
  return api.call('PATCH', `${podPath(pod.metadata)}/status`, { patch: 'strategic-merge', body, signal });
}

/** There is nothing to shut down: the pod goes at once. */
async function end({ metadata }: Pod, api: Api, signal: AbortSignal): Promise<void> {
  const body = { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } };
  await api.call('DELETE', podPath(metadata), { body, signal });
}

function podPath({ namespace, name }: Pod['metadata']): string {
  return `/api/v1/namespaces/${namespace}/pods/${name}`;
}

function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

function secondsOf(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
