import { readFileSync } from 'node:fs';

/** In which Linux counts the time of processes (`man 5 proc`): the same on every architecture that Node runs on. */
const TICK_MS = 10;

/** Of a process as a whole. Milliseconds, and MiB. */
export interface Reading {
  readonly cpuMs: number;
  /** How long its main thread could have run and had no core: other work on the machine. */
  readonly waitedMs: number;
  readonly rssMiB: number;
  /** Since the process began. */
  readonly peakMiB: number;
}

export function readingOf(pid: number): Reading {
  // The name of the program is in brackets, and may hold anything.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    // Of the main thread: nanoseconds run, and nanoseconds waited.
    waitedMs: Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6,
    rssMiB: kilobytes('VmRSS') / 1024,
    peakMiB: kilobytes('VmHWM') / 1024,
  };
}
