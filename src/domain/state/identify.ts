import { isFault } from '../../api/fault.ts';
import { parseIssuer } from '../../api/issuer.ts';
import { isProblem } from '../../api/problem.ts';
import { DEFAULT_POLICY_QUOTA } from '../../api/quota.ts';
import type { CallerView, ClusterView } from './identity.ts';

type Answer<T> = PromiseSettledResult<T>;

/** What each source says of the issuer. EKS is asked only where the name of the cluster was given; it may know of no issuer. */
export interface IssuerAnswers {
  readonly apiServer: Answer<string>;
  readonly eks: Answer<string | undefined> | undefined;
}

/**
 * The sources must agree: a wrong issuer would let in another cluster's ServiceAccounts. Once known, the issuer stays known while a source
 * merely does not answer (it never changes while a cluster lives); not when one says something else, or that it will not tell.
 */
export function clusterFrom({ apiServer, eks }: IssuerAnswers, before: ClusterView): ClusterView {
  const asked: readonly Answer<string | undefined>[] = eks === undefined ? [apiServer] : [apiServer, eks];
  const failures = asked.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  const told = asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const terminal = failures.find((reason) => !mayPass(reason));
  if (terminal !== undefined) return unknown(whyOf(terminal));
  if (apiServer.status === 'fulfilled' && told.some((each) => each !== apiServer.value)) {
    const other = told[1] === undefined ? 'that the cluster has no issuer' : `"${told[1]}"`;
    return unknown(
      `the API server issues tokens as "${apiServer.value}", and eks:DescribeCluster says ${other}: is --eks-cluster-name the name of this cluster?`,
    );
  }
  if (failures.length === 0) {
    const issuer = parseIssuer(told[0] ?? '');
    if (isProblem(issuer)) return { ...unknown(issuer.problem), notPublic: true };
    return { kind: 'known', issuer };
  }
  if (before.kind === 'unknown') return unknown(whyOf(failures[0]));
  if (told.every((each) => each === before.issuer)) return before;
  return unknown(
    `the issuer was "${before.issuer}" and is now reported as "${told[0]}", and not every source answers: ${whyOf(failures[0])}`,
  );
}

/** Who we are stays known while AWS merely does not answer. */
export function callerFrom(caller: Answer<CallerView>, before: CallerView): CallerView {
  if (caller.status === 'fulfilled') return caller.value;
  return before.kind === 'known' && mayPass(caller.reason) ? before : unknown(whyOf(caller.reason));
}

/** Characters that the account allows for a trust policy; undefined while it was never heard. */
export function quotaFrom(quota: Answer<number>, before: number | undefined): number | undefined {
  if (quota.status === 'fulfilled') return quota.value;
  return isFault(quota.reason, 'denied') ? (before ?? DEFAULT_POLICY_QUOTA) : before;
}

/** Throttled, without an answer, in conflict, or a bug of ours: nothing was said about what was asked. */
export function mayPass(reason: unknown): boolean {
  return !(isFault(reason, 'denied') || isFault(reason, 'notFound') || isFault(reason, 'invalid'));
}

function whyOf(reason: unknown): string {
  return isFault(reason) ? reason.told : 'unexpected error';
}

function unknown(why: string): { readonly kind: 'unknown'; readonly why: string } {
  return { kind: 'unknown', why };
}
