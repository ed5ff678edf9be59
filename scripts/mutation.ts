import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';

/**
 * `node scripts/mutation.ts [folder or file ...]`: changes the code under src/trust piece by piece and sees whether its unit tests notice.
 * Exits with 1 when fewer are noticed than stryker.config.json wants, and with 2 when there is nothing to look at.
 */
const ROOT = 'src/trust';

const asked = process.argv.slice(2);
const paths = (asked.length === 0 ? [ROOT] : asked).map((path) => path.replace(/\/+$/, ''));
const strange = paths.find((path) => path !== ROOT && !path.startsWith(`${ROOT}/`));
const missing = paths.find((path) => statSync(path, { throwIfNoEntry: false }) === undefined);
if (strange !== undefined || missing !== undefined) {
  const why =
    strange === undefined ? `there is no "${missing}"` : `"${strange}" is not under ${ROOT}, whose tests test/trust/vitest.config.ts names`;
  console.error(`mutation: ${why}; give a folder or a file under ${ROOT}`);
  process.exit(2);
}
const mutate = paths.flatMap((path) => (path.endsWith('.ts') ? [path] : [`${path}/**/*.ts`, `!${path}/**/*.test.ts`]));
const { status } = spawnSync('stryker', ['run', '--mutate', mutate.join(',')], { stdio: 'inherit' });
process.exitCode = status ?? 1;
