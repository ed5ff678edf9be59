import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isDead, type Owner, type Process, processTable, thisProcess } from './processes.ts';
import { until } from './until.ts';

/** One folder for all testbeds of this user: another user could neither write into it nor clean it. */
export const SCRATCH_ROOT = join(tmpdir(), `irsa-operator-testbed-${process.getuid?.()}`);

/** A killed process is gone in milliseconds; on a swapping machine it may take seconds to give back a gigabyte. */
const KILL_DEADLINE_MS = 10_000;

/**
 * Makes a testbed's own folder. Its name says who owns it, so there is no moment at which it exists without an owner.
 */
export function makeScratch(root: string = SCRATCH_ROOT): string {
  const folder = join(root, scratchName(thisProcess(), randomBytes(4).toString('hex')));
  mkdirSync(folder, { recursive: true, mode: 0o700 }); // the admin's key will be in it
  return folder;
}

export function scratchName({ namespace, pid, startedAt }: Owner, random: string): string {
  return `${namespace}-${pid}-${startedAt}-${random}`;
}

export function ownerOf(folder: string): Owner | undefined {
  const [, namespace, pid, startedAt] = /^(\d+)-(\d+)-(\d+)-[0-9a-f]+$/.exec(basename(folder)) ?? [];
  return pid === undefined ? undefined : { namespace: Number(namespace), pid: Number(pid), startedAt: Number(startedAt) };
}

/** Ends what testbeds that were killed with -9 left behind: their children, then their folders. A living owner's are not touched. */
export async function sweepScratch(binaries: readonly string[], root: string = SCRATCH_ROOT): Promise<void> {
  const processes = processTable();
  for (const folder of deadFolders(root, processes)) {
    for (const { pid } of childrenOf(folder, binaries, processes)) kill(pid);
    await until(`the processes of the dead testbed ${folder} end`, () => childrenOf(folder, binaries, processTable()).length === 0, {
      timeoutMs: KILL_DEADLINE_MS,
    });
    rmSync(folder, { recursive: true, force: true }); // force: another start may be sweeping the same folder
  }
}

function deadFolders(root: string, processes: readonly Process[]): string[] {
  let names: string[];
  try {
    names = readdirSync(root);
  } catch {
    return []; // nobody ever started a testbed here
  }
  return names
    .map((name) => join(root, name))
    .filter((folder) => {
      const owner = ownerOf(folder);
      return owner !== undefined && isDead(owner, processes);
    });
}

/**
 * A child is recognised by its command line: one of our programs, with the folder among its arguments. No record of pids is needed, so none
 * can be missing when the owner was killed between a start and its note, and no stranger who got the same pid is hit. The program's name
 * keeps out `tail -f FOLDER/etcd.log`; it ends where the flags begin, because the cache's path may hold blanks.
 */
export function childrenOf(folder: string, binaries: readonly string[], processes: readonly Process[]): Process[] {
  return processes.filter(({ command }) => command.includes(`${folder}/`) && binaries.includes(basename(command.split(' --', 1)[0] ?? '')));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone already
  }
}
