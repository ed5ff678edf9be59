import { setTimeout as sleep } from 'node:timers/promises';
import { type TcpProxy, until } from '@irsa-operator/testbed';
import { beforeAll, describe, expect, test } from 'vitest';
import { integrationSuite } from '../harness/suite.ts';
import { type Churn, churn } from './churn.ts';
import { HEAP_SLACK_BYTES, usedHeap } from './heap.ts';
import { expectPaced, type Mirror, type MirrorOptions, startMirror } from './mirror.ts';
import { SEED } from './random.ts';
import { makeReader } from './reader.ts';

/**
 * What breaks a watch from outside, while objects change thirty times a second. Measured each time: the store against an uncached list,
 * how often it was listed (once, at the start), how fast it came back. The API server sends GOAWAY as often as it can (which means nothing
 * to HTTP/1.1, as the operator speaks it) and ends watches of clients that do not say for how long after five to ten seconds.
 */
const FLAGS = ['--goaway-chance=0.02', '--min-request-timeout=5'];
/** What a machine that does other things besides may add to a reconnect, which itself takes milliseconds. */
const BUSY_MS = 5_000;
const PATIENCE = { timeoutMs: 30_000 };

const suite = integrationSuite({ testbed: { apiServerArgs: FLAGS }, operator: false });
let heapBefore: number;
beforeAll(() => {
  heapBefore = usedHeap();
});

/** What a fault is done to. */
interface Target {
  readonly namespace: string;
  readonly proxy: TcpProxy;
  readonly mirror: Mirror;
  readonly changing: Churn;
}

/** Runs a fault against a mirror that has its own proxy and namespace, then waits until nothing is missed; what is measured is left to the test. */
async function withFault(namespace: string, fault: (target: Target) => Promise<void>, options: MirrorOptions = {}): Promise<Mirror> {
  const proxy = await suite.testbed.proxy();
  const kubeconfig = await makeReader(suite.testbed, suite.api, namespace, proxy);
  const mirror = startMirror(kubeconfig, options);
  try {
    await until('it watches', () => mirror.opened() > 0, PATIENCE);
    const changing = churn(suite.api, namespace, SEED);
    await fault({ namespace, proxy, mirror, changing });
    expect(await changing.stop()).toBeGreaterThan(0);
    await mirror.equals(suite.api, namespace);
  } finally {
    await mirror.stop();
  }
  return mirror;
}

describe.concurrent(`no object is missed (SEED=${SEED})`, () => {
  test('when a watch is cut in the middle of a chunk, four times', async () => {
    const { lists, ends, watchedAt } = await withFault('chaos-cut', async ({ proxy, mirror }) => {
      for (let cuts = 1; cuts <= 4; cuts++) {
        const opened = mirror.opened();
        proxy.cutInBody();
        await until(`it watches again after cut ${cuts}`, () => mirror.opened() > opened, PATIENCE);
      }
    });
    expect({ lists, ends }).toEqual({ lists: ['start'], ends: ['failed', 'failed', 'failed', 'failed'] });
    expectPaced(watchedAt);
  });

  test('when a connection is half open: silent, and nobody is told', async () => {
    const silenceMs = 2_000; // a 45th of what ships
    let silentMs = 0;
    const { lists, ends } = await withFault(
      'chaos-frozen',
      async ({ proxy, mirror }) => {
        const opened = mirror.opened();
        proxy.freeze();
        const frozen = performance.now();
        await until('it watches again', () => mirror.opened() > opened, PATIENCE);
        silentMs = performance.now() - frozen;
      },
      { limits: { silenceMs } },
    );
    expect({ lists, ends: new Set(ends) }).toEqual({ lists: ['start'], ends: new Set(['silent']) });
    expect(silentMs).toBeLessThan(silenceMs + BUSY_MS);
  });

  test('when the server ends each watch after five seconds', async () => {
    const { lists, ends, watchedAt } = await withFault(
      'chaos-short',
      async ({ mirror }) => {
        await until('two watches were ended and taken up again', () => mirror.opened() > 2, PATIENCE);
      },
      { limits: { watchSecondsMin: 5, watchSecondsMax: 6 } },
    );
    expect({ lists, ends: new Set(ends) }).toEqual({ lists: ['start'], ends: new Set(['closed']) });
    expectPaced(watchedAt);
  });

  test('when every connection is refused for five seconds', async () => {
    const { lists, ends, watchedAt } = await withFault('chaos-refused', async ({ proxy }) => {
      const { port } = suite.testbed.controlPlane ?? {};
      proxy.redirect(undefined);
      await sleep(5_000);
      proxy.redirect(port);
    });
    expect({ lists, ends: new Set(ends) }).toEqual({ lists: ['start'], ends: new Set(['failed']) });
    expectPaced(watchedAt);
  });
});

test('a thousand reads keep their connections where GOAWAY ends those of HTTP/2', async () => {
  const proxy = await suite.testbed.proxy();
  const { transport, stop } = startMirror(await makeReader(suite.testbed, suite.api, 'chaos-goaway', proxy));
  const signal = AbortSignal.timeout(PATIENCE.timeoutMs);
  const read = { method: 'GET', path: '/api/v1/namespaces', query: { limit: '1' } } as const;
  for (let i = 0; i < 1_000; i++) await transport.request(read, signal);
  expect(proxy.accepted.length).toBeLessThanOrEqual(9); // the pool's eight and the watch's; were they ended, twenty more
  await stop();
});

test('the heap is back to where it was', () => {
  expect(usedHeap() - heapBefore).toBeLessThan(HEAP_SLACK_BYTES);
});
