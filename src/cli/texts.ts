import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../api/fault.ts';

/** A file as it was read. */
export interface Text {
  readonly file: string;
  readonly text: string;
}

/** etcd takes a megabyte and a half of one object; a file of more than this holds no manifests that somebody wrote. */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;
const MANIFEST = /\.(ya?ml|json)$/;
const STDIN = '-';

/** Files, all manifests below folders, and standard input for `-`. Throws `Fault`. */
export async function readTexts(paths: readonly string[], stdin: AsyncIterable<Buffer> = process.stdin): Promise<Text[]> {
  const files = (await Promise.all(paths.map(filesIn))).flat();
  return Promise.all(
    files.map((file) => (file === STDIN ? fromStdin(stdin) : readText(file, MAX_MANIFEST_BYTES).then((text) => ({ file, text })))),
  );
}

export async function readText(file: string, maxBytes: number): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > maxBytes) throw new Error(`it has ${size} bytes, more than ${maxBytes}`);
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
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
    if (bytes > MAX_MANIFEST_BYTES) throw unreadable('standard input', new Error(`it has more than ${MAX_MANIFEST_BYTES} bytes`));
    chunks.push(chunk);
  }
  return { file: 'standard input', text: Buffer.concat(chunks).toString('utf8') };
}

function unreadable(path: string, error: unknown): Fault {
  return new Fault('invalid', `"${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}
