import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { unpacked } from './debian.ts';

/** From PATH, else from the package of Debian. */
export async function programOfPrometheus(name: 'prometheus' | 'promtool'): Promise<string> {
  const installed = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  const program = installed.find((path) => existsSync(path));
  if (program !== undefined) return program;
  const root = await unpacked('prometheus', ['prometheus']).catch((error: Error) => {
    throw new Error(`there is no ${name} in PATH, and apt-get download did not bring it: ${error.message}. Install Prometheus`);
  });
  return join(root, 'usr', 'bin', name);
}

/** What it says. Throws with its complaint. */
export async function promtool(...args: readonly string[]): Promise<string> {
  const program = await programOfPrometheus('promtool');
  try {
    const { stdout } = await promisify(execFile)(program, [...args]);
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`promtool ${args.join(' ')}: ${stdout ?? ''}${stderr ?? String(error)}`);
  }
}
