import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';

export const BUNDLE = 'dist/irsa-operator.mjs';
/** Of a bundle in parts: the file that is run. The others are in `PARTS` beside it. */
export const ENTRY = 'irsa-operator.mjs';
export const PARTS = 'parts';

/** One ESM file with a source map: what the image runs, what the executable contains, and what the tests run too. Resolves with what went into it. */
export async function bundle(): Promise<Metafile> {
  return built(BUNDLE, { outfile: BUNDLE, sourcemap: true });
}

/**
 * The same in parts, for the npm package: a command loads only what it needs. V8 reads all of a module before it runs a line of it, so that
 * one file for everything costs each start 100 ms.
 */
export async function bundleInParts(folder: string): Promise<Metafile> {
  return built(join(folder, ENTRY), {
    entryPoints: { [ENTRY.replace('.mjs', '')]: 'src/main.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    chunkNames: `${PARTS}/[name]-[hash]`,
  });
}

async function built(program: string, options: BuildOptions): Promise<Metafile> {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  const { metafile } = await build({
    entryPoints: ['src/main.ts'],
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
  await chmod(program, 0o755);
  return metafile;
}
