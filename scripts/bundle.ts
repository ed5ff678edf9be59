import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { packedPages } from '../src/cli/explain/pages.ts';
import { noticesOf } from './package/notices.ts';

/** The file that is run. */
export const BUNDLE = 'dist/irsa-operator.mjs';
/** Beside it: what it loads. */
export const PARTS = 'dist/parts';
/** Of what is in the bundle: it is wherever the bundle is. */
export const NOTICES = 'dist/THIRD-PARTY-NOTICES.txt';

/**
 * ESM files with source maps, and the notices beside them: what the image and the npm package contain, and what the tests run. In parts, because
 * V8 reads all of a module before it runs a line of it: one file for everything costs each start of a command 100 ms, and the operator 16 MB
 * of resident memory. Returns what esbuild says went into it.
 */
export async function bundle(): Promise<Metafile> {
  await rm(PARTS, { recursive: true, force: true });
  const metafile = await built({
    entryPoints: { [basename(BUNDLE, '.mjs')]: 'src/main.ts' },
    outdir: dirname(BUNDLE),
    outExtension: { '.js': '.mjs' },
    splitting: true,
    chunkNames: `${basename(PARTS)}/[name]-[hash]`,
    sourcemap: true,
  });
  await chmod(BUNDLE, 0o755);
  await writeFile(NOTICES, await noticesOf(metafile, await readFile('LICENSE', 'utf8')));
  return metafile;
}

/** The parts without their source maps, in the order of their names. */
export async function partsOfBundle(): Promise<string[]> {
  const files = await readdir(PARTS);
  return files
    .filter((file) => file.endsWith('.mjs'))
    .toSorted()
    .map((file) => join(PARTS, file));
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
    define: { IRSA_OPERATOR_VERSION: JSON.stringify(version), IRSA_OPERATOR_FINDINGS: JSON.stringify(packedPages()) },
    // Some dependencies are CommonJS and call `require` for Node's own modules.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    ...options,
    metafile: true,
  });
  return metafile;
}
