import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import { irsaAccountCrd, irsaBindingCrd, irsaGrantCrd } from '../src/api/crds.ts';
import { checkReportSchema } from '../src/cli/check/output/report-schema.ts';
import { COMMANDS } from '../src/commands.ts';
import { conformance, type Link, linksIn } from '../test/contract/links.ts';
import { argocd } from './argocd.ts';
import { chart } from './chart/index.ts';
import { commandLine } from './command-line.ts';
import { crdSchemas } from './crd-schemas.ts';
import { iam } from './iam/index.ts';
import { monitoring } from './monitoring/index.ts';
import { rooms } from './rooms.ts';

const HEADER = '# Generated from src/api by `npm run generate`; do not edit.\n';

const check = process.argv.includes('--check');
// The chart is made from the files of the CRDs.
await keep({
  'crds/irsabindings.yaml': HEADER + stringify(irsaBindingCrd, { aliasDuplicateObjects: false, lineWidth: 140 }),
  'crds/irsagrants.yaml': HEADER + stringify(irsaGrantCrd, { aliasDuplicateObjects: false, lineWidth: 140 }),
  'crds/irsaaccounts.yaml': HEADER + stringify(irsaAccountCrd, { aliasDuplicateObjects: false, lineWidth: 140 }),
});
await keep({
  ...argocd(),
  ...chart(),
  ...crdSchemas(),
  ...iam(),
  ...monitoring(),
  'docs/command-line.md': commandLine(COMMANDS),
  'docs/conformance.md': conformance(await links()),
  'docs/rooms.md': await rooms(),
  'docs/schema/check.json': `${JSON.stringify(checkReportSchema(), undefined, 2)}\n`,
});

/** Of every test, by file. The test of the marks themselves quotes marks that are none. */
async function links(): Promise<Link[]> {
  const found = globSync('{src,test,scripts}/**/*.test.ts')
    .filter((path) => path !== 'test/contract/links.test.ts')
    .sort();
  return (await Promise.all(found.map(async (path) => linksIn(path, await readFile(path, 'utf8'))))).flat();
}

/** Writes them, by path. With `--check` it only says which are not what the code says, and the process ends with 1. */
async function keep(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, wanted] of Object.entries(files)) {
    const found = await readFile(path, 'utf8').catch(() => undefined);
    if (found === wanted) continue;
    if (check) {
      console.error(`${path} is not what the code says; run \`npm run generate\` and commit the result`);
      process.exitCode = 1;
    } else {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, wanted);
      console.log(`wrote ${path}`);
    }
  }
}
