import type { Entry } from './entry.ts';

/** A tar archive is in blocks of this size, and ends with two empty ones (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, ustar). */
const BLOCK = 512;
const TYPES = { file: '0', link: '2', directory: '5' } as const;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/** The same entries are the same bytes, in whichever order they come: sorted by path, owned by numbers, without a time. Folders that no entry names are added. */
export function writeTar(entries: readonly Entry[]): Buffer {
  const byPath = new Map<string, Entry>();
  for (const entry of entries) {
    if (byPath.has(entry.path)) throw new Error(`"${entry.path}" is there twice`);
    byPath.set(entry.path, entry);
  }
  for (const { path } of entries) for (const parent of parentsOf(path)) addParent(byPath, parent, path);
  const sorted = [...byPath.values()].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  return Buffer.concat([...sorted.flatMap(blocksOf), Buffer.alloc(2 * BLOCK)]);
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

function addParent(byPath: Map<string, Entry>, parent: string, path: string): void {
  const found = byPath.get(parent);
  if (found === undefined) byPath.set(parent, { kind: 'directory', path: parent, mode: 0o755 });
  // A runtime would follow a link, or replace it by a folder: which of the two is not said.
  else if (found.kind !== 'directory') throw new Error(`"${path}" is below "${parent}", which is a ${found.kind}`);
}

function blocksOf(entry: Entry): Buffer[] {
  const content = entry.kind === 'file' ? entry.content : Buffer.alloc(0);
  return [headerOf(entry, content.length), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
}

function headerOf(entry: Entry, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const put = (text: string, at: number) => header.write(text, at, 'utf8');
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  const [prefix, name] = splitPath(entry.kind === 'directory' ? `${entry.path}/` : entry.path);
  const target = entry.kind === 'link' ? entry.target : '';
  if (Buffer.byteLength(target) > NAME_BYTES)
    throw new Error(`"${entry.path}" links to "${target}", which has more than ${NAME_BYTES} bytes`);
  put(name, 0);
  put(octal(entry.mode, 7), 100);
  put(octal(entry.owner ?? 0, 7), 108);
  put(octal(entry.owner ?? 0, 7), 116);
  put(octal(size, 11), 124);
  put(octal(0, 11), 136);
  put(' '.repeat(8), 148); // the sum is over blanks in its own place
  put(TYPES[entry.kind], 156);
  put(target, 157);
  put('ustar\0', 257);
  put('00', 263);
  put(prefix, 345);
  const sum = header.reduce((all, byte) => all + byte, 0);
  put(`${octal(sum, 6)}\0 `, 148);
  return header;
}

/** A path that is longer than the name is cut at a slash. */
function splitPath(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= NAME_BYTES) return ['', path];
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name !== '' && Buffer.byteLength(name) <= NAME_BYTES && Buffer.byteLength(prefix) <= PREFIX_BYTES) return [prefix, name];
  }
  throw new Error(`"${path}" does not fit into a tar archive of 1988`);
}
