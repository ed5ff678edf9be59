import { Fault } from '../api/fault.ts';
import { listWatch, type Resource } from './list-watch.ts';
import type { Transport } from './transport.ts';

/** Most kinds fit one page; more pages than these would be a loop. */
const PAGE_SIZE = 500;
const MAX_PAGES = 200;

/**
 * Every object of the kind at one moment, past every cache: a read without a resource version is answered from etcd, and its pages are of one
 * revision. Whole, or a `Fault`.
 */
export async function listAll<T>(
  transport: Transport,
  resource: Resource<T>,
  signal: AbortSignal,
  namespace?: string,
): Promise<readonly T[]> {
  const source = listWatch(transport, resource, namespace);
  const kind = `${resource.type.kind}s`;
  const found: T[] = [];
  let token: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await source.list({ limit: PAGE_SIZE, ...(token === undefined ? {} : { continue: token }) }, signal);
    if (page.kind === 'expired') throw new Fault('transient', `the list of ${kind} expired before its end`);
    for (const { object } of page.items) found.push(object);
    if (page.continue === undefined) return found;
    token = page.continue;
  }
  throw new Fault('transient', `the list of ${kind} has more than ${MAX_PAGES * PAGE_SIZE} entries`);
}
