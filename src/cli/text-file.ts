import { readFile, stat } from 'node:fs/promises';
import { Fault } from '../api/fault.ts';

/** etcd takes a megabyte and a half of one object; a file of more than this holds nothing that somebody wrote. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A file that a flag names. Throws `Fault`. */
export async function textOf(file: string, maxBytes = MAX_FILE_BYTES): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > maxBytes) throw new Error(`it has ${size} bytes, more than ${maxBytes}`);
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
}

export function unreadable(path: string, error: unknown): Fault {
  return new Fault('invalid', `"${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}
