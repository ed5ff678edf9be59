import { chmod, readFile, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { noticesOf } from './package/notices.ts';

export const BUNDLE = 'dist/irsa-operator.mjs';
/** Of what is in the bundle: it is wherever the bundle is. */
export const NOTICES = 'dist/THIRD-PARTY-NOTICES.txt';

/** One ESM file with a source map, and the notices beside it: what the image runs, what the package and the executable contain, and what the tests run too. */
export async function bundle(): Promise<void> {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  const { metafile } = await build({
    entryPoints: ['src/main.ts'],
    outfile: BUNDLE,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    // The oldest that the package supports. Built for the image's Node, the file would have the same size to the byte.
    target: 'node22.19',
    format: 'esm',
    sourcemap: true,
    // In the file, so that they are wherever it is.
    legalComments: 'eof',
    metafile: true,
    // Modules before CommonJS twins: only they can be shaken, which saves 12 MB of resident memory.
    mainFields: ['module', 'main'],
    define: { IRSA_OPERATOR_VERSION: JSON.stringify(version) },
    // Some dependencies are CommonJS and call `require` for Node's own modules.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  await chmod(BUNDLE, 0o755);
  await writeFile(NOTICES, await noticesOf(metafile, await readFile('LICENSE', 'utf8')));
}
