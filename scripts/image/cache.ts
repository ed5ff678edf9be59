import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Outside of the checkout, as the programs of the testbed are. */
const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'irsa-operator', 'image');

export interface Pinned {
  readonly name: string;
  readonly algorithm: 'sha256' | 'sha512';
  readonly hex: string;
}

/** The path of a file with exactly this content. It is downloaded once, into the folder that `download` is given, under its name. */
export async function pinnedFile(
  { name, algorithm, hex }: Pinned,
  download: (folder: string) => Promise<unknown>,
  cache = CACHE,
): Promise<string> {
  const place = join(cache, hex.slice(0, 32));
  const path = join(place, name);
  if (existsSync(path)) return path;
  await mkdir(cache, { recursive: true });
  const temporary = await mkdtemp(join(cache, 'downloading-'));
  try {
    await download(temporary);
    const found = createHash(algorithm)
      .update(await readFile(join(temporary, name)))
      .digest('hex');
    if (found !== hex) throw new Error(`${name} has the ${algorithm} ${found}, and ${hex} is pinned: nothing of it was used`);
    await mkdir(place, { recursive: true });
    await rename(join(temporary, name), path); // whole, or not at all
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return path;
}
