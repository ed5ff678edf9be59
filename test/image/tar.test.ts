import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { directory, type Entry, file, link } from '../../scripts/image/tar/entry.ts';
import { readTar } from '../../scripts/image/tar/read.ts';
import { writeTar } from '../../scripts/image/tar/write.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'irsa-operator-tar-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const LONG = `${'long/'.repeat(30)}name`;
const TREE: readonly Entry[] = [
  directory('etc'),
  file('etc/ä', 'two bytes\n'),
  file('etc/empty', ''),
  directory('home', 0o700, 65_532),
  file('program', Buffer.alloc(1024, 'x'), 0o755),
  link('program.link', 'program'),
  directory('tmp', 0o1777),
];

function names(entries: readonly Entry[]): string[] {
  return entries.map(({ path }) => path);
}

/** Options that the tar of other systems does not have. */
const HAS_GNU_TAR = process.platform === 'linux';

describe('what is written', () => {
  test.skipIf(!HAS_GNU_TAR)('the tar of the machine lists, with modes, owners, sizes and targets, and the same time for all', () => {
    const list = execFileSync('tar', ['--list', '--verbose', '--numeric-owner', '--utc', '--quoting-style=literal', '--file=-'], {
      input: writeTar(TREE),
      encoding: 'utf8',
    });
    expect(list.trim().split('\n')).toEqual([
      'drwxr-xr-x 0/0               0 1970-01-01 00:00 etc/',
      '-rw-r--r-- 0/0               0 1970-01-01 00:00 etc/empty',
      '-rw-r--r-- 0/0              10 1970-01-01 00:00 etc/ä',
      'drwx------ 65532/65532       0 1970-01-01 00:00 home/',
      '-rwxr-xr-x 0/0            1024 1970-01-01 00:00 program',
      'lrwxrwxrwx 0/0               0 1970-01-01 00:00 program.link -> program',
      'drwxrwxrwt 0/0               0 1970-01-01 00:00 tmp/',
    ]);
  });

  test('is the same to the byte in whichever order the entries come', () => {
    expect(writeTar(TREE.toReversed()).equals(writeTar(TREE))).toBe(true);
  });

  test('has a folder for every entry, above it', () => {
    expect(names(readTar(writeTar([file('a/b/c', '')])))).toEqual(['a', 'a/b', 'a/b/c']);
  });

  test('keeps a path of more than 100 bytes', () => {
    expect(names(readTar(writeTar([file(LONG, '')]))).at(-1)).toBe(LONG);
    expect(execFileSync('tar', ['--list', '--file=-'], { input: writeTar([file(LONG, '')]), encoding: 'utf8' })).toContain(`${LONG}\n`);
  });

  const refused: Record<string, { entries: Entry[]; message: string }> = {
    'two entries of one path': { entries: [file('a', '1'), file('a', '2')], message: '"a" is there twice' },
    'an entry below a link': { entries: [link('lib', 'usr/lib'), file('lib/a', '')], message: '"lib/a" is below "lib", which is a link' },
    'a name of more than 100 bytes': { entries: [file('x'.repeat(101), '')], message: 'does not fit into a tar archive' },
    'a target of more than 100 bytes': { entries: [link('a', 'x'.repeat(101))], message: '"a" links to "x' },
  };
  for (const [what, { entries, message }] of Object.entries(refused))
    test(`is never ${what}`, () => expect(() => writeTar(entries)).toThrow(message));
});

describe('what is read', () => {
  test('is what was written', () => {
    const read = readTar(writeTar(TREE)).map((entry) => ({ owner: 0, ...entry }));
    const written = TREE.map((entry) => ({ ...entry, owner: 0 })).toSorted((a, b) => (a.path < b.path ? -1 : 1));
    expect(read).toEqual(written);
  });

  for (const format of ['gnu', 'ustar'])
    test.skipIf(!HAS_GNU_TAR)(`can be of the tar of the machine, in its format ${format}`, () => {
      mkdirSync(join(folder, LONG, '..'), { recursive: true });
      writeFileSync(join(folder, LONG), 'content', { mode: 0o640 });
      symlinkSync('long', join(folder, 'link'));
      const read = readTar(execFileSync('tar', ['-C', folder, `--format=${format}`, '-cf', '-', '.']));
      expect(read.find(({ path }) => path === LONG)).toEqual({ kind: 'file', path: LONG, mode: 0o640, content: Buffer.from('content') });
      expect(read.find(({ path }) => path === 'link')).toMatchObject({ kind: 'link', target: 'long' });
      expect(names(read)).not.toContain('');
    });

  test('is never a hard link taken for an empty file', () => {
    writeFileSync(join(folder, 'a'), 'content');
    execFileSync('ln', [join(folder, 'a'), join(folder, 'b')]);
    expect(() => readTar(execFileSync('tar', ['-C', folder, '-cf', '-', 'a', 'b']))).toThrow('"b" has the type "1"');
  });

  test('is never an archive that was cut off', () => {
    expect(() => readTar(writeTar([file('a', 'x'.repeat(2000))]).subarray(0, 1024))).toThrow('the tar archive is cut off');
  });
});
