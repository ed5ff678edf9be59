import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureTool } from '@irsa-operator/testbed';
import { openDeb } from '../image/debian/deb.ts';
import { parseLock } from '../image/debian/lock.ts';
import { RELEASE_PACKAGES } from '../image/debian/packages.ts';
import { unpack } from '../image/debian/unpack.ts';
import { NATIVE } from '../image/platforms.ts';

const COSIGN = 'usr/bin/cosign';

/** Paths of programs. */
export interface Tools {
  /** Pushes images, and is a registry. */
  readonly crane: string;
  readonly helm: string;
  readonly cosign: string;
}

/** crane and helm are built from their Go modules. cosign is a pinned Debian package, unpacked into a folder: nothing is installed. */
export async function openTools(folder: string, signal: AbortSignal): Promise<Tools> {
  const [crane, helm] = [await ensureTool('crane', signal), await ensureTool('helm', signal)];
  const lock = parseLock(await readFile(RELEASE_PACKAGES.file, 'utf8'), RELEASE_PACKAGES);
  for (const locked of lock[NATIVE]) for (const entry of (await openDeb(locked)).entries) if (entry.path === COSIGN) unpack(folder, entry);
  return { crane, helm, cosign: join(folder, COSIGN) };
}
