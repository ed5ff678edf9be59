import { describe, expect, test } from 'vitest';
import type { Deb } from '../../scripts/image/debian/deb.ts';
import { debianLayer } from '../../scripts/image/layers/debian.ts';
import { directory, type Entry, file, link } from '../../scripts/image/tar/entry.ts';
import { writeTar } from '../../scripts/image/tar/write.ts';

const certificates: Deb = {
  name: 'ca-certificates',
  control: 'Package: ca-certificates\nVersion: 1\n',
  entries: [
    file('usr/share/ca-certificates/mozilla/b.crt', 'B\n\n'),
    file('usr/share/ca-certificates/mozilla/a.crt', 'A'),
    file('usr/share/doc/ca-certificates/copyright', 'free\n'),
    file('usr/sbin/update-ca-certificates', '#!/bin/sh\n', 0o755),
    file('etc/ca-certificates.conf', ''),
  ],
};
const libc: Deb = {
  name: 'libc6',
  control: 'Package: libc6\nVersion: 2\n',
  entries: [
    directory('usr/lib/x86_64-linux-gnu'),
    file('usr/lib/x86_64-linux-gnu/libc.so.6', 'ELF', 0o755),
    link('usr/lib64/ld-linux-x86-64.so.2', '../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'),
    file('usr/lib/x86_64-linux-gnu/gconv/KOI8-R.so', 'ELF'),
    file('usr/share/doc/libc6/copyright', 'LGPL\n'),
    file('usr/share/doc/libc6/changelog.gz', ''),
    file('usr/share/lintian/overrides/libc6', ''),
  ],
};
const atomic: Deb = { name: 'libatomic1', control: 'Package: libatomic1\n', entries: [link('usr/share/doc/libatomic1', 'gcc-14-base')] };

/** Of the packages themselves, not of what every image has. */
function fromPackages(debs: readonly Deb[]): string[] {
  const fixed = new Set(debianLayer([certificates]).map(({ path }) => path));
  return debianLayer([certificates, ...debs])
    .map(({ path }) => path)
    .filter((path) => !fixed.has(path));
}

function textOf(entries: readonly Entry[], path: string): string | undefined {
  const found = entries.find((entry) => entry.path === path);
  return found?.kind === 'file' ? found.content.toString() : undefined;
}

describe('the layer of Debian', () => {
  test('has the libraries of a package, its license and its entry for scanners, and nothing else of it', () =>
    expect(fromPackages([libc])).toEqual([
      'usr/lib/x86_64-linux-gnu/libc.so.6',
      'usr/lib64/ld-linux-x86-64.so.2',
      'usr/share/doc/libc6/copyright',
      'var/lib/dpkg/status.d/libc6',
    ]));

  test('has the license of a package that links to that of another', () =>
    expect(fromPackages([atomic])).toEqual(['usr/share/doc/libatomic1', 'var/lib/dpkg/status.d/libatomic1']));

  test('shows scanners what dpkg knows of a package', () =>
    expect(textOf(debianLayer([certificates, libc]), 'var/lib/dpkg/status.d/libc6')).toBe(libc.control));

  test('has the roots of TLS in one file, each on lines of its own', () =>
    expect(textOf(debianLayer([certificates]), 'etc/ssl/certs/ca-certificates.crt')).toBe('A\nB\n'));

  test('is never without roots of TLS', () => expect(() => debianLayer([libc])).toThrow('no package has certificates'));

  test('knows the user that it runs as, whose home is its own', () => {
    const layer = debianLayer([certificates]);
    expect(textOf(layer, 'etc/passwd')).toMatch(/^nonroot:x:65532:65532:nonroot:\/home\/nonroot:/m);
    expect(textOf(layer, 'etc/group')).toMatch(/^nonroot:x:65532:$/m);
    expect(layer.find(({ path }) => path === 'home/nonroot')).toEqual(directory('home/nonroot', 0o700, 65_532));
  });

  test('is the same to the byte in whichever order the packages come', () =>
    expect(writeTar(debianLayer([libc, atomic, certificates])).equals(writeTar(debianLayer([certificates, libc, atomic])))).toBe(true));
});
