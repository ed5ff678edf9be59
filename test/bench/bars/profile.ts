import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AS_IT_SHIPS, startOperator } from '../../harness/operator.ts';
import { type Size, withFleet } from './fleet.ts';
import { convergenceTimeoutMs } from './measure.ts';
import { converge, UNLIMITED } from './operate.ts';
import { originals } from './originals.ts';
import { readingOf } from './process.ts';
import { quiet } from './rest.ts';
import { type CpuProfile, cpuTables, type HeapProfile, heapTable } from './tables.ts';

/** Runs a fleet until the operator has nothing left to do, under Node's profilers, and prints what they saw. The files stay, for a viewer. */
export async function printProfile(size: Size, tell: (what: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'irsa-operator-profile-'));
  const profilers = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--heap-prof', `--heap-prof-dir=${folder}`];
  const { gcMs, cpuMs, waitedMs, readyCpuMs } = await withFleet(size, async (testbed, api) => {
    tell('the operator, under its profilers');
    const start = () => startOperator(testbed, UNLIMITED, [], undefined, undefined, [...AS_IT_SHIPS, ...profilers]);
    const { operator, scrapes, atEnd } = await converge(testbed, api, size, convergenceTimeoutMs(size), start);
    await quiet(operator);
    const { cpuMs, waitedMs } = readingOf(operator.pid);
    await operator.stop();
    return { gcMs: scrapes.at(-1)?.gcMs ?? 0, cpuMs, waitedMs, readyCpuMs: atEnd.cpuMs };
  });
  const read = <T>(kind: string): T => {
    const file = readdirSync(folder).find((name) => name.endsWith(kind));
    if (file === undefined) throw new Error(`${folder} has no file that ends with ${kind}`);
    return JSON.parse(readFileSync(join(folder, file), 'utf8')) as T;
  };
  const original = originals();
  console.log(
    `${size.bindings} bindings on ${size.roles} roles: ${cpuMs} ms of CPU of all threads, ${readyCpuMs} of it until all were Ready;`,
  );
  console.log(
    `collections of garbage held the main thread for ${Math.round(gcMs)} ms until then; it waited ${Math.round(waitedMs)} ms for a core`,
  );
  console.log(cpuTables(read<CpuProfile>('.cpuprofile'), original, size.bindings));
  console.log(heapTable(read<HeapProfile>('.heapprofile'), original));
  console.log(`${folder} has both profiles`);
}
