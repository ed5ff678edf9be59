import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A living process. The pid alone is given out again after its death; with the moment of the start it names one process for good. */
export interface Process {
  pid: number;
  /** Linux: clock ticks since boot. Elsewhere: seconds since 1970. Only ever compared on one machine. */
  startedAt: number;
  /** The whole command line, arguments parted by blanks. */
  command: string;
}

/** Every living process that this user may see. A zombie counts as dead: it holds nothing any more. */
export function processTable(): Process[] {
  return process.platform === 'linux' ? fromProc() : parsePs(execFileSync('ps', PS_ARGUMENTS, PS_OPTIONS));
}

export const PS_ARGUMENTS = ['-A', '-ww', '-o', 'pid=,stat=,lstart=,command='];

/** The C locale fixes the form of the date; a long process list on a busy machine stays under 16 MB. */
export const PS_OPTIONS = { encoding: 'utf8', env: { PATH: process.env['PATH'], LC_ALL: 'C' }, maxBuffer: 16 << 20 } as const;

/** Lines such as `  812 S+   Tue Nov 24 03:57:48 2026 /usr/bin/etcd --data-dir /tmp/x`. */
export function parsePs(output: string): Process[] {
  return output.split('\n').flatMap((line) => {
    const [, pid, state, date, command] = /^\s*(\d+)\s+(\S+)\s+(\w{3}\s+\w{3}\s+\d+\s+[\d:]+\s+\d{4})\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || state === undefined || date === undefined || command === undefined || state.startsWith('Z')) return [];
    return [{ pid: Number(pid), startedAt: Date.parse(date) / 1000, command }];
  });
}

/** `/proc/PID/stat`: the name in brackets may hold blanks and brackets itself, so the fields are counted from its last bracket on. */
export function parseStat(stat: string): { alive: boolean; startedAt: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0] ?? '';
  return { alive: !'ZX'.includes(state), startedAt: Number(fields[19]) };
}

function fromProc(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const { alive, startedAt } = parseStat(readFileSync(`/proc/${name}/stat`, 'utf8'));
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trimEnd();
        return alive ? [{ pid: Number(name), startedAt, command }] : [];
      } catch {
        return []; // it ended while the list was read
      }
    });
}

/** Who owns something in a place that processes share, in a form that goes into a file name: PID namespace, pid and start. */
export interface Owner {
  namespace: number;
  pid: number;
  startedAt: number;
}

export function thisProcess(processes: readonly Process[] = processTable()): Owner {
  const self = processes.find(({ pid }) => pid === process.pid);
  if (self === undefined) throw new Error(`this process (pid ${process.pid}) is not in the system's process table: is /proc mounted?`);
  return { namespace: pidNamespace(), pid: self.pid, startedAt: self.startedAt };
}

/** True only on evidence. A temporary folder may be shared between containers: of another PID namespace nothing can be said from here. */
export function isDead(owner: Owner, processes: readonly Process[], namespace: number = pidNamespace()): boolean {
  return owner.namespace === namespace && !processes.some(({ pid, startedAt }) => pid === owner.pid && startedAt === owner.startedAt);
}

/** macOS has no PID namespaces: one number for all. */
function pidNamespace(): number {
  return process.platform === 'linux' ? Number(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]) : 0;
}
