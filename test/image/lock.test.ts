import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatLock, type LockedPackage, packagesIn, parseLock, type Wanted } from '../../scripts/image/debian/lock.ts';
import { debianMirror, mirrorIn } from '../../scripts/image/debian/mirror.ts';
import { LOCKS } from '../../scripts/image/debian/packages.ts';

const SHA256 = 'b59b0625cd1a791375d40dab23a4d5d3d0641e3d0a773501becdc3725b7f99cf';
const MIRROR = 'http://mirror.example';
const LIBC = 'debian/pool/main/g/glibc/libc6_2.41-12%2bdeb13u5_amd64.deb';
const QEMU = 'debian/pool/main/q/qemu/qemu-user-static_7.2_amd64.deb';

const libc: LockedPackage = { name: 'libc6', version: '2.41-12+deb13u5', path: LIBC, sha256: SHA256 };
const base: LockedPackage = { name: 'base-files', version: '13', path: 'debian/pool/main/b/base.deb', sha256: SHA256 };
const wanted: Wanted = { file: 'a.lock.json', suite: 'trixie', packages: ['base-files', 'libc6'] };
const right = { amd64: [base, libc], arm64: [base, libc] };

describe('what apt-get writes', () => {
  test('is a package a line: name, version, address and digest', () =>
    expect(packagesIn(`'${MIRROR}/${LIBC}' libc6_2.41-12+deb13u5_amd64.deb 2850108 SHA256:${SHA256}\n`, MIRROR)).toEqual([libc]));

  test('has the epoch of a version as the file has it, and the lock as Debian writes it', () =>
    expect(packagesIn(`'${MIRROR}/${QEMU}' qemu-user-static_1%3a7.2+dfsg-7_amd64.deb 62603724 SHA256:${SHA256}\n`, MIRROR)).toEqual([
      { name: 'qemu-user-static', version: '1:7.2+dfsg-7', path: QEMU, sha256: SHA256 },
    ]));

  test('is no package where the digest is another one', () =>
    expect(() => packagesIn(`'${MIRROR}/${LIBC}' libc6_2.41_amd64.deb 2850108 MD5Sum:0123456789abcdef0123456789abcdef\n`, MIRROR)).toThrow(
      `which names no package of ${MIRROR} with its SHA-256`,
    ));
});

describe('the mirror', () => {
  test('is the one that apt of the machine has', () =>
    expect(mirrorIn('http://mirror.example/debian-security/\nhttp://mirror.example/debian/\n')).toBe('http://mirror.example'));
  test('is given where apt has none of Debian', async () => {
    expect(() => mirrorIn('http://ports.example/ubuntu-ports/\n')).toThrow('Set DEBIAN_MIRROR');
    expect(await debianMirror('https://mirror.example/debian/')).toBe('https://mirror.example');
  });
});

describe('a lock', () => {
  test('is read as it was written, sorted by name', () =>
    expect(parseLock(formatLock('trixie', { amd64: [libc, base], arm64: [base, libc] }), wanted)).toEqual({ suite: 'trixie', ...right }));

  const refused: Record<string, { text: string; message: string }> = {
    'of another release': {
      text: formatLock('bookworm', right),
      message: 'a.lock.json is of "bookworm", and wanted is "trixie": run `make image-lock`',
    },
    'that lacks a package for one architecture': {
      text: formatLock('trixie', { ...right, arm64: [base] }),
      message: 'a.lock.json has for arm64 base-files, and wanted are base-files, libc6: run `make image-lock`',
    },
    'with a package that was not asked for': {
      text: formatLock('trixie', { ...right, amd64: [base, libc, { ...libc, name: 'bash' }] }),
      message: 'a.lock.json has for amd64 base-files, bash, libc6, and wanted are base-files, libc6',
    },
    'with a digest that is none': {
      text: formatLock('trixie', { ...right, amd64: [base, { ...libc, sha256: 'abc' }] }),
      message: 'a.lock.json is not a lock of packages',
    },
    'with a path out of the archive': {
      text: formatLock('trixie', { ...right, amd64: [base, { ...libc, path: '../libc6.deb' }] }),
      message: 'a.lock.json is not a lock of packages',
    },
  };
  for (const [what, { text, message }] of Object.entries(refused))
    test(`${what} is refused`, () => expect(() => parseLock(text, wanted)).toThrow(message));

  for (const of of LOCKS)
    test(`${of.file} is of the packages that are wanted, and is as the command writes it`, () => {
      const text = readFileSync(of.file, 'utf8');
      const lock = parseLock(text, of);
      expect(formatLock(of.suite, lock)).toBe(text);
    });
});
