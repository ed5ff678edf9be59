import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checksumProblems, writeChecksums } from './checksums.ts';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'irsa-operator-checksums-'));
  for (const file of ['a.tgz', 'b c.yaml']) writeFileSync(join(folder, file), file);
  await writeChecksums(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

test('files as they were have no problem, and neither has the signature beside them', async () => {
  writeFileSync(join(folder, 'checksums.txt.bundle'), 'signed');
  expect(await checksumProblems(folder)).toEqual([]);
});

test('a file that was changed is named, with both hashes', async () => {
  writeFileSync(join(folder, 'b c.yaml'), 'b d.yaml');
  expect(await checksumProblems(folder)).toEqual([
    expect.stringMatching(/^b c\.yaml: its SHA-256 is [0-9a-f]{64}, and checksums\.txt says [0-9a-f]{64}$/),
  ]);
});

test('a file that is missing is named, and so is one too many', async () => {
  rmSync(join(folder, 'a.tgz'));
  writeFileSync(join(folder, 'c'), '');
  expect(await checksumProblems(folder)).toEqual(['c: checksums.txt does not name it', 'a.tgz: it is missing']);
});
