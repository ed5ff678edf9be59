import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Reading } from './metrics-server.ts';

/**
 * What scrapes cost an operator with 10,000 bindings, and what clients can do to it that mean harm: figures, on real sockets, of a process
 * that does nothing else. Nothing here is a test: `npm run bench:metrics` prints, and people judge.
 */
const BINDINGS = 10_000;
const ROLES = 1_000;
/** Longer than a rendering is used. */
const APART_MS = 5_200;
const SCRAPES = 5;
const CLIENTS = 4;
const LOOP_MS = 10_000;
const HALF_SENT = 6_000;
/** What a server may have to keep of each. */
const HALF_BYTES = 7_000;

interface Served {
  readonly child: ChildProcess;
  readonly metricsPort: number;
  readonly healthPort: number;
}

await scrapes('all Ready', 0);
await scrapes('1,000 Stalled', 1_000);
await scrapes('all Stalled', BINDINGS);
await clientsInALoop();
await halfSent();
process.exit(0);

async function serve(stalled: number): Promise<Served> {
  const child = fork(fileURLToPath(new URL('./metrics-server.ts', import.meta.url)), [BINDINGS, ROLES, stalled].map(String), {
    execArgv: ['--expose-gc'],
  });
  const [ports] = (await once(child, 'message')) as [Omit<Served, 'child'>];
  const served = { child, ...ports };
  await reading(served); // what it took to get there is no part of the next one
  return served;
}

async function reading({ child }: Served): Promise<Reading> {
  child.send('read');
  const [found] = (await once(child, 'message')) as [Reading];
  await wait(20);
  return found;
}

async function scrapes(what: string, stalled: number): Promise<void> {
  const served = await serve(stalled);
  const { rssMiB } = await reading(served);
  await ask(served.metricsPort, '/metrics'); // lets the compiler settle
  const cpu: number[] = [];
  let [bytes, lines, block, slice, rss] = [0, 0, 0, 0, 0];
  for (let each = 0; each < SCRAPES; each += 1) {
    await wait(APART_MS);
    await reading(served);
    const page = await ask(served.metricsPort, '/metrics');
    const found = await reading(served);
    cpu.push(found.cpuMs);
    block = Math.max(block, found.longestBlockMs);
    slice = Math.max(slice, found.longestSliceMs);
    rss = Math.max(rss, found.peakMiB);
    bytes = page.length;
    lines = page.split('\n').length;
  }
  console.log(
    `a scrape of ${BINDINGS} bindings, ${what}: ${(bytes / 1e6).toFixed(2)} MB, ${lines} lines, ${median(cpu).toFixed(0)} ms of CPU,`,
    `longest block ${block.toFixed(0)} ms (${slice.toFixed(0)} ms of CPU), RSS at most ${rss.toFixed(0)} MiB, ${rssMiB.toFixed(0)} before the first one`,
  );
  served.child.kill();
}

/** As fast as they can, each on a connection that it keeps. */
async function clientsInALoop(): Promise<void> {
  const served = await serve(0);
  await reading(served);
  const until = performance.now() + LOOP_MS;
  let answers = 0;
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (performance.now() < until) {
      await ask(served.metricsPort, '/metrics', agent).catch(() => '');
      answers += 1;
    }
    agent.destroy();
  };
  const probes: number[] = [];
  const probing = async () => {
    while (performance.now() < until) {
      probes.push(await probe(served));
      await wait(100);
    }
  };
  await Promise.all([probing(), ...Array.from({ length: CLIENTS }, client)]);
  const { cpuMs, wallMs, longestBlockMs, p99Ms, peakMiB } = await reading(served);
  console.log(
    `${CLIENTS} clients in a loop: ${((100 * cpuMs) / wallMs).toFixed(0)} % of a core, ${(answers / (LOOP_MS / 1_000)).toFixed(1)} answers/s,`,
    `longest block ${longestBlockMs.toFixed(0)} ms, event loop p99 ${p99Ms.toFixed(0)} ms, probes at most ${Math.max(...probes).toFixed(0)} ms, RSS ${peakMiB.toFixed(0)} MiB`,
  );
  served.child.kill();
}

/** Requests that never end. */
async function halfSent(): Promise<void> {
  const served = await serve(0);
  await ask(served.metricsPort, '/metrics');
  const before = await reading(served);
  const sockets: Socket[] = [];
  for (let each = 0; each < HALF_SENT; each += 1) {
    const socket = connect(served.metricsPort, '127.0.0.1');
    socket.on('error', () => {}).resume();
    socket.write(`GET /metrics HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(HALF_BYTES)}`);
    sockets.push(socket);
    if (each % 100 === 99) await wait(5);
  }
  await wait(1_500);
  const open = sockets.filter(({ readyState }) => readyState === 'open').length;
  const probed = await probe(served);
  const scraped = performance.now();
  const page = await ask(served.metricsPort, '/metrics').catch(() => '');
  const scrapeMs = performance.now() - scraped;
  const after = await reading(served);
  console.log(
    `${HALF_SENT} half-sent requests: ${(after.rssMiB - before.rssMiB).toFixed(0)} MiB more (${(after.peakMiB - before.rssMiB).toFixed(0)} before a collection), ${open} open, longest block ${after.longestBlockMs.toFixed(0)} ms,`,
    `a probe meanwhile ${probed.toFixed(0)} ms, a scrape ${page === '' ? 'refused' : `${scrapeMs.toFixed(0)} ms`}`,
  );
  for (const socket of sockets) socket.destroy();
  served.child.kill();
}

async function probe({ healthPort }: Served): Promise<number> {
  const began = performance.now();
  await ask(healthPort, '/livez', new Agent());
  return performance.now() - began;
}

async function ask(port: number, path: string, agent: Agent = new Agent()): Promise<string> {
  const request = get({ host: '127.0.0.1', port, path, agent });
  const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function median(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
}
