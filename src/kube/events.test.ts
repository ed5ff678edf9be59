import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Log, silentLog } from '../runtime/log.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { type EventNote, EventRecorder } from './events.ts';
import { IRSA_BINDING, IRSA_GRANT } from './resource-types.ts';
import { hastyClock, reply, type Seen, status, type TestServer, testServer, transportTo } from './test-server.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const never = new AbortController().signal;

async function recorder(
  answer: (request: Seen, response: ServerResponse) => void = (_request, response) => reply(response, 201, {}),
  log: Log = silentLog,
) {
  const server = await testServer(answer);
  const clock = hastyClock();
  const transport = transportTo(server.url);
  open.push(server, transport);
  const events = new EventRecorder({
    transport,
    controller: 'irsa-operator.dev/irsa-operator',
    instance: 'pod-1',
    clock,
    random: () => 0,
    log,
  });
  const pass = (ms: number) => clock.sleep(ms, never);
  return { events, server, clock, pass };
}

interface Sent {
  readonly metadata: { readonly name: string };
  readonly note: string;
  readonly series: unknown;
}

const bodyOf = (server: TestServer, index: number) => (server.seen[index]?.body ?? {}) as Sent;

const about = (name: string, more: Partial<EventNote> = {}): EventNote => ({
  regarding: { type: IRSA_BINDING, namespace: 'ns', name, uid: `uid-${name}` },
  type: 'Normal',
  reason: 'Annotated',
  action: 'Annotate',
  note: 'role-arn was "x"',
  ...more,
});

test('an event is told as events.k8s.io wants it', async () => {
  const { events, server } = await recorder();
  events.record(about('a'));
  await events.flush(never);
  expect(server.seen.map(({ method, url, body }) => ({ method, url, body }))).toEqual([
    {
      method: 'POST',
      url: '/apis/events.k8s.io/v1/namespaces/ns/events',
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: expect.stringMatching(/^a\.[0-9a-f]+$/), namespace: 'ns' },
        eventTime: '2026-01-01T00:00:00.000000Z',
        reportingController: 'irsa-operator.dev/irsa-operator',
        reportingInstance: 'pod-1',
        regarding: { apiVersion: 'irsa-operator.dev/v1alpha1', kind: 'IrsaBinding', name: 'a', uid: 'uid-a', namespace: 'ns' },
        type: 'Normal',
        reason: 'Annotated',
        action: 'Annotate',
        note: 'role-arn was "x"',
      },
    },
  ]);
});

test('an event about something without a namespace goes to the namespace "default"', async () => {
  const { events, server } = await recorder();
  events.record(about('g', { regarding: { type: IRSA_GRANT, name: 'g', uid: 'uid-g' } }));
  await events.flush(never);
  expect(server.seen.map(({ url }) => url)).toEqual(['/apis/events.k8s.io/v1/namespaces/default/events']);
});

describe('the same event again', () => {
  const answered = (events: EventRecorder) => settleUntilIdle(events);

  test('is a series of the first, with its count and last time', async () => {
    const { events, server, pass } = await recorder();
    events.record(about('a'));
    await answered(events);
    await pass(60_000);
    events.record(about('a'));
    await events.flush(never);
    const { name } = bodyOf(server, 0).metadata;
    expect(server.seen.slice(1).map(({ method, url, body }) => ({ method, url, body }))).toEqual([
      {
        method: 'PATCH',
        url: `/apis/events.k8s.io/v1/namespaces/ns/events/${name}`,
        body: { series: { count: 2, lastObservedTime: '2026-01-01T00:01:00.000000Z' } },
      },
    ]);
  });

  test('six minutes later is a new one', async () => {
    const { events, server, pass } = await recorder();
    events.record(about('a'));
    await answered(events);
    await pass(360_000);
    events.record(about('a'));
    await events.flush(never);
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'POST']);
  });

  test('with another note, reason or object is another event', async () => {
    const { events, server } = await recorder();
    for (const one of [about('a'), about('a', { note: 'y' }), about('a', { reason: 'Evicted' }), about('b')]) events.record(one);
    await events.flush(never);
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST', 'POST']);
  });

  test('is told anew when the first has expired on the API server', async () => {
    const { events, server } = await recorder(({ method }, response) =>
      method === 'PATCH' ? reply(response, 404, status(404, 'NotFound', 'no')) : reply(response, 201, {}),
    );
    events.record(about('a'));
    await answered(events);
    events.record(about('a'));
    await events.flush(never);
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'POST']);
    expect(bodyOf(server, 2).series).toEqual({ count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' });
  });
});

/** Flushing ends a recorder; to see one idle it is enough that what it was told has been answered. */
async function settleUntilIdle(events: EventRecorder): Promise<void> {
  while (!events.idle) await setImmediate();
}

