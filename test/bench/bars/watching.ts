import { type Api, until, type WatchEvent } from '@irsa-operator/testbed';

/** A watch asks for its place again this often. */
const WATCH_SECONDS = 60;

/** Called with each object as it changes. */
export interface Watching {
  /** Waits until it is so, which is looked at every moment; throws when the watch broke. */
  until(what: string, isSo: () => boolean, timeoutMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** From now on, and keeps none of them: what a bench holds in memory must not depend on the size of the fleet. */
export async function watching<T>(api: Api, path: string, seen: (object: T) => void): Promise<Watching> {
  const over = new AbortController();
  const { metadata } = await api.call<{ metadata: { resourceVersion: string } }>('GET', `${path}?limit=1`);
  let broken: unknown;
  const watch = async () => {
    let version = metadata.resourceVersion;
    while (!over.signal.aborted) {
      const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECONDS}&resourceVersion=${version}`;
      for await (const { type, object } of api.watch<Versioned>(`${path}?${query}`, over.signal)) {
        if (type === 'ERROR') throw new Error(`the watch of ${path} ended: ${JSON.stringify(object)}`);
        version = object.metadata.resourceVersion;
        if (isChange(type)) seen(object as T);
      }
    }
  };
  const running = watch().catch((error) => {
    if (!over.signal.aborted) broken = error;
  });
  return {
    async until(what, isSo, timeoutMs) {
      const look = () => broken !== undefined || isSo();
      await until(what, look, { timeoutMs });
      if (broken !== undefined) throw broken;
    },
    async stop() {
      over.abort();
      await running;
    },
  };
}

interface Versioned {
  readonly metadata: { readonly resourceVersion: string };
}

const isChange = (type: WatchEvent<unknown>['type']): boolean => type === 'ADDED' || type === 'MODIFIED';
