import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pinnedFile } from '../cache.ts';
import type { Entry } from '../tar/entry.ts';
import { readTar } from '../tar/read.ts';
import type { LockedPackage } from './lock.ts';
import { debianMirror } from './mirror.ts';

/** Part of apt. It fetches with the machine's settings, and needs no list of packages: what a file has to hold is in the lock. */
const APT_HELPER = '/usr/lib/apt/apt-helper';
/** The largest package unpacks to 300 MB. */
const MAX_BYTES = 2 ** 30;

const run = promisify(execFile);

export interface Deb {
  readonly name: string;
  /** As dpkg keeps it of what is installed. */
  readonly control: string;
  readonly entries: readonly Entry[];
}

/** What a package of a lock has in it. No script of it is run. */
export async function openDeb(locked: LockedPackage): Promise<Deb> {
  const path = await download(locked);
  const [control, data] = await Promise.all([run('dpkg-deb', ['--field', path]), unpack(path)]);
  return { name: locked.name, control: control.stdout, entries: readTar(data) };
}

async function download({ name, version, path, sha256 }: LockedPackage): Promise<string> {
  if (!existsSync(APT_HELPER)) throw new Error(`there is no ${APT_HELPER}: the image is made on Debian, or what descends from it`);
  const file = `${name}.deb`;
  return await pinnedFile({ name: file, algorithm: 'sha256', hex: sha256 }, async (folder) => {
    const url = `${await debianMirror()}/${path}`;
    try {
      await run(APT_HELPER, ['-o', 'APT::Sandbox::User=root', 'download-file', url, join(folder, file), `SHA256:${sha256}`]);
    } catch (error) {
      const hint = 'Debian deletes a version when it has a newer one: `make image-lock` pins that';
      throw new Error(`${name} ${version} was not downloaded: ${complaintOf(error)}. ${hint}`, { cause: error });
    }
  });
}

/** What apt says is wrong, without what it says of its progress. */
function complaintOf(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  return /^E: (.*)/m.exec(stderr)?.[1]?.replace(/\s+/g, ' ') ?? String(error);
}

async function unpack(path: string): Promise<Buffer> {
  return (await run('dpkg-deb', ['--fsys-tarfile', path], { encoding: 'buffer', maxBuffer: MAX_BYTES })).stdout;
}
