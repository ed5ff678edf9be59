import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Pinned, pinnedFile } from '../../scripts/image/cache.ts';

const CONTENT = 'a package';
const pinned: Pinned = { name: 'a.deb', algorithm: 'sha256', hex: createHash('sha256').update(CONTENT).digest('hex') };

let cache: string;
let downloads: number;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'irsa-operator-cache-'));
  downloads = 0;
});
afterEach(() => rmSync(cache, { recursive: true }));

const give = (content: string) => async (folder: string) => {
  downloads += 1;
  writeFileSync(join(folder, pinned.name), content);
};

test('a file is downloaded once, and nothing else is left', async () => {
  const paths = [await pinnedFile(pinned, give(CONTENT), cache), await pinnedFile(pinned, give('another'), cache)];
  expect(paths[0]).toBe(paths[1]);
  expect(readFileSync(paths[0] ?? '', 'utf8')).toBe(CONTENT);
  expect(downloads).toBe(1);
  expect(readdirSync(cache)).toHaveLength(1);
});

test('a file with another content is refused, and not kept', async () => {
  await expect(pinnedFile(pinned, give('something else'), cache)).rejects.toThrow(`and ${pinned.hex} is pinned: nothing of it was used`);
  expect(readdirSync(cache)).toEqual([]);
  expect(readFileSync(await pinnedFile(pinned, give(CONTENT), cache), 'utf8')).toBe(CONTENT);
});

test('a download that failed is tried again the next time', async () => {
  await expect(pinnedFile(pinned, () => Promise.reject(new Error('no network')), cache)).rejects.toThrow('no network');
  expect(readFileSync(await pinnedFile(pinned, give(CONTENT), cache), 'utf8')).toBe(CONTENT);
});
