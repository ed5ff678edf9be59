import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { thisProcess } from './processes.ts';
import { childrenOf, makeScratch, ownerOf, scratchName, sweepScratch } from './scratch.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'scratch-test-'));
});
afterEach(() => rmSync(root, { recursive: true }));

test("a folder's name gives its owner back", () => {
  expect(ownerOf(makeScratch(root))).toEqual(thisProcess());
});

test('a name that is not ours has no owner', () => {
  expect(ownerOf(join(root, 'somebody-elses'))).toBeUndefined();
});

test('the sweep removes the folder of a dead owner and leaves those of living owners and of strangers', async () => {
  const mine = makeScratch(root);
  const strangers = join(root, 'somebody-elses');
  // The pid lives, its start is another one: the owner died and the system gave its pid away again.
  const dead = join(root, scratchName({ ...thisProcess(), startedAt: thisProcess().startedAt - 1 }, '00ff00ff'));
  for (const folder of [strangers, dead]) mkdirSync(folder);

  await sweepScratch(['etcd'], root);

  expect([mine, strangers, dead].map((folder) => existsSync(folder))).toEqual([true, true, false]);
});

const FOLDER = '/tmp/beds/1-2-3-ab';
const childCases: Record<string, { command: string; found: boolean }> = {
  'our program with the folder among its arguments is a child': { command: `/cache/etcd --data-dir ${FOLDER}/etcd`, found: true },
  'so it is when the path of the cache holds a blank': { command: `/my cache/etcd --data-dir ${FOLDER}/etcd`, found: true },
  'our program with the folder of another testbed is not': { command: '/cache/etcd --data-dir /tmp/beds/1-2-3-abcd/etcd', found: false },
  'another program that reads a file in the folder is not': { command: `tail -f ${FOLDER}/etcd.log`, found: false },
};
for (const [sentence, { command, found }] of Object.entries(childCases)) {
  test(sentence, () => expect(childrenOf(FOLDER, ['etcd'], [{ pid: 5, startedAt: 1, command }])).toHaveLength(found ? 1 : 0));
}
