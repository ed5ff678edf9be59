import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BUNDLE, bundle, NOTICES, PARTS, partsOfBundle } from '../bundle.ts';
import { NODE, writeExecutable } from './executable.ts';
import { publishManifest } from './manifest.ts';

/** `make package`: what people install who do not run the operator's image. The package has the files that the tests run. */
const PACKAGE = 'dist/npm';
const EXECUTABLE = 'dist/irsa-operator-linux-x64';

const own = JSON.parse(await readFile('package.json', 'utf8')) as Record<string, unknown>;
await bundle();

await rm(PACKAGE, { recursive: true, force: true });
await mkdir(join(PACKAGE, basename(PARTS)), { recursive: true });
for (const file of [BUNDLE, NOTICES, 'README.md', 'LICENSE']) await copyFile(file, join(PACKAGE, basename(file)));
for (const part of await partsOfBundle()) await copyFile(part, join(PACKAGE, basename(PARTS), basename(part)));
const manifest = publishManifest(
  own,
  basename(BUNDLE),
  [BUNDLE, PARTS, NOTICES].map((file) => basename(file)),
);
await writeFile(join(PACKAGE, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`wrote ${PACKAGE}`);

await rm(EXECUTABLE, { force: true });
if (existsSync(NODE)) {
  await writeExecutable(EXECUTABLE);
  // Node is in it, and so is what Node contains.
  const licenses = await Promise.all(['LICENSE', NOTICES, join(NODE, 'LICENSE')].map((file) => readFile(file, 'utf8')));
  await writeFile(`${EXECUTABLE}.LICENSES.txt`, licenses.join('\n'));
  console.log(`wrote ${EXECUTABLE} (${Math.round((await stat(EXECUTABLE)).size / 1e6)} MB)`);
} else console.log(`did not write ${EXECUTABLE}: ${NODE} is installed only on Linux with an x64 processor`);
