import { cut } from '../api/cut.ts';
import type { Answer } from './faults.ts';
import { faultOf, statusOf } from './faults.ts';
import { objectPath } from './paths.ts';
import { POD } from './resource-types.ts';
import type { Requests } from './transport.ts';

export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  /** The pod that was meant: its successor may carry its name (StatefulSet) and must not be touched. */
  readonly uid: string;
}

/** A pod as it was looked at. */
export interface PodAsSeen extends PodRef {
  readonly resourceVersion: string;
}

/** `changed`: it is not as it was looked at any more. */
export type Deletion = 'deleted' | 'gone' | 'changed';

export type Eviction =
  | { readonly kind: 'evicted' }
  /** It is not there any more, or another pod has its name. */
  | { readonly kind: 'gone' }
  /** A PodDisruptionBudget does not allow it now. */
  | { readonly kind: 'blocked'; readonly message: string; readonly retryAfterMs: number | undefined }
  /** More than one PodDisruptionBudget covers the pod: the API evicts it never. */
  | { readonly kind: 'ambiguous'; readonly message: string };

/** The cause by which the API server tells a budget's refusal from its own being busy: both are 429. */
const BUDGET = 'DisruptionBudget';
/** An answer of 500 with this in its message is for ever; the API server has no code for it. */
const SEVERAL_BUDGETS = /more than one PodDisruptionBudget/;

/** It names budgets, and is kept until the pod is gone. */
const MAX_REASON = 1_024;

/** Asks for a pod's eviction, which honours its PodDisruptionBudget. */
export async function evict(transport: Requests, pod: PodRef, signal: AbortSignal): Promise<Eviction> {
  const path = objectPath(POD, pod, 'eviction');
  const body = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: pod.name, namespace: pod.namespace },
    deleteOptions: { preconditions: { uid: pod.uid } },
  };
  // A budget's "later" is a fact about the workload, and not worth a worker that waits for it.
  const answer = await transport.exchange({ method: 'POST', path, body, noRetry: [429] }, signal);
  if (answer.code < 300) return { kind: 'evicted' };
  if (isGone(answer)) return { kind: 'gone' };
  const status = statusOf(answer.body);
  const message = cut(status.message ?? 'no reason given', MAX_REASON);
  if (answer.code === 429 && status.details?.causes?.some(({ reason }) => reason === BUDGET)) {
    return { kind: 'blocked', message, retryAfterMs: answer.retryAfterMs };
  }
  if (answer.code === 500 && SEVERAL_BUDGETS.test(message)) return { kind: 'ambiguous', message };
  throw faultOf(`POST ${path}`, answer);
}

/**
 * Deletes a pod whatever its budget says: for one that is not ready and that its budget would keep for ever. Only as it was looked at: it may
 * have become ready since, and then the budget protects it.
 */
export async function deletePod(transport: Requests, pod: PodAsSeen, signal: AbortSignal): Promise<Deletion> {
  const { uid, resourceVersion } = pod;
  const path = objectPath(POD, pod);
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
  const answer = await transport.exchange({ method: 'DELETE', path, body }, signal);
  if (answer.code < 300) return 'deleted';
  if (isGone(answer)) return 'gone';
  if (doesNotFit(answer, 'ResourceVersion')) return 'changed';
  throw faultOf(`DELETE ${path}`, answer);
}

function isGone(answer: Answer): boolean {
  return answer.code === 404 || doesNotFit(answer, 'UID');
}

/** 409 is also the answer to what changed while it was written, which is tried again; the API server tells a precondition in words only. */
function doesNotFit(answer: Answer, precondition: 'UID' | 'ResourceVersion'): boolean {
  return answer.code === 409 && new RegExp(`\\b${precondition} in (the )?precondition\\b`).test(statusOf(answer.body).message ?? '');
}
