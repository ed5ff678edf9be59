import { z } from 'zod';
import { type Architecture, PLATFORMS } from '../platforms.ts';

const packageSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/),
  version: z.string().min(1),
  /** On a mirror of Debian. */
  path: z.string().regex(/^debian(-security)?\/pool\/[\w.+%/-]+\.deb$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
const lockSchema = z.strictObject({ suite: z.string(), amd64: z.array(packageSchema), arm64: z.array(packageSchema) });

/** A package of Debian for one architecture: the file, and nothing else that has its name. */
export type LockedPackage = Readonly<z.infer<typeof packageSchema>>;
export type Lock = Readonly<z.infer<typeof lockSchema>>;

/** What a lock file is for: these packages and no others, of one release of Debian. */
export interface Wanted {
  /** Of the lock file, from the root of the repository. */
  readonly file: string;
  readonly suite: string;
  readonly packages: readonly string[];
}

const RENEW = 'run `make image-lock`';

/** Throws where the lock is not one, or is of other packages than those that are wanted. */
export function parseLock(text: string, wanted: Wanted): Lock {
  const lock = lockSchema.safeParse(JSON.parse(text));
  if (!lock.success) throw new Error(`${wanted.file} is not a lock of packages: ${z.prettifyError(lock.error)}`);
  if (lock.data.suite !== wanted.suite)
    throw new Error(`${wanted.file} is of "${lock.data.suite}", and wanted is "${wanted.suite}": ${RENEW}`);
  for (const { architecture } of PLATFORMS) {
    const [found, expected] = [lock.data[architecture].map(({ name }) => name).sort(), [...wanted.packages].sort()];
    if (found.join() !== expected.join())
      throw new Error(`${wanted.file} has for ${architecture} ${found.join(', ')}, and wanted are ${expected.join(', ')}: ${RENEW}`);
  }
  return lock.data;
}

export function formatLock(suite: string, packages: Readonly<Record<Architecture, readonly LockedPackage[]>>): string {
  const sorted = PLATFORMS.map(({ architecture }) => [architecture, packages[architecture].toSorted(byName)]);
  return `${JSON.stringify({ suite, ...Object.fromEntries(sorted) }, undefined, 2)}\n`;
}

/** Reads what `apt-get download --print-uris` writes, a line for each package: `'URL' NAME_VERSION_ARCHITECTURE.deb SIZE SHA256:HEX`. */
export function packagesIn(uris: string, mirror: string): LockedPackage[] {
  return uris
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, url, name, version, sha256] = /^'([^']+)' ([^_ ]+)_([^_ ]+)_[^_ ]+\.deb \d+ SHA256:([0-9a-f]{64})$/.exec(line) ?? [];
      if (!url?.startsWith(`${mirror}/`) || name === undefined || version === undefined || sha256 === undefined)
        throw new Error(`apt-get wrote ${JSON.stringify(line)}, which names no package of ${mirror} with its SHA-256`);
      return { name, version: decodeURIComponent(version), path: url.slice(mirror.length + 1), sha256 };
    });
}

function byName(a: LockedPackage, b: LockedPackage): number {
  return a.name < b.name ? -1 : 1;
}
