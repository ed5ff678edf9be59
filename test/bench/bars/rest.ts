import { setTimeout as wait } from 'node:timers/promises';
import { type Testbed, until } from '@irsa-operator/testbed';
import type { RunningOperator } from '../../harness/operator.ts';
import { type Counts, callsSince, sum, writesSince } from './counts.ts';
import { readingOf } from './process.ts';
import { scrapeOnce } from './scrapes.ts';

/** Longer than a page is used, and than the read-back of a write that comes last. */
const LOOK_EVERY_MS = 10_000;
const QUIET_MS = 600_000;
const IDLE_MS = 60_000;
/** Longer than a page is used. */
const SCRAPE_EVERY_MS = 5_500;
const SCRAPES = 5;
/** A lease of 15 s, and a busy machine. */
const FAILOVER_MS = 120_000;

/** Comes back when nothing waits in any queue, at two looks in a row. */
export async function quiet(operator: RunningOperator): Promise<void> {
  let looks = 0;
  const look = async () => {
    await wait(LOOK_EVERY_MS);
    looks = (await scrapeOnce(operator)).busy === 0 ? looks + 1 : 0;
    return looks === 2;
  };
  await until('the operator has nothing to do', look, { timeoutMs: QUIET_MS });
}

export interface Idle {
  readonly cores: number;
  readonly callsPerMinute: number;
  readonly writes: number;
  readonly rssMiB: number;
}

/** A minute in which nobody asks for anything, scrapes included. */
export async function idle(testbed: Testbed, { pid }: RunningOperator): Promise<Idle> {
  const since = Date.now();
  const before = readingOf(pid);
  await wait(IDLE_MS);
  const after = readingOf(pid);
  return {
    cores: (after.cpuMs - before.cpuMs) / IDLE_MS,
    callsPerMinute: (sum(callsSince(testbed, since)) * 60_000) / IDLE_MS,
    writes: sum(await writesSince(testbed, since)),
    rssMiB: after.rssMiB,
  };
}

/** Milliseconds of the operator's CPU for a page, without what it needs when idle. */
export async function costOfScrape(operator: RunningOperator, { cores }: Idle): Promise<number> {
  const before = readingOf(operator.pid);
  const began = performance.now();
  for (let at = 0; at < SCRAPES; at += 1) {
    await scrapeOnce(operator);
    await wait(SCRAPE_EVERY_MS);
  }
  return Math.max(0, readingOf(operator.pid).cpuMs - before.cpuMs - cores * (performance.now() - began)) / SCRAPES;
}

export interface Restarted {
  readonly operator: RunningOperator;
  readonly readyMs: number;
  readonly calls: Counts;
  readonly writes: Counts;
  readonly peakMiB: number;
  readonly rssMiB: number;
  readonly longestBlockMs: number;
}

/** Another one in its place, until it has nothing to do either. */
export async function restart(testbed: Testbed, operator: RunningOperator, start: () => Promise<RunningOperator>): Promise<Restarted> {
  const code = await operator.stop();
  if (code !== 0) throw new Error(`the operator ended with ${code}`);
  const since = Date.now();
  const began = performance.now();
  const next = await start();
  const readyMs = performance.now() - began;
  await quiet(next);
  const { peakMiB, rssMiB } = readingOf(next.pid);
  const { longestBlockMs } = await scrapeOnce(next);
  return {
    operator: next,
    readyMs,
    calls: callsSince(testbed, since),
    writes: await writesSince(testbed, since),
    peakMiB,
    rssMiB,
    longestBlockMs,
  };
}

/** How long nobody leads when the leader ends in this way, while another one stands by. Comes back with the new leader. */
export async function failover(leader: RunningOperator, standby: RunningOperator, end: 'SIGKILL' | 'SIGTERM'): Promise<number> {
  const began = performance.now();
  leader.kill(end);
  await until('the standby leads', () => standby.log.some(({ msg }) => msg === 'became leader'), { timeoutMs: FAILOVER_MS });
  return performance.now() - began;
}
