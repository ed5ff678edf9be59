import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../api/fault.ts';
import { MAX_FILE_BYTES, textOf, unreadable } from './text-file.ts';

/** A file as it was read. */
export interface Text {
  readonly file: string;
  readonly text: string;
}

const MANIFEST = /\.(ya?ml|json)$/;
const STDIN = '-';

/** Files, all manifests below folders, and standard input for `-`. Throws `Fault`. */
export async function readTexts(paths: readonly string[], stdin: AsyncIterable<Buffer> = process.stdin): Promise<Text[]> {
  if (paths.filter((path) => path === STDIN).length > 1)
    throw new Fault('invalid', 'standard input is given twice (-f -), and can be read once. Remove one of the two');
  const files = (await Promise.all(paths.map(filesIn))).flat();
  return Promise.all(files.map((file) => (file === STDIN ? fromStdin(stdin) : textOf(file).then((text) => ({ file, text })))));
}

async function filesIn(path: string): Promise<string[]> {
  if (path === STDIN) return [STDIN];
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const found = await readdir(path, { recursive: true, withFileTypes: true });
    const files = found.filter((entry) => entry.isFile() && MANIFEST.test(entry.name));
    return files.map((entry) => join(entry.parentPath, entry.name)).sort();
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function fromStdin(stdin: AsyncIterable<Buffer>): Promise<Text> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    bytes += chunk.length;
    if (bytes > MAX_FILE_BYTES) throw unreadable('standard input', new Error(`it has more than ${MAX_FILE_BYTES} bytes`));
    chunks.push(chunk);
  }
  return { file: 'standard input', text: Buffer.concat(chunks).toString('utf8') };
}
