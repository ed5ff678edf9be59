import { once } from 'node:events';
import { get } from 'node:http';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { EKS_WEBHOOK } from '../../src/api/webhook.ts';
import { createStores } from '../../src/controllers/stores.ts';
import { POD_LABELS, podAnnotations } from '../../src/domain/pods/pod-state.ts';
import { listWatch, type Resource } from '../../src/kube/list-watch.ts';
import { pods, serviceAccounts } from '../../src/kube/resources.ts';
import { Transport } from '../../src/kube/transport.ts';
import { metrics as makeMetrics } from '../../src/observability/metrics.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { ControllerLoop, settled, wakeOn } from '../../src/runtime/controller.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { WorkQueue } from '../../src/runtime/queue.ts';
import { Reflector } from '../../src/runtime/reflector.ts';
import { Store } from '../../src/runtime/store.ts';
import { PODS, ROUNDS, SERVICE_ACCOUNTS, type Served } from './api-server.ts';

/**
 * What the machinery costs, over real connections and with the metrics that ship, as figures and as ratios to a bare pipeline (a socket,
 * JSON.parse and a Map) in the same run. A second is one of CPU time of this thread, as the machine may be busy. Nothing here is a test:
 * `npm run bench:runtime` prints, and people judge.
 */
const EVENTS_BAR = 40_000;
const TURN_BAR_MS = 20;
const ATTEMPTS = 50_000;
/** As the operator has. */
const WORKERS = 8;

const { metrics, ...served } = await apiServer();
const eventCount = SERVICE_ACCOUNTS * ROUNDS;
const common = { clock: systemClock, random: Math.random, log: silentLog, metrics: metrics.runtime };

await eventsPerSecond();
await listing();
await queueOperations();
await attempts();
process.exit(0);

async function apiServer() {
  const worker = new Worker(new URL('./api-server.ts', import.meta.url));
  const [served] = (await once(worker, 'message')) as [Served];
  return { ...served, metrics: makeMetrics('bench') };
}

function transportTo(prefix: 'busy' | 'quiet'): Transport {
  const endpoint = { url: `http://127.0.0.1:${served.port}/${prefix}`, headers: {}, tls: {} };
  const connection = { endpoint: async () => endpoint, refresh() {} };
  return new Transport({ ...common, connection, userAgent: 'bench', metrics: metrics.kube });
}

async function eventsPerSecond(): Promise<void> {
  const bare = await rate(bareEvents);
  const whole = await rate(events);
  console.log(
    `events of ${Math.round(served.eventBytes)} bytes: ${perSecond(whole)} through transport, reflector, store and queue (${bar(whole >= EVENTS_BAR, 'above', 'BELOW', EVENTS_BAR)});`,
    `${perSecond(bare)} through a socket, JSON.parse and a Map: ratio ${(bare / whole).toFixed(2)}`,
  );
}

/** Operations a second, of the second of two runs: the first lets the compiler settle. */
async function rate(run: () => Promise<number>): Promise<number> {
  await run();
  globalThis.gc?.();
  const began = process.threadCpuUsage();
  const count = await run();
  const { user, system } = process.threadCpuUsage(began);
  return (count * 1e6) / (user + system);
}

async function bareEvents(): Promise<number> {
  const objects = new Map<string, unknown>();
  const request = get(`http://127.0.0.1:${served.port}/busy/api/v1/serviceaccounts?watch=true`);
  const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
  let rest = '';
  let count = 0;
  for await (const chunk of response) {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { object } = JSON.parse(line);
      objects.set(`${object.metadata.namespace}/${object.metadata.name}`, object);
    }
    count += lines.length;
    if (count === eventCount) break;
  }
  request.destroy();
  return count;
}

async function events(): Promise<number> {
  const { serviceAccounts: store } = createStores(silentLog);
  const queue = new WorkQueue<string>({ ...common, name: 'bench' });
  const stop = new AbortController();
  wakeOn(store, ({ namespace, name }) => [`${namespace}/${name}`]).subscribe((key, urgency) => queue.add(key, urgency));
  const all = Promise.withResolvers<void>();
  let count = 0;
  store.onChange(() => {
    count += 1;
    if (count === eventCount) all.resolve();
  });
  const working = (async () => {
    for (let taken = await queue.take(stop.signal); taken !== undefined; taken = await queue.take(stop.signal)) queue.done(taken.key);
  })();
  const transport = transportTo('busy');
  const running = new Reflector({ ...common, source: listWatch(transport, serviceAccounts(EKS_WEBHOOK)), store }).run(stop.signal);
  await all.promise;
  while (queue.depth > 0) await nextTurn();
  stop.abort();
  await Promise.all([running, working, transport.close()]);
  return count;
}

