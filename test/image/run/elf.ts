import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from '../../../scripts/image/platforms.ts';

/** `e_machine` of an ELF header (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html), at this place in it. */
const MACHINES: Readonly<Record<number, Architecture>> = { 62: 'amd64', 183: 'arm64' };
const MACHINE_AT = 18;
const MAGIC = '\x7fELF';

/** Programs and libraries below a folder, and for what each is. */
export function binariesIn(folder: string): Map<string, Architecture | undefined> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.flatMap(({ parentPath, name }) => {
      const header = beginning(join(parentPath, name));
      const isElf = header.toString('latin1', 0, MAGIC.length) === MAGIC;
      return isElf ? [[join(parentPath, name).slice(folder.length), MACHINES[header.readUInt16LE(MACHINE_AT)]]] : [];
    }),
  );
}

function beginning(path: string): Buffer {
  const buffer = Buffer.alloc(MACHINE_AT + 2);
  const file = openSync(path, 'r');
  try {
    readSync(file, buffer);
  } finally {
    closeSync(file);
  }
  return buffer;
}
