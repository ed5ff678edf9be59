import type { Entry } from './entry.ts';

const BLOCK = 512;

/** What a tar archive has, as GNU tar, dpkg and npm write it. Throws where it holds what no package of ours does: a hard link, a device, a pax header. */
export function readTar(archive: Buffer): Entry[] {
  const entries: Entry[] = [];
  /** GNU's way to give the entry that follows a longer path or target. */
  let longPath: string | undefined;
  let longTarget: string | undefined;
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const size = Number.parseInt(text(header, 124, 12), 8);
    const content = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (content.length < size) throw new Error('the tar archive is cut off');
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = text(header, 156, 1);
    if (type === 'L') longPath = text(content, 0, size);
    else if (type === 'K') longTarget = text(content, 0, size);
    else {
      const path = plain(longPath ?? pathOf(header));
      if (path !== '') entries.push(entryOf(type, path, header, content, longTarget));
      longPath = longTarget = undefined;
    }
  }
  return entries;
}

function entryOf(type: string, path: string, header: Buffer, content: Buffer, longTarget: string | undefined): Entry {
  const mode = Number.parseInt(text(header, 100, 8), 8) & 0o7777;
  switch (type) {
    case '':
    case '0':
      return { kind: 'file', path, mode, content };
    case '2':
      return { kind: 'link', path, mode, target: longTarget ?? text(header, 157, 100) };
    case '5':
      return { kind: 'directory', path, mode };
    default:
      throw new Error(`"${path}" has the type "${type}" in its tar archive, and only files, folders and symbolic links can be read`);
  }
}

function pathOf(header: Buffer): string {
  // GNU's own format, which ends its magic with blanks, has times in the place of the prefix.
  const prefix = text(header, 257, 8) === 'ustar' ? text(header, 345, 155) : '';
  return prefix === '' ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`;
}

/** `./usr/bin/` is `usr/bin`, and `./` is nothing. */
function plain(path: string): string {
  return path.replace(/^\.?\//, '').replace(/\/$/, '');
}

function text(buffer: Buffer, at: number, length: number): string {
  const field = buffer.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.subarray(0, end === -1 ? length : end).toString('utf8');
}
