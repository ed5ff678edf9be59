import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { bundledFolders } from './bundled.ts';

/** Licenses that ask for no more than their text. Another one, and a choice between several, is for a person to read before it is added here. */
const PERMISSIVE = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT']);

interface Licensed {
  /** Name and version. */
  readonly of: string;
  readonly license: string;
  readonly text: string;
}

/** Every package of which something is in the bundle, under the text of its license. Throws where one has none, or none that is permissive. */
export async function noticesOf(metafile: Metafile, apacheText: string): Promise<string> {
  const packages = await Promise.all(bundledFolders(metafile).map((folder) => licenseOf(folder, apacheText)));
  const byText = Map.groupBy(packages, ({ text }) => text);
  const parts = [...byText].map(([text, of]) => `${of.map((one) => `${one.of} (${one.license})`).join('\n')}\n\n${text}\n`);
  return ['irsa-operator contains these packages, each under the license that follows its name.\n', ...parts].join(
    `\n${'-'.repeat(80)}\n\n`,
  );
}

async function licenseOf(folder: string, apacheText: string): Promise<Licensed> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, string>;
  const of = `${name} ${version}`;
  if (license === undefined || !PERMISSIVE.has(license))
    throw new Error(
      `${of} is in the bundle, and its license is ${JSON.stringify(license)}. Wanted is one of ${[...PERMISSIVE].join(', ')}`,
    );
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)(\.|$)/i.test(file)).sort();
  const texts = await Promise.all(files.map(async (file) => (await readFile(join(folder, file), 'utf8')).trim()));
  // Some packages of the AWS SDK come without a file. The text of this license is the same everywhere; of others it names the holder.
  const text = texts.join('\n\n') || (license === 'Apache-2.0' ? apacheText.trim() : '');
  if (text === '') throw new Error(`${of} is in the bundle, and has no file with the text of its license (${license})`);
  return { of, license, text };
}
