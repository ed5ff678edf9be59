import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, WATCH_SECONDS } from './api.ts';

/** What `follow` needs to know of an object. */
export interface KubeObject {
  metadata: { uid: string; name: string; namespace?: string; resourceVersion: string };
}

export interface Follower<T> {
  /** It was added or changed, or it was there when we looked anew: expect repetitions. */
  present(object: T): void;
  /** The last state that was seen. */
  gone(object: T): void;
}

/** After a failure, so that a server that is down is not asked in a tight loop. */
const RETRY_MS = 500;

/**
 * Follows the objects of a list until the signal: a list, then watches from there, and from the start again when a watch breaks or its
 * place in the history is gone. Never throws.
 */
export async function follow<T extends KubeObject>(
  api: Api,
  path: string,
  query: string,
  follower: Follower<T>,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, T>();
  while (!signal.aborted) {
    try {
      let version = await listInto(known, api, `${path}?${query}`, follower, signal);
      while (!signal.aborted) {
        version = await watchFrom(version, known, api, `${path}?${query}`, follower, signal);
      }
    } catch {
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {}); // the next list repairs whatever was missed
    }
  }
}

async function listInto<T extends KubeObject>(
  known: Map<string, T>,
  api: Api,
  url: string,
  follower: Follower<T>,
  signal: AbortSignal,
): Promise<string> {
  const list = await api.call<{ metadata: { resourceVersion: string }; items: T[] }>('GET', url, { signal });
  const listed = new Map(list.items.map((item) => [item.metadata.uid, item]));
  for (const [uid, object] of known) {
    if (listed.has(uid)) continue;
    known.delete(uid);
    follower.gone(object);
  }
  for (const [uid, object] of listed) {
    known.set(uid, object);
    follower.present(object);
  }
  return list.metadata.resourceVersion;
}

/** One watch to its end. Returns from where the next one goes on. */
async function watchFrom<T extends KubeObject>(
  version: string,
  known: Map<string, T>,
  api: Api,
  url: string,
  follower: Follower<T>,
  signal: AbortSignal,
): Promise<string> {
  const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECONDS}&resourceVersion=${version}`;
  let last = version;
  for await (const { type, object } of api.watch<T>(`${url}&${query}`, signal)) {
    if (type === 'ERROR') throw new Error(`the watch of ${url} was ended: ${JSON.stringify(object)}`);
    last = object.metadata.resourceVersion;
    if (type === 'BOOKMARK') continue;
    if (type === 'DELETED') {
      known.delete(object.metadata.uid);
      follower.gone(object);
    } else {
      known.set(object.metadata.uid, object);
      follower.present(object);
    }
  }
  return last;
}
