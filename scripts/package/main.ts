import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BUNDLE, bundle, PARTS } from '../bundle.ts';
import { NODE, writeExecutable } from './executable.ts';
import { publishManifest } from './manifest.ts';
import { noticesOf } from './notices.ts';

/** `make package`: what people install who do not run the operator's image. The package has the files that the tests run. */
const PACKAGE = 'dist/npm';
const EXECUTABLE = 'dist/irsa-operator-linux-x64';
const NOTICES = 'THIRD-PARTY-NOTICES.txt';

const own = JSON.parse(await readFile('package.json', 'utf8')) as Record<string, unknown>;
const license = await readFile('LICENSE', 'utf8');
const notices = await noticesOf(await bundle(), license);

await rm(PACKAGE, { recursive: true, force: true });
await mkdir(join(PACKAGE, PARTS), { recursive: true });
for (const file of [BUNDLE, 'README.md', 'LICENSE']) await copyFile(file, join(PACKAGE, basename(file)));
const parts = join(dirname(BUNDLE), PARTS);
for (const part of await readdir(parts)) if (part.endsWith('.mjs')) await copyFile(join(parts, part), join(PACKAGE, PARTS, part));
await writeFile(join(PACKAGE, NOTICES), notices);
const manifest = publishManifest(own, basename(BUNDLE), [basename(BUNDLE), PARTS, NOTICES]);
await writeFile(join(PACKAGE, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`wrote ${PACKAGE}`);

await rm(EXECUTABLE, { force: true });
if (existsSync(NODE)) {
  await writeExecutable(EXECUTABLE);
  // Node is in it, and so is what Node contains.
  await writeFile(`${EXECUTABLE}.LICENSES.txt`, [license, notices, await readFile(join(NODE, 'LICENSE'), 'utf8')].join('\n'));
  console.log(`wrote ${EXECUTABLE} (${Math.round((await stat(EXECUTABLE)).size / 1e6)} MB)`);
} else console.log(`did not write ${EXECUTABLE}: ${NODE} is installed only on Linux with an x64 processor`);
