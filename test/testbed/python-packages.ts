import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** pip downloads up to 100 MB, on a slow line too. */
const INSTALL_MS = 15 * 60_000;

const run = promisify(execFile);

/**
 * A virtual environment with what a requirements.txt pins, made once for each content of it. Returns the folder of its programs. Not for several at
 * once: scripts name their interpreter by its path, so that it cannot be moved.
 */
export async function pythonPackages(name: string, requirements: string): Promise<string> {
  const text = await readFile(requirements);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const folder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'irsa-operator', name, hash);
  const programs = join(folder, 'bin');
  if (existsSync(join(folder, 'complete'))) return programs;
  console.error(`installing ${name} with pip into ${folder} ...`);
  await mkdir(dirname(folder), { recursive: true });
  await rm(folder, { recursive: true, force: true });
  try {
    await run('python3', ['-m', 'venv', folder]);
  } catch (error) {
    throw new Error(`"python3 -m venv" does not work here: ${name} needs Python 3.10 or newer with its venv module`, { cause: error });
  }
  const python = join(programs, 'python');
  await run(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements], { timeout: INSTALL_MS });
  await writeFile(join(folder, 'complete'), '');
  return programs;
}
