import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { pinnedFile } from '../cache.ts';
import type { Platform } from '../platforms.ts';
import { NODE } from '../runtime.ts';
import { type Entry, file } from '../tar/entry.ts';
import { readTar } from '../tar/read.ts';

interface Locked {
  readonly version: string;
  readonly integrity: string;
}

/** The Node of the project, as npm brings it to developers: same version, same file. */
export async function nodeLayer({ npm }: Platform): Promise<Entry[]> {
  const name = `node-linux-${npm}`;
  const { version, integrity } = await locked(name);
  const tarball = await pinnedFile({ name: `${name}-${version}.tgz`, ...digestOf(integrity) }, async (folder) => {
    // Out of the way of the project's .npmrc and of its folder.
    await promisify(execFile)('npm', ['pack', `${name}@${version}`, '--pack-destination', folder], { cwd: folder });
  });
  const entries = readTar(gunzipSync(await readFile(tarball)));
  return [
    file(NODE.slice(1), contentOf(entries, 'package/bin/node'), 0o755),
    file('licenses/node/LICENSE', contentOf(entries, 'package/LICENSE')),
  ];
}

async function locked(name: string): Promise<Locked> {
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8')) as { packages: Record<string, Locked> };
  const found = packages[`node_modules/${name}`];
  if (found === undefined) throw new Error(`package-lock.json has no ${name}`);
  return found;
}

/** What npm writes is base64 (https://www.w3.org/TR/SRI/). */
function digestOf(integrity: string): { algorithm: 'sha512'; hex: string } {
  const [, base64] = /^sha512-([A-Za-z0-9+/]+=*)$/.exec(integrity) ?? [];
  if (base64 === undefined) throw new Error(`package-lock.json has the integrity ${JSON.stringify(integrity)}, and wanted is one SHA-512`);
  return { algorithm: 'sha512', hex: Buffer.from(base64, 'base64').toString('hex') };
}

function contentOf(entries: readonly Entry[], path: string): Buffer {
  const found = entries.find((entry) => entry.path === path);
  if (found?.kind !== 'file') throw new Error(`the package of Node has no file "${path}"`);
  return found.content;
}
