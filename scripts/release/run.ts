import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Of a manifest, a list of names, or a file of some thousand lines. */
const MAX_BYTES = 16 * 1024 * 1024;
/** A push of 150 MB on a slow line. */
const DEADLINE_MS = 15 * 60_000;

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Throws with what it complained of. */
export async function run(program: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ran> {
  return await promisify(execFile)(program, args, { maxBuffer: MAX_BYTES, timeout: DEADLINE_MS, ...options });
}
