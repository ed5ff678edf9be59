import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { BUNDLE, NOTICES, PARTS, partsOfBundle } from '../../bundle.ts';
import { PROGRAM } from '../runtime.ts';
import { type Entry, file } from '../tar/entry.ts';

/** What changes with every version. The source maps stay outside: reading them costs memory, and a start would be slower. */
export async function operatorLayer(): Promise<Entry[]> {
  const parts = (await partsOfBundle()).map(async (part) => file(`${basename(PARTS)}/${basename(part)}`, await readFile(part)));
  return [
    file(PROGRAM.slice(1), await readFile(BUNDLE), 0o755),
    ...(await Promise.all(parts)),
    file('licenses/LICENSE', await readFile('LICENSE')),
    file('licenses/THIRD-PARTY-NOTICES.txt', await readFile(NOTICES)),
  ];
}