describe('limits', () => {
  test('an object has 25 events at once, then one in five minutes, and what is not told is counted in the series', async () => {
    const { events, server, pass } = await recorder();
    for (let n = 0; n < 40; n += 1) events.record(about('a', { note: `note ${n}` }));
    events.record(about('b'));
    await settleUntilIdle(events);
    expect(server.seen.length).toBe(26);
    await pass(300_000);
    events.record(about('a', { note: 'note 0' }));
    events.record(about('a', { note: 'note 1' }));
    await events.flush(never);
    expect(server.seen.slice(26).map(({ method, body }) => [method, (body as { series: { count: number } }).series.count])).toEqual([
      ['PATCH', 2],
    ]);
  });

  test('a thousand wait at most; more are dropped and nobody is held up', async () => {
    const { events, server } = await recorder(() => {}); // never answers
    for (let n = 0; n < 2_000; n += 1) events.record(about(`object-${n}`));
    expect(events.waiting).toBe(1_000);
    const stop = new AbortController();
    const flushing = events.flush(stop.signal);
    stop.abort();
    await flushing;
    expect([server.seen.length <= 1, events.waiting]).toEqual([true, 0]);
  });

  test('the longest name there is leaves room for what makes an event its own', async () => {
    const { events, server } = await recorder();
    events.record(about(`${'a'.repeat(232)}.${'b'.repeat(20)}`));
    await events.flush(never);
    const { name } = bodyOf(server, 0).metadata;
    expect([name.length <= 253, /^a{232}\.[0-9a-f]+$/.test(name)]).toEqual([true, true]);
  });

  test('a note is cut to 1,024 bytes, not within a character', async () => {
    const { events, server } = await recorder();
    events.record(about('a', { note: 'ü'.repeat(600) }));
    await events.flush(never);
    const { note } = bodyOf(server, 0);
    expect(note).toBe(`${'ü'.repeat(510)}...`);
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
  });
});

describe('trouble', () => {
  test('of the API server is waited for, twelve times', async () => {
    const { events, server, clock } = await recorder((_request, response) => reply(response, 500, status(500, 'InternalError', 'etcd')));
    events.record(about('a'));
    await events.flush(never);
    expect([server.seen.length, clock.slept]).toEqual([12, Array.from({ length: 11 }, () => 10_000)]);
  });

  test('that hides an answer does not tell the event twice', async () => {
    let grantLoss = true;
    const { events, server } = await recorder((_request, response) => {
      if (!grantLoss) return reply(response, 409, status(409, 'AlreadyExists', 'it exists'));
      grantLoss = false;
      response.destroy();
    });
    events.record(about('a'));
    await settleUntilIdle(events);
    events.record(about('a'));
    await events.flush(never);
    expect(server.seen.slice(0, 3).map(({ method }) => method)).toEqual(['POST', 'POST', 'PATCH']);
    expect(bodyOf(server, 1).metadata).toEqual(bodyOf(server, 0).metadata);
  });

  async function manual(answer: (namespace: string) => number) {
    const clock = new ManualClock();
    const server = await testServer(({ url }, response) => reply(response, answer(url.split('/')[5] ?? ''), {}));
    const transport = transportTo(server.url);
    open.push(server, transport);
    const events = new EventRecorder({ transport, controller: 'c', instance: 'pod-1', clock, random: () => 0, log: silentLog });
    const record = (namespace: string) =>
      events.record(about(namespace, { regarding: { type: IRSA_BINDING, namespace, name: 'a', uid: namespace } }));
    const sentTo = (...namespaces: string[]) =>
      vi.waitFor(() => expect(server.seen.map(({ url }) => url.split('/')[5])).toEqual(namespaces));
    const asideAre = (count: number) => vi.waitFor(() => expect([events.waiting, events.idle]).toEqual([count, false]));
    return { events, clock, record, sentTo, asideAre };
  }

  test('of one event holds up no other: it waits aside for its next try', async () => {
    const { events, clock, record, sentTo, asideAre } = await manual((namespace) => (namespace === 'stuck' ? 503 : 201));
    for (const namespace of ['stuck', 'one', 'two']) record(namespace);
    await sentTo('stuck', 'one', 'two');
    await asideAre(1);
    await clock.advance(10_000);
    await sentTo('stuck', 'one', 'two', 'stuck');
    await events.flush(AbortSignal.abort());
    expect(events.idle).toBe(true);
  });

  test('of every event costs the API server one retry a second', async () => {
    const { events, clock, record, sentTo, asideAre } = await manual(() => 503);
    for (const namespace of ['a', 'b', 'c']) record(namespace);
    await asideAre(3);
    await clock.advance(10_000);
    await sentTo('a', 'b', 'c', 'a');
    await asideAre(3);
    await clock.advance(1_000);
    await sentTo('a', 'b', 'c', 'a', 'b');
    await events.flush(AbortSignal.abort());
  });

  test('with the event itself drops it, and the next is told', async () => {
    const { events, server } = await recorder(({ body }, response) =>
      (body as EventNote).note === 'bad'
        ? reply(response, 403, status(403, 'Forbidden', 'namespace ns is being terminated'))
        : reply(response, 201, {}),
    );
    events.record(about('a', { note: 'bad' }));
    events.record(about('b'));
    await events.flush(never);
    expect(server.seen.length).toBe(2);
  });

  test('is nothing that a recorder throws, not even after its end', async () => {
    const { events, server } = await recorder();
    await events.flush(AbortSignal.abort());
    events.record(about('a'));
    expect(server.seen.length).toBe(0);
  });
});
