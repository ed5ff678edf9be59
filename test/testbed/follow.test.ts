import { expect, test } from 'vitest';
import type { Api, WatchEvent } from './api.ts';
import { follow, type KubeObject } from './follow.ts';

const object = (name: string, uid: string, resourceVersion: string): KubeObject => ({ metadata: { name, uid, resourceVersion } });
const A1 = object('a', 'a-uid', '1');
const A2 = object('a', 'a-uid', '2');
const B3 = object('b', 'b-uid', '3');

/** An API server that answers lists and watches as the script says; after the last step it ends the test. */
function scripted(
  lists: KubeObject[][],
  watches: (WatchEvent<KubeObject>[] | 'breaks')[],
  end: AbortController,
): { api: Api; asked: string[] } {
  const asked: string[] = [];
  const api: Api = {
    server: '',
    authority: undefined,
    async call<T>(_: string, path: string) {
      asked.push(path);
      const items = lists.shift() ?? [];
      return { metadata: { resourceVersion: '10' }, items } as T;
    },
    async *watch<T>(path: string) {
      asked.push(path);
      const events = watches.shift();
      if (watches.length === 0) end.abort();
      if (events === 'breaks') throw new Error('socket hang up');
      yield* (events ?? []) as WatchEvent<T>[];
    },
    close() {},
  };
  return { api, asked };
}

async function seen(
  lists: KubeObject[][],
  watches: (WatchEvent<KubeObject>[] | 'breaks')[],
): Promise<{ events: string[]; asked: string[] }> {
  const events: string[] = [];
  const end = new AbortController();
  const { api, asked } = scripted(lists, watches, end);
  const note =
    (what: string) =>
    ({ metadata }: KubeObject) =>
      void events.push(`${what} ${metadata.name} ${metadata.resourceVersion}`);
  await follow(api, '/pods', 'x=y', { present: note('present'), gone: note('gone') }, end.signal);
  return { events, asked };
}

const watchPath = (version: number) => `/pods?x=y&watch=true&allowWatchBookmarks=true&timeoutSeconds=60&resourceVersion=${version}`;

test('what is there, what changes and what goes is told, in order', async () => {
  const { events } = await seen(
    [[A1]],
    [
      [
        { type: 'MODIFIED', object: A2 },
        { type: 'ADDED', object: B3 },
        { type: 'DELETED', object: A2 },
      ],
    ],
  );
  expect(events).toEqual(['present a 1', 'present a 2', 'present b 3', 'gone a 2']);
});

test('a watch that the server ended goes on from the last version, a bookmark included, without a new list', async () => {
  const { asked } = await seen([[A1]], [[{ type: 'BOOKMARK', object: object('', '', '12') }], []]);
  expect(asked).toEqual(['/pods?x=y', watchPath(10), watchPath(12)]);
});

test('what went while a watch was broken is found by the next list', async () => {
  const { events, asked } = await seen([[A1, B3], [B3]], ['breaks', []]);
  expect(events).toEqual(['present a 1', 'present b 3', 'gone a 1', 'present b 3']);
  expect(asked).toEqual(['/pods?x=y', watchPath(10), '/pods?x=y', watchPath(10)]);
});

test('a place in the history that is gone (410) means a new list', async () => {
  const expired = { type: 'ERROR', object: object('', '', '') } as const;
  const { asked } = await seen([[A1], [A1]], [[expired], []]);
  expect(asked).toEqual(['/pods?x=y', watchPath(10), '/pods?x=y', watchPath(10)]);
});
