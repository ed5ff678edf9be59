import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The folder of an archive on a mirror: what is before it is the same for all archives. */
const ARCHIVE = /^(https?:\/\/\S+)\/debian\/?$/m;

/** The mirror of Debian that apt of this machine has, or `DEBIAN_MIRROR`: the address up to `/debian`. No mirror's name is in a lock. */
export async function debianMirror(given = process.env['DEBIAN_MIRROR']): Promise<string> {
  if (given !== undefined && given !== '') return given.replace(/(\/debian)?\/*$/, '');
  const { stdout } = await promisify(execFile)('apt-get', ['indextargets', '--format', '$(REPO_URI)']);
  return mirrorIn(stdout);
}

/** Of the addresses that apt-get writes, one a line. */
export function mirrorIn(addresses: string): string {
  const [, mirror] = ARCHIVE.exec(addresses) ?? [];
  if (mirror === undefined)
    throw new Error('apt of this machine has no mirror of Debian. Set DEBIAN_MIRROR to one: the address that has the folder "debian"');
  return mirror;
}
