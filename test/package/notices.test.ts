import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noticesOf } from '../../scripts/package/notices.ts';

const APACHE = 'Apache License\n';
const LINE = '-'.repeat(80);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'irsa-operator-notices-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Package {
  readonly license?: string;
  readonly files?: Readonly<Record<string, string>>;
}

/** The notices of a bundle that imports these packages. */
async function noticesOfBundle(packages: Readonly<Record<string, Package>>, entry?: string): Promise<string> {
  for (const [name, { license, files = {} }] of Object.entries(packages)) {
    const home = join(folder, 'node_modules', name);
    mkdirSync(home, { recursive: true });
    const manifest = JSON.stringify({ name: name.split('node_modules/').at(-1), version: '1.0.0', license, main: 'index.js' });
    const code = `export const x = ${JSON.stringify(name)};`;
    for (const [file, text] of Object.entries({ 'package.json': manifest, 'index.js': code, ...files }))
      writeFileSync(join(home, file), text);
  }
  const imports = Object.keys(packages).map((name, at) => `import { x as x${at} } from '${name}'; console.log(x${at});`);
  const stdin = { contents: entry ?? imports.join('\n'), resolveDir: folder };
  const { metafile } = await build({
    stdin,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    outdir: folder,
    logLevel: 'silent',
  });
  return noticesOf(metafile, APACHE);
}

test('each package is named once, with the text of its license, and one text is there once', async () => {
  const notices = await noticesOfBundle({
    a: { license: 'MIT', files: { LICENSE: 'MIT of A\n' } },
    '@b/c': { license: 'ISC', files: { 'license.md': 'ISC of C\n' } },
    d: { license: 'Apache-2.0', files: { LICENSE: APACHE } },
    e: { license: 'Apache-2.0', files: { LICENSE: APACHE } },
  });
  expect(notices.split(`\n${LINE}\n\n`).slice(1)).toEqual([
    '@b/c 1.0.0 (ISC)\n\nISC of C\n',
    'a 1.0.0 (MIT)\n\nMIT of A\n',
    'd 1.0.0 (Apache-2.0)\ne 1.0.0 (Apache-2.0)\n\nApache License\n',
  ]);
});

test('a NOTICE is there too, as the license of Apache wants it', async () => {
  expect(await noticesOfBundle({ a: { license: 'Apache-2.0', files: { LICENSE: APACHE, NOTICE: 'A of the Example Corp.\n' } } })).toContain(
    'a 1.0.0 (Apache-2.0)\n\nApache License\n\nA of the Example Corp.\n',
  );
});

test('a package without a file has the text of Apache, if that is its license', async () => {
  expect(await noticesOfBundle({ a: { license: 'Apache-2.0' } })).toContain('a 1.0.0 (Apache-2.0)\n\nApache License\n');
});

const refused: Record<string, [Package, string]> = {
  'no license': [{ files: { LICENSE: 'MIT' } }, 'a 1.0.0 is in the bundle, and its license is undefined.'],
  'one that is not permissive': [
    { license: 'GPL-3.0-only', files: { LICENSE: 'GPL' } },
    'a 1.0.0 is in the bundle, and its license is "GPL-3.0-only".',
  ],
  'a choice of licenses, which a person has to read': [
    { license: '(MIT OR GPL-3.0-only)', files: { LICENSE: 'MIT' } },
    'a 1.0.0 is in the bundle, and its license is "(MIT OR GPL-3.0-only)".',
  ],
  'no text, where the text names the holder': [
    { license: 'MIT' },
    'a 1.0.0 is in the bundle, and has no file with the text of its license (MIT)',
  ],
};
for (const [what, [bundled, message]] of Object.entries(refused))
  test(`the build ends at a package with ${what}`, () => expect(noticesOfBundle({ a: bundled })).rejects.toThrow(message));

test('a package of which nothing is left in the bundle needs no notice', async () => {
  const unused = { license: 'GPL-3.0-only', files: { 'index.js': 'export const x = 1;' } };
  expect(await noticesOfBundle({ unused }, `import { x } from 'unused'; console.log(1);`)).not.toContain('unused');
});
