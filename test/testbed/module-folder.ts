import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GO_ENVIRONMENT } from './binaries/go.ts';

/** The largest is 60 MB. */
const DEADLINE_MS = 300_000;

/** Where the files are of the module that `modules/NAME` requires: go.mod pins it, and go.sum verifies it. Nothing of it is built. */
export async function moduleFolder(name: string): Promise<string> {
  const cwd = join(import.meta.dirname, 'modules', name);
  const [, path] = /^require (\S+) v/m.exec(readFileSync(join(cwd, 'go.mod'), 'utf8')) ?? [];
  if (path === undefined) throw new Error(`modules/${name}/go.mod requires no module: make it anew with modules/generate.sh`);
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', path], {
    cwd,
    env: { ...process.env, ...GO_ENVIRONMENT },
    timeout: DEADLINE_MS,
  });
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}