/** All ServiceAccounts and pods at once, as at a cold start: how long, how smooth, and what is kept. */
async function listing(): Promise<void> {
  const stores = createStores(silentLog);
  const before = await heap();
  const transport = transportTo('quiet');
  const stop = new AbortController();
  const turns = turnsOfTheLoop();
  const began = process.threadCpuUsage();
  const reflect = <T>(resource: Resource<T>, store: Store<T, string>) =>
    new Reflector({ ...common, source: listWatch(transport, resource), store }).run(stop.signal);
  const running = [
    reflect(serviceAccounts(EKS_WEBHOOK), stores.serviceAccounts),
    reflect(pods({ labels: POD_LABELS, annotations: podAnnotations(EKS_WEBHOOK), webhook: EKS_WEBHOOK }), stores.pods),
  ];
  await Promise.all([stores.serviceAccounts.synced(stop.signal), stores.pods.synced(stop.signal)]);
  const { user, system } = process.threadCpuUsage(began);
  const { p99, longest } = turns.end();
  stop.abort();
  await Promise.all([...running, transport.close()]);
  const kept = ((await heap()) - before) / (SERVICE_ACCOUNTS + PODS);
  const sent = (served.serviceAccountBytes * SERVICE_ACCOUNTS + served.podBytes * PODS) / (SERVICE_ACCOUNTS + PODS);
  console.log(
    `${stores.serviceAccounts.size} ServiceAccounts and ${stores.pods.size} pods listed in ${((user + system) / 1e6).toFixed(1)} s;`,
    `turns of the event loop: p99 ${p99.toFixed(1)} ms (${bar(p99 <= TURN_BAR_MS, 'within', 'ABOVE', TURN_BAR_MS)} ms), longest ${longest.toFixed(1)} ms;`,
    `${Math.round(kept)} bytes of heap for each object of ${Math.round(sent)} bytes: ratio ${(kept / sent).toFixed(2)}`,
  );
}

/** How long the event loop was held, in CPU time of this thread, sampled by a timer that is due every millisecond. */
function turnsOfTheLoop() {
  const held: number[] = [];
  let since = process.threadCpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(since);
    held.push((user + system) / 1_000);
    since = process.threadCpuUsage();
  }, 1);
  return {
    end() {
      clearInterval(timer);
      held.sort((a, b) => a - b);
      return { p99: held[Math.floor(held.length * 0.99)] ?? 0, longest: held.at(-1) ?? 0 };
    },
  };
}

async function queueOperations(): Promise<void> {
  const keys = Array.from({ length: SERVICE_ACCOUNTS }, (_, at) => `team-${at % 100}/app-${at}`);
  const bare = await rate(async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const waiting = new Map<string, number>();
      for (const key of keys) waiting.set(key, round);
      for (const key of keys) waiting.delete(key);
    }
    return keys.length * ROUNDS;
  });
  const whole = await rate(async () => {
    const queue = new WorkQueue<string>({ ...common, name: 'operations' });
    const never = new AbortController().signal;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const key of keys) queue.add(key);
      for (let left = keys.length; left > 0; left -= 1) queue.done((await queue.take(never))?.key ?? '');
    }
    return keys.length * ROUNDS;
  });
  console.log(
    `queue: ${perSecond(whole)} keys added, taken and done; ${perSecond(bare)} set and deleted in a Map: ratio ${(bare / whole).toFixed(1)}`,
  );
}

/** What is left in memory by work that is over: a process that nobody restarts cannot afford a byte for each. */
async function attempts(): Promise<void> {
  const store = new Store<string>({ kind: 'Thing', keyOf: (name) => name, log: silentLog });
  store.markSynced();
  let left = 0;
  let done = Promise.withResolvers<void>();
  const controller = {
    name: 'attempts',
    wakes: [wakeOn(store, (name) => [name])],
    reconcile: async () => {
      left -= 1;
      if (left === 0) done.resolve();
      return settled;
    },
  };
  const loop = new ControllerLoop(controller, { ...common, workers: WORKERS, classify: () => undefined });
  const stop = new AbortController();
  const running = loop.run(stop.signal, new AbortController().signal);
  const some = async () => {
    left = ATTEMPTS;
    done = Promise.withResolvers();
    for (let at = 0; at < ATTEMPTS; at += 1) loop.queue.add(`key-${at}`);
    await done.promise;
    return ATTEMPTS;
  };
  await some();
  const before = await heap();
  const perCpuSecond = await rate(some);
  console.log(
    `controller loop: ${perSecond(perCpuSecond)} attempts; ${(((await heap()) - before) / (2 * ATTEMPTS)).toFixed(1)} bytes left of each`,
  );
  stop.abort();
  await running;
}

/** What is still reachable. What hangs on weak references (composite signals do) goes in the turns after a collection. */
async function heap(): Promise<number> {
  for (let round = 0; round < 5; round += 1) {
    globalThis.gc?.();
    await wait(20);
  }
  return process.memoryUsage().heapUsed;
}

function perSecond(rate: number): string {
  return `${Math.round(rate)}/s`;
}

function bar(holds: boolean, yes: string, no: string, value: number): string {
  return `${holds ? yes : no} ${value}`;
}
