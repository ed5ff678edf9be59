import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Fault } from '../../../api/fault.ts';
import { readLists } from './read-lists.ts';

const folder = mkdtempSync(join(tmpdir(), 'irsa-operator-lists-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test('both files are read', async () => {
  const [ignore, baseline] = [file('i.yaml', '- code: WebhookMissing\n  reason: x\n'), file('b.json', '{"results": []}')];
  expect(await readLists({ ignore, baseline })).toEqual({
    ignore: { file: ignore, entries: [{ code: 'WebhookMissing', reason: 'x', line: 1 }] },
    baseline: { file: baseline, findings: [] },
  });
});
test('without the flags there is no list', async () => expect(await readLists({})).toEqual({ ignore: undefined, baseline: undefined }));

const bad: Record<string, [given: Record<string, string>, says: RegExp]> = {
  'an ignore file that is wrong': [
    { ignore: file('bad.yaml', '- code: X') },
    /^--ignore: ".*bad\.yaml": line 1: "X" is not the code of a finding\.$/,
  ],
  'a baseline that is wrong': [{ baseline: file('bad.json', '{') }, /^--baseline: ".*bad\.json": not JSON\. Wanted is/],
  'a file that is not there': [{ ignore: join(folder, 'none') }, /^".*none" cannot be read: ENOENT/],
  'a folder': [{ baseline: folder }, /^".*" cannot be read: EISDIR/],
  'a variable of a shell that is not set': [{ ignore: '' }, /^"" cannot be read: ENOENT/],
};
for (const [sentence, [given, says]] of Object.entries(bad))
  test(`${sentence} is one sentence`, async () => {
    const reading = readLists(given);
    await expect(reading).rejects.toThrow(says);
    await expect(reading).rejects.toBeInstanceOf(Fault);
  });
