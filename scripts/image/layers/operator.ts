import { readFile } from 'node:fs/promises';
import { BUNDLE, NOTICES } from '../../bundle.ts';
import { PROGRAM } from '../runtime.ts';
import { type Entry, file } from '../tar/entry.ts';

/** What changes with every version. The source map stays outside: reading it costs memory, and a start would be slower. */
export async function operatorLayer(): Promise<Entry[]> {
  return [
    file(PROGRAM.slice(1), await readFile(BUNDLE), 0o755),
    file('licenses/LICENSE', await readFile('LICENSE')),
    file('licenses/THIRD-PARTY-NOTICES.txt', await readFile(NOTICES)),
  ];
}
