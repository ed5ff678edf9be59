import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What an image is made from. */
export interface Commit {
  /** RFC 3339. There is no other time in an image, so that it is the same whenever it is made. */
  readonly time: string;
  /** Ends with `-dirty` where files were changed since. */
  readonly revision: string;
}

export async function currentCommit(): Promise<Commit> {
  const git = async (...args: string[]) => (await promisify(execFile)('git', args)).stdout.trim();
  const seconds = Number(await git('log', '-1', '--format=%ct'));
  return {
    time: new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'),
    revision: await git('describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'),
  };
}
