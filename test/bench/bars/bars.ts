import { inWords, sum } from './counts.ts';
import { quantile } from './drift.ts';
import type { Size } from './fleet.ts';
import type { Measured } from './measure.ts';
import { worst } from './scrapes.ts';

/** A line of the table. Texts, so that a run of another day is shown as it was. */
export interface Row {
  readonly what: string;
  readonly wanted: string;
  readonly measured: string;
  /** To the bare client in the same run, or to what the bucket allows. */
  readonly ratio?: string;
  /** Undefined where nothing is wanted: a figure that explains the others. */
  readonly holds?: boolean;
}

/** Longest and p99 of the contract, in milliseconds. */
const BLOCK_MS = 50;
const DELAY_MS = 20;

/** Every bar of the contract that a run can measure, in the order of its phases. */
export function barsOf(size: Size, measured: Measured): Row[] {
  const { floor, converged, idle, scrape, restarted, throttled } = measured;
  const { calls, writes, scrapes, atEnd } = converged;
  // The newcomer has one of each too.
  const bindings = size.bindings + 1;
  const roles = size.roles + 1;
  const memory = memoryAt(size.bindings);
  const kubernetes = (kinds: RegExp) => sum(writes, (what) => kinds.test(what)) / bindings;
  const reconciles = (controller: string) => scrapes.at(-1)?.reconciles.get(controller) ?? Number.NaN;
  return [
    atMost('all Ready, to the bare client', 1.5, converged.allMs / floor.allMs, '', {
      measured: `${seconds(converged.allMs)}, ${seconds(floor.allMs)} bare`,
      wanted: '1.5 times',
      ratio: converged.allMs / floor.allMs,
    }),
    atMost('the first Ready', 15, converged.firstMs / 1_000, 's'),
    atLeast('Ready a second, without a limit', 200, size.bindings / (converged.allMs / 1_000), ''),
    atMost('CPU a binding', 3, atEnd.cpuMs / size.bindings, 'ms', { ratio: atEnd.cpuMs / floor.cpuMs }),
    figure('of it, collections of garbage', `${((scrapes.at(-1)?.gcMs ?? 0) / size.bindings).toFixed(2)} ms`),
    figure('waited for a core meanwhile', seconds(atEnd.waitedMs)),
    figure('reconciles a binding', (reconciles('binding') / bindings).toFixed(1)),
    figure('reconciles a role', (reconciles('role') / roles).toFixed(1)),
    atMost("a user's new binding meanwhile", 10, converged.newcomerMs / 1_000, 's'),
    atMost('writes a role', 1.05, sum(calls, (what) => what === 'UpdateAssumeRolePolicy') / roles, ''),
    atMost('GetRole a role', 1.05, sum(calls, (what) => what === 'GetRole') / roles, ''),
    figure('calls of AWS', inWords(calls)),
    atMost('writes to the API server a binding, Events apart', 4, kubernetes(/^(?!.* events)/), ''),
    figure('Events a binding', kubernetes(/ events/).toFixed(2)),
    figure('Events by reason', inWords(measured.events)),
    figure('writes to the API server', inWords(writes)),
    atMost('memory, peak', memory.peak, atEnd.peakMiB, 'MiB'),
    atMost('memory at rest', memory.rest, idle.rssMiB, 'MiB'),
    atMost('event loop while it converges, longest block', BLOCK_MS, worst(scrapes, 'longestBlockMs'), 'ms'),
    atMost('event loop while it converges, p99 of the worst 15 s', DELAY_MS, worst(scrapes, 'p99Ms'), 'ms'),
    atMost('a scrape at rest', 2, scrape.bytes / 1e6, 'MB', { measured: `${(scrape.bytes / 1e6).toFixed(2)} MB, ${scrape.series} series` }),
    atMost('CPU of a scrape', 200, measured.scrapeCpuMs, 'ms'),
    figure('a scrape takes', `${scrape.ms.toFixed(0)} ms`),
    atMost('CPU when idle', 0.01, idle.cores, 'cores'),
    atMost('writes to the API server when idle, in a minute', 0, idle.writes, ''),
    atMost('calls of AWS when idle, in a minute', 24, idle.callsPerMinute, ''),
    atMost('drift of an annotation, p50', 50, quantile(measured.annotationsMs, 0.5), 'ms'),
    atMost('drift of an annotation, p99', 250, quantile(measured.annotationsMs, 0.99), 'ms'),
    atMost('drift of trust, p99, by a sweep of 60 s', 65, quantile(measured.trustMs, 0.99) / 1_000, 's'),
    atMost('event loop by then with sweeps and scrapes, longest block', BLOCK_MS, measured.laterBlockMs, 'ms'),
    atMost('restart, until ready', 5, restarted.readyMs / 1_000, 's'),
    atMost('restart, writes to the API server', 0, sum(restarted.writes), ''),
    atMost('restart, calls of AWS', 12, sum(restarted.calls), '', { measured: `${sum(restarted.calls)}: ${inWords(restarted.calls)}` }),
    atMost('restart, memory, peak', memory.peak, restarted.peakMiB, 'MiB'),
    atMost('restart, memory at rest', memory.rest, restarted.rssMiB, 'MiB'),
    atMost('restart, longest block', BLOCK_MS, restarted.longestBlockMs, 'ms'),
    atMost('failover after a crash', 24, measured.crashMs / 1_000, 's'),
    atMost('failover after SIGTERM', 5, measured.handoverMs / 1_000, 's'),
    atMost(`${size.roles} roles to write at 5 a second, to what the bucket allows`, 1.05, throttled.tookMs / throttled.floorMs, '', {
      measured: seconds(throttled.tookMs),
      wanted: '1.05 times',
      ratio: throttled.tookMs / throttled.floorMs,
    }),
    atMost('writes a role by then', 1, throttled.writes / size.roles, ''),
    atMost('calls that were throttled', 1, throttled.throttledPart * 100, '%'),
  ];
}

/** As the contract has it for the next larger fleet. MiB. */
function memoryAt(bindings: number): { readonly rest: number; readonly peak: number } {
  if (bindings <= 1_000) return { rest: 160, peak: 208 };
  return bindings <= 10_000 ? { rest: 192, peak: 208 } : { rest: 512, peak: 512 };
}

interface Words {
  readonly measured?: string;
  readonly wanted?: string;
  readonly ratio?: number;
}

const atMost = (what: string, limit: number, value: number, unit: string, words: Words = {}): Row =>
  row(what, 'at most', limit, value, unit, value <= limit, words);
const atLeast = (what: string, limit: number, value: number, unit: string): Row =>
  row(what, 'at least', limit, value, unit, value >= limit, {});
const figure = (what: string, measured: string): Row => ({ what, wanted: '', measured });

function row(what: string, way: string, limit: number, value: number, unit: string, holds: boolean, words: Words): Row {
  const { measured = withUnit(short(value), unit), wanted = withUnit(`${limit}`, unit), ratio } = words;
  return { what, wanted: `${way} ${wanted}`, measured, ...(ratio === undefined ? {} : { ratio: short(ratio) }), holds };
}

const withUnit = (value: string, unit: string): string => [value, unit].filter(Boolean).join(' ');
const seconds = (ms: number): string => `${short(ms / 1_000)} s`;

/** Three digits that count. */
function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : `${Number(value.toPrecision(3))}`;
}
