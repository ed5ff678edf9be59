import { chmod, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';

/** The file that is run. */
export const BUNDLE = 'dist/irsa-operator.mjs';
/** Beside it: what it loads. */
export const PARTS = 'parts';

/**
 * ESM files with source maps: what the image and the npm package contain, and what the tests run. In parts, because V8 reads all of a module
 * before it runs a line of it: one file for everything costs each start of a command 100 ms, and the operator 16 MB of resident memory.
 * Resolves with what went into them.
 */
export async function bundle(): Promise<Metafile> {
  const folder = dirname(BUNDLE);
  await rm(join(folder, PARTS), { recursive: true, force: true });
  const metafile = await built({
    entryPoints: { [basename(BUNDLE, '.mjs')]: 'src/main.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    chunkNames: `${PARTS}/[name]-[hash]`,
    sourcemap: true,
  });
  await chmod(BUNDLE, 0o755);
  return metafile;
}

/** The same as one file, for the executable. */
export async function bundleWhole(file: string): Promise<void> {
  await built({ entryPoints: ['src/main.ts'], outfile: file });
}

async function built(options: BuildOptions): Promise<Metafile> {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  const { metafile } = await build({
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    // The oldest that the package supports. Built for the image's Node, the file would have the same size to the byte.
    target: 'node22.19',
    format: 'esm',
    // In the file, so that they are wherever it is.
    legalComments: 'eof',
    // Modules before CommonJS twins: only they can be shaken, which saves 12 MB of resident memory.
    mainFields: ['module', 'main'],
    define: { IRSA_OPERATOR_VERSION: JSON.stringify(version) },
    // Some dependencies are CommonJS and call `require` for Node's own modules.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    ...options,
    metafile: true,
  });
  return metafile;
}
