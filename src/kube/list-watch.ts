import { setImmediate } from 'node:timers/promises';
import { Fault, isFault } from '../api/fault.ts';
import type { Item, ListPage, ListWatch, WatchEvent } from '../runtime/reflector.ts';
import { type Answer, faultOf, statusOf } from './faults.ts';
import { linesOf } from './lines.ts';
import { array, metaOf, object, text } from './objects.ts';
import { MAX_PAGE_BYTES, PageLimit } from './page-limit.ts';
import { collectionPath, type ResourceType } from './paths.ts';
import { ANSWER_TOO_LARGE, MAX_ANSWER_BYTES, type Transport } from './transport.ts';

/** A kind of object and what the operator keeps of one. */
export interface Resource<T> {
  readonly type: ResourceType;
  /** Where only some objects of the kind are of interest. */
  readonly fieldSelector?: string;
  readonly labelSelector?: string | undefined;
  /** Nothing but the metadata is asked for. */
  readonly metadataOnly?: true;
  /** Of a kind that the API server does not have there are none: its CRD may come later. */
  readonly optional?: true;
  /** Takes any object of the kind, however odd; never throws. */
  decode(raw: unknown): T;
}

const NOT_FOUND = 404;
const GONE = 410;
/** A watch from there begins with all objects that there are. */
const FROM_THE_BEGINNING = '0';
const METADATA = 'PartialObjectMetadata';
const METADATA_LIST = 'PartialObjectMetadataList';
/** A page of hundreds of large objects from a busy server takes longer than an ordinary call. */
const LIST_DEADLINE_MS = 30_000;

/** A page, or a burst of events, is worked through in slices: renewing the lease and answering probes must not wait for its end. */
const SLICE_MS = 5;

/** Lists and watches a kind, in all namespaces or in one. */
export function listWatch<T>(transport: Transport, resource: Resource<T>, namespace?: string): ListWatch<T> {
  const path = collectionPath(resource.type, namespace);
  const { fieldSelector, labelSelector } = resource;
  const limit = new PageLimit();
  const as = (kind: string) =>
    resource.metadataOnly === true ? { accept: `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json` } : {};
  const itemOf = (raw: unknown): Item<T> => {
    const { uid, resourceVersion } = metaOf(raw);
    return { object: resource.decode(raw), uid, resourceVersion };
  };
  const pageOf = async (answer: Answer): Promise<ListPage<T>> => {
    if (answer.code === GONE) return { kind: 'expired' };
    if (answer.code === NOT_FOUND && resource.optional) return { kind: 'page', items: [], resourceVersion: FROM_THE_BEGINNING };
    if (answer.code >= 300) throw faultOf(`GET ${path}`, answer);
    const body = object(answer.body);
    const meta = object(body['metadata']);
    const resourceVersion = text(meta['resourceVersion']);
    const token = text(meta['continue']);
    const isKind = body['kind'] === `${resource.type.kind}List` || (resource.metadataOnly === true && body['kind'] === METADATA_LIST);
    // Somebody else's "200 {}" (a proxy, a wrong port) must not look as if everything had been deleted.
    if (!isKind || !resourceVersion) {
      throw new Fault('transient', `the answer to GET ${path} is not a ${resource.type.kind}List with a resource version`);
    }
    return {
      kind: 'page',
      items: await inSlices(array(body['items']), itemOf),
      resourceVersion,
      ...(token === undefined || token === '' ? {} : { continue: token }),
    };
  };
  return {
    async list(page, signal): Promise<ListPage<T>> {
      for (;;) {
        const asked = limit.atMost(page.limit);
        // No resource version: a consistent read. From the cache of a server that lags behind (version 0) the past could come back, in one piece.
        const query = { limit: String(asked), continue: page.continue, fieldSelector, labelSelector };
        // One object may be larger than a page. A continue token goes with any limit.
        const maxBytes = asked === 1 ? MAX_ANSWER_BYTES : MAX_PAGE_BYTES;
        const request = { method: 'GET', path, query, ...as(METADATA_LIST), deadlineMs: LIST_DEADLINE_MS, maxBytes } as const;
        const take = async (answer: Answer, bytes: number) => {
          const found = await pageOf(answer);
          if (found.kind === 'page') limit.fitted(asked, found.items.length, bytes);
          return found;
        };
        try {
          return await transport.exchangeInTurn(request, take, signal);
        } catch (error) {
          if (asked === 1 || !isFault(error) || error.code !== ANSWER_TOO_LARGE) throw error;
          limit.tooLarge(asked);
        }
      }
    },

    async *watch({ resourceVersion, timeoutSeconds }, signal): AsyncIterable<Iterable<WatchEvent<T>>> {
      const selectors = { fieldSelector, labelSelector };
      const query = { watch: 'true', allowWatchBookmarks: 'true', resourceVersion, timeoutSeconds: String(timeoutSeconds), ...selectors };
      try {
        const chunks = await transport.open({ method: 'GET', path, query, ...as(METADATA) }, signal);
        yield [{ type: 'OPEN' }];
        let sliceEnd = performance.now() + SLICE_MS;
        for await (const lines of linesOf(chunks)) {
          yield lines.values().map((line) => eventOf(line, path, itemOf));
          if (performance.now() < sliceEnd) continue;
          await setImmediate();
          sliceEnd = performance.now() + SLICE_MS;
        }
      } catch (error) {
        if (resource.optional && isFault(error, 'notFound')) {
          yield [];
          await aborted(signal); // by the reflector, which hears nothing for a while and asks again
          return;
        }
        if (!isFault(error) || !isGone(error.cause)) throw error;
        yield [{ type: 'EXPIRED' }];
      }
    },
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

async function inSlices<T>(items: readonly unknown[], itemOf: (raw: unknown) => T): Promise<T[]> {
  const done: T[] = [];
  let sliceEnd = performance.now() + SLICE_MS;
  for (const raw of items) {
    done.push(itemOf(raw));
    if (performance.now() < sliceEnd) continue;
    await setImmediate();
    sliceEnd = performance.now() + SLICE_MS;
  }
  return done;
}

function eventOf<T>(line: string, path: string, itemOf: (raw: unknown) => Item<T>): WatchEvent<T> {
  const event = object(parse(line, path));
  const type = text(event['type']);
  const raw = event['object'];
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, ...itemOf(raw) };
    case 'BOOKMARK':
      return { type, resourceVersion: metaOf(raw).resourceVersion };
    case 'ERROR': {
      if (isGone(raw)) return { type: 'EXPIRED' };
      const code = object(raw)['code'];
      throw faultOf(`GET ${path} (watch)`, { code: typeof code === 'number' ? code : 500, body: raw, retryAfterMs: undefined });
    }
    default:
      throw new Fault('transient', `the watch of ${path} sent an event of type "${type ?? ''}", which does not exist`);
  }
}

/** A line that is no JSON must not be skipped: whatever it told would be missing for ever. */
function parse(line: string, path: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Fault('transient', `the watch of ${path} sent a line of ${line.length} characters that is not JSON`, { cause: error });
  }
}

/** A Status that says the resource version is too old: as the answer to a watch, or as an event in it. */
function isGone(body: unknown): boolean {
  return object(body)['code'] === GONE || statusOf(body).reason === 'Expired' || statusOf(body).reason === 'Gone';
}
