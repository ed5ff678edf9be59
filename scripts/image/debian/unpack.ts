import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Entry } from '../tar/entry.ts';

/** Writes a program, a library or a link of a package below a folder, where it can be run from: nothing is installed. */
export function unpack(folder: string, entry: Entry): void {
  const path = join(folder, entry.path);
  mkdirSync(dirname(path), { recursive: true });
  if (entry.kind === 'link') symlinkSync(entry.target, path);
  else if (entry.kind === 'file') {
    writeFileSync(path, entry.content);
    chmodSync(path, 0o755);
  }
}
