import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Api, AUDIT_LOG_FILE, type AuditEvent, type Testbed } from '@irsa-operator/testbed';
import { OPERATOR_USER, pathOf } from '../../harness/objects.ts';

export type Counts = ReadonlyMap<string, number>;

/** Calls of AWS by the operator since then (epoch milliseconds), by action. */
export function callsSince({ aws }: Testbed, since: number): Counts {
  return counted(
    aws.journal
      .filter(({ at, userAgent }) => at.getTime() >= since && userAgent.includes('irsa-operator'))
      .map(({ operation, code }) => (code === 'OK' ? operation : `${operation} ${code}`)),
  );
}

const READS = /"verb":"(get|list|watch)"/;

/**
 * Writes to the API server by the operator since then, its Lease apart: `patch irsabindings/status`, and those that were refused with their code.
 * Line by line: the log of ten thousand bindings has a hundred megabytes.
 */
export async function writesSince({ folder }: Testbed, since: number): Promise<Counts> {
  const found: string[] = [];
  for await (const line of createInterface({ input: createReadStream(join(folder, AUDIT_LOG_FILE)) })) {
    // The last one may be half written.
    if (!line.includes(OPERATOR_USER) || READS.test(line) || !line.endsWith('}')) continue;
    const { verb, objectRef, requestURI, requestReceivedTimestamp, responseStatus } = JSON.parse(line) as AuditEvent;
    if (Date.parse(requestReceivedTimestamp) < since || objectRef === undefined || objectRef.resource === 'leases') continue;
    // A question in the form of a write changes nothing.
    if (requestURI.includes('dryRun=All') || objectRef.resource.startsWith('selfsubject')) continue;
    const what = [objectRef.resource, objectRef.subresource].filter(Boolean).join('/');
    const code = responseStatus?.code ?? 0;
    found.push(`${verb} ${what}${code >= 300 ? ` ${code}` : ''}`);
  }
  return counted(found);
}

/** Of all namespaces, by reason; a series counts once. */
export async function eventsByReason(api: Api): Promise<Counts> {
  const reasons: string[] = [];
  let from: string | undefined = '';
  while (from !== undefined) {
    const page: Events = await api.call('GET', `${pathOf('events')}?limit=${PAGE}&continue=${from}`);
    reasons.push(...page.items.map(({ reason }) => reason));
    from = page.metadata.continue || undefined;
  }
  return counted(reasons);
}

/** A page of some hundred kilobytes. */
const PAGE = 500;
interface Events {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly { readonly reason: string }[];
}

export function sum(counts: Counts, which: (what: string) => boolean = () => true): number {
  return [...counts].reduce((total, [what, count]) => total + (which(what) ? count : 0), 0);
}

/** The most frequent first. */
export function inWords(counts: Counts): string {
  return (
    [...counts]
      .toSorted(([, a], [, b]) => b - a)
      .map(([what, count]) => `${count} ${what}`)
      .join(', ') || 'none'
  );
}

function counted(all: readonly string[]): Counts {
  const counts = new Map<string, number>();
  for (const one of all) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
}
