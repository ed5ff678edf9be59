import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureTool } from '@irsa-operator/testbed';
import { openDeb } from '../../../scripts/image/debian/deb.ts';
import { parseLock } from '../../../scripts/image/debian/lock.ts';
import { TEST_PACKAGES } from '../../../scripts/image/debian/packages.ts';
import { unpack } from '../../../scripts/image/debian/unpack.ts';
import { type Architecture, NATIVE } from '../../../scripts/image/platforms.ts';

/** What has to be emulated on this machine. */
export const FOREIGN: Architecture = NATIVE === 'arm64' ? 'amd64' : 'arm64';
const { qemu, libraries } = {
  amd64: { qemu: 'usr/bin/qemu-aarch64-static', libraries: 'usr/lib/x86_64-linux-gnu' },
  arm64: { qemu: 'usr/bin/qemu-x86_64-static', libraries: 'usr/lib/aarch64-linux-gnu' },
}[NATIVE];

/** Paths of programs. */
export interface Tools {
  readonly umoci: string;
  readonly runc: string;
  /** The folder with what runc is linked to. */
  readonly libraries: string;
  /** Runs programs of the other architecture. It needs no library. */
  readonly qemu: string;
  /** Pushes and pulls images, and is a registry. */
  readonly crane: string;
}

/** From the Debian packages that are pinned for it, unpacked into a folder: nothing is installed. crane is built from its Go module. */
export async function openTools(folder: string, signal: AbortSignal): Promise<Tools> {
  const crane = await ensureTool('crane', signal);
  const lock = parseLock(readFileSync(TEST_PACKAGES.file, 'utf8'), TEST_PACKAGES);
  const [runc, umoci] = ['usr/sbin/runc', 'usr/bin/umoci'];
  for (const locked of lock[NATIVE])
    for (const entry of (await openDeb(locked)).entries)
      if ([runc, umoci, qemu].includes(entry.path) || entry.path.startsWith(`${libraries}/libseccomp.so.`)) unpack(folder, entry);
  const at = (path: string) => join(folder, path);
  return { umoci: at(umoci), runc: at(runc), libraries: at(libraries), qemu: at(qemu), crane };
}
