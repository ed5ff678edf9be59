import { chmod, readFile } from 'node:fs/promises';
import { build, type Metafile } from 'esbuild';
import { packedPages } from '../src/cli/explain/pages.ts';

export const BUNDLE = 'dist/irsa-operator.mjs';

/**
 * One ESM file with a source map: what the image runs, what the package and the executable contain, and what the tests run too. Resolves with
 * what went into it.
 */
export async function bundle(): Promise<Metafile> {
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
    define: { IRSA_OPERATOR_VERSION: JSON.stringify(version), IRSA_OPERATOR_FINDINGS: JSON.stringify(packedPages()) },
    // Some dependencies are CommonJS and call `require` for Node's own modules.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  await chmod(BUNDLE, 0o755);
  return metafile;
}
