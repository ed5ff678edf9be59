import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'irsa-operator');

/** The root folder of these packages of Debian, unpacked into a cache under this name: nothing is installed. */
export async function unpacked(name: string, packages: readonly string[]): Promise<string> {
  const cache = join(CACHE, name);
  const root = join(cache, 'debian');
  if (existsSync(root)) return root;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'new-'));
  await run('apt-get', ['download', ...packages], { cwd: folder });
  const files = readdirSync(folder).filter((file) => file.endsWith('.deb'));
  for (const file of files) await run('dpkg', ['-x', join(folder, file), join(folder, 'root')]);
  try {
    renameSync(join(folder, 'root'), root);
  } catch (error) {
    // Another run was faster.
    if (!existsSync(root)) throw error;
  }
  rmSync(folder, { recursive: true });
  return root;
}
