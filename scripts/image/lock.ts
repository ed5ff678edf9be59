import { writeFile } from 'node:fs/promises';
import { formatLock } from './debian/lock.ts';
import { LOCKS } from './debian/packages.ts';
import { resolve } from './debian/resolve.ts';

/** `make image-lock`: pins the packages of today. Debian keeps no older ones on its mirrors, so that a lock is good until the next update of one of them. */
for (const wanted of LOCKS) {
  const [amd64, arm64] = await Promise.all([resolve(wanted, 'amd64'), resolve(wanted, 'arm64')]);
  await writeFile(wanted.file, formatLock(wanted.suite, { amd64, arm64 }));
  console.log(`wrote ${wanted.file}: ${amd64.map(({ name, version }) => `${name} ${version}`).join(', ')}`);
}
