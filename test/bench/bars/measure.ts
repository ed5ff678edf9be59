import type { Api, Testbed } from '@irsa-operator/testbed';
import { AS_IT_SHIPS, startOperator } from '../../harness/operator.ts';
import { type Counts, eventsByReason } from './counts.ts';
import { driftOfAnnotations, driftOfTrust } from './drift.ts';
import { type Size, withFleet } from './fleet.ts';
import { type Floor, measureFloor } from './floor.ts';
import { type Converged, converge, UNLIMITED } from './operate.ts';
import { costOfScrape, failover, type Idle, idle, quiet, type Restarted, restart } from './rest.ts';
import { type Scrape, scrapeOnce } from './scrapes.ts';
import { type Throttled, throttled } from './throttled.ts';

/** All that the bars ask of an operator with a fleet of this size. Milliseconds, MiB, and sorted times. */
export interface Measured {
  readonly floor: Floor;
  readonly converged: Converged;
  /** Of the first convergence. */
  readonly events: Counts;
  readonly idle: Idle;
  readonly scrape: Scrape;
  readonly scrapeCpuMs: number;
  /** Of the minutes after all was Ready: sweeps, scrapes and repairs. */
  readonly laterBlockMs: number;
  readonly annotationsMs: readonly number[];
  readonly trustMs: readonly number[];
  readonly restarted: Restarted;
  readonly crashMs: number;
  readonly handoverMs: number;
  readonly throttled: Throttled;
}

/** Ways out, several times what was ever seen: 40 ms for a binding without limits, a role a fifth of a second by the bucket. */
const LEAST_MS = 120_000;
const BINDING_MS = 200;
const ROLE_MS = 1_000;

export const convergenceTimeoutMs = ({ bindings }: Size): number => LEAST_MS + BINDING_MS * bindings;

/** The same fleet three times, each as nobody has touched it: for the bare client, for the operator, and for one role a binding behind a bucket. */
export async function measure(size: Size, tell: (what: string) => void): Promise<Measured> {
  const timeoutMs = convergenceTimeoutMs(size);
  tell('the bare client');
  const floor = await withFleet(size, (testbed) => measureFloor(testbed, size, timeoutMs));
  tell('the operator');
  const operated = await withFleet(size, (testbed, api) => operate(testbed, api, size, timeoutMs, tell));
  tell('an AWS that throttles');
  const few = { bindings: size.roles, roles: size.roles, pods: 0 };
  const limited = await withFleet(few, (testbed, api) => throttled(testbed, api, few, LEAST_MS + ROLE_MS * size.roles));
  return { floor, ...operated, throttled: limited };
}

type Operated = Omit<Measured, 'floor' | 'throttled'>;

async function operate(testbed: Testbed, api: Api, size: Size, timeoutMs: number, tell: (what: string) => void): Promise<Operated> {
  const start = () => startOperator(testbed, UNLIMITED, [], undefined, undefined, AS_IT_SHIPS);
  const converged = await converge(testbed, api, size, timeoutMs, start);
  let last = converged.operator;
  try {
    tell('a minute of rest');
    await quiet(last);
    const events = await eventsByReason(api);
    const rested = await idle(testbed, last);
    const scrapeCpuMs = await costOfScrape(last, rested);
    const scrape = await scrapeOnce(last);
    tell('drift');
    const annotationsMs = await driftOfAnnotations(api, size);
    const trustMs = await driftOfTrust(testbed, size);
    await quiet(last);
    const laterBlockMs = (await scrapeOnce(last)).longestBlockMs;
    tell('restart and failover');
    const restarted = await restart(testbed, last, start);
    last = restarted.operator;
    const second = await start();
    const crashMs = await failover(last, second, 'SIGKILL');
    last = second;
    const third = await start();
    const handoverMs = await failover(last, third, 'SIGTERM');
    last = third;
    return { converged, events, idle: rested, scrape, scrapeCpuMs, laterBlockMs, annotationsMs, trustMs, restarted, crashMs, handoverMs };
  } finally {
    await last.stop();
  }
}
