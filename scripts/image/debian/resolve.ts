import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Architecture } from '../platforms.ts';
import { type LockedPackage, packagesIn, type Wanted } from './lock.ts';
import { debianMirror } from './mirror.ts';

/** Debian's keys: what apt-get reads is signed by one of them. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

const run = promisify(execFile);

/** The newest of each package, as an installation of that release would get it, security updates included. */
export async function resolve({ suite, packages }: Wanted, architecture: Architecture): Promise<LockedPackage[]> {
  if (!existsSync(KEYRING))
    throw new Error(`there is no ${KEYRING}: the lock can be renewed on Debian, and elsewhere with its package debian-archive-keyring`);
  const home = await mkdtemp(join(tmpdir(), 'irsa-operator-apt-'));
  try {
    const mirror = await debianMirror();
    const apt = await privateApt(home, mirror, suite, architecture);
    await apt('update');
    return packagesIn(await apt('download', '--print-uris', ...packages), mirror);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** apt-get with folders of its own: nothing of the machine's packages is read or changed, but its proxy is used. */
async function privateApt(
  home: string,
  mirror: string,
  suite: string,
  architecture: Architecture,
): Promise<(...args: string[]) => Promise<string>> {
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) await mkdir(join(home, folder), { recursive: true });
  const sources = [
    ['debian', suite],
    ['debian', `${suite}-updates`],
    ['debian-security', `${suite}-security`],
  ].map(([archive, of]) => `deb [signed-by=${KEYRING}] ${mirror}/${archive} ${of} main\n`);
  await writeFile(join(home, 'sources.list'), sources.join(''));
  await writeFile(join(home, 'status'), ''); // nothing is installed
  const options = {
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'Dir::State': join(home, 'state'),
    'Dir::State::status': join(home, 'status'),
    'Dir::Cache': join(home, 'cache'),
    'Dir::Etc::sourcelist': join(home, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'APT::Sandbox::User': 'root',
    'APT::Get::List-Cleanup': 'false',
    'Acquire::Languages': 'none',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return async (...args) => (await run('apt-get', ['--quiet', ...flags, ...args])).stdout;
}
