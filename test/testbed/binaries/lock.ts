import { closeSync, openSync, rmSync, statSync, utimesSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A holder says that it lives by touching the file this often; the other number leaves room for a machine that is busy compiling. */
const HEARTBEAT_MS = 2_000;
const STALE_AFTER_MS = 20_000;

/** How soon a waiting process notices that the lock is free. */
const RETRY_MS = 500;

/**
 * Runs `work` while no other process that asks for the same lock file does. While another one holds it, `waiting` hears for how long (ms).
 * A holder that was killed leaves the file behind, and its age gives it away (a pid would not: the cache may be shared between containers).
 * Two processes that find the same stale lock may both go on; that costs time only, as each builds in a folder of its own and renames.
 */
export async function withLock<T>(file: string, waiting: (forMs: number) => void, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const asked = performance.now();
  while (!tryLock(file)) {
    waiting(performance.now() - asked);
    await sleep(RETRY_MS, undefined, { signal });
  }
  const heartbeat = setInterval(() => touch(file), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    rmSync(file, { force: true });
  }
}

function tryLock(file: string): boolean {
  try {
    closeSync(openSync(file, 'wx'));
    return true;
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  }
  if (ageOf(file) > STALE_AFTER_MS) rmSync(file, { force: true });
  return false;
}

/** 0 when the file went away just now. */
function ageOf(file: string): number {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? 0 : Date.now() - stat.mtimeMs;
}

function touch(file: string): void {
  try {
    utimesSync(file, new Date(), new Date());
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error; // somebody emptied the cache meanwhile
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
