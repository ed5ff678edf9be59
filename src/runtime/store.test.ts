import { describe, expect, test } from 'vitest';
import { silentLog } from './log.ts';
import { Store } from './store.ts';

interface Book {
  readonly title: string;
  readonly authors: readonly string[];
  readonly shelf?: string;
}

function library(log = silentLog) {
  return new Store<Book, 'author' | 'shelf'>({
    kind: 'Book',
    keyOf: (book) => book.title,
    indexes: { author: (book) => book.authors, shelf: (book) => (book.shelf === undefined ? [] : [book.shelf]) },
    log,
  });
}

const titles = (books: readonly Book[]) => books.map((book) => book.title).toSorted();

describe('an index', () => {
  test('finds objects by any of their values, and none by a value that nobody has', () => {
    const store = library();
    store.put({ title: 'A', authors: ['x', 'y'] });
    store.put({ title: 'B', authors: ['y'], shelf: 's' });
    expect(
      [store.byIndex('author', 'y'), store.byIndex('author', 'x'), store.byIndex('author', 'z'), store.byIndex('shelf', 's')].map(titles),
    ).toEqual([['A', 'B'], ['A'], [], ['B']]);
  });

  test('follows an object that changes, and forgets one that goes', () => {
    const store = library();
    store.put({ title: 'A', authors: ['x'] });
    store.put({ title: 'A', authors: ['y'] });
    expect([store.byIndex('author', 'x'), store.byIndex('author', 'y')].map(titles)).toEqual([[], ['A']]);
    store.delete('A');
    expect([store.byIndex('author', 'y'), store.list()]).toEqual([[], []]);
  });

  test('gives objects in the order in which they came, whatever changes of them', () => {
    const store = library();
    for (const title of ['B', 'A', 'C']) store.put({ title, authors: ['x'] });
    store.put({ title: 'A', authors: ['x', 'y'], shelf: 's' });
    store.put({ title: 'B', authors: ['x'] });
    expect([store.byIndex('author', 'x'), store.list()].map((books) => books.map(({ title }) => title).join(''))).toEqual(['BAC', 'BAC']);
  });
});

describe('a listener', () => {
  test('hears what was and what is, after the store and its indexes have changed', () => {
    const store = library();
    const heard: unknown[] = [];
    store.onChange((previous, next) => heard.push([previous?.authors, next?.authors, titles(store.byIndex('author', 'y'))]));
    store.put({ title: 'A', authors: ['x'] });
    store.put({ title: 'A', authors: ['y'] });
    store.delete('A');
    store.delete('A');
    expect(heard).toEqual([
      [undefined, ['x'], []],
      [['x'], ['y'], ['A']],
      [['y'], undefined, []],
    ]);
  });

  test('that throws harms neither the writer nor the other listeners, and is logged', () => {
    const errors: object[] = [];
    const store = library({ ...silentLog, error: (fields) => errors.push(fields) });
    const heard: unknown[] = [];
    const bug = new Error('a bug');
    store.onChange(() => {
      throw bug;
    });
    store.onChange((_previous, next) => heard.push(next?.title));
    store.put({ title: 'A', authors: [] });
    expect([heard, store.size, errors]).toEqual([['A'], 1, [{ kind: 'Book', err: bug }]]);
  });

  test('that has left hears nothing more', () => {
    const store = library();
    const heard: unknown[] = [];
    const off = store.onChange((_previous, next) => heard.push(next?.title));
    store.put({ title: 'A', authors: [] });
    off();
    store.put({ title: 'B', authors: [] });
    expect(heard).toEqual(['A']);
  });
});

describe('being synced', () => {
  test('is waited for', async () => {
    const store = library();
    const waiting = store.synced(new AbortController().signal).then(() => store.hasSynced);
    expect(store.hasSynced).toBe(false);
    store.markSynced();
    expect(await waiting).toBe(true);
    await store.synced(new AbortController().signal);
  });

  test('is not waited for longer than the signal allows', async () => {
    const stop = new AbortController();
    const waiting = library().synced(stop.signal);
    stop.abort(new Error('stops'));
    await expect(waiting).rejects.toThrow('stops');
    await expect(library().synced(stop.signal)).rejects.toThrow('stops');
  });
});
