import { expect, test } from 'vitest';
import { loss } from '../test-observed.ts';
import type { Loss } from './loss.ts';
import { readRecord, writeRecord } from './revocation-record.ts';

const one = (subject: string, part: Partial<Loss> = {}): Loss => {
  const { dueAt: _, paused: __, ...rest } = loss({ subject, by: [{ uid: 'grant', generation: 2 }], ...part });
  return rest;
};
const of = (namespace: string, count: number) =>
  Array.from({ length: count }, (_, at) => one(`system:serviceaccount:${namespace}:app-${at}`));

test('the record says what was written into it', () => {
  const losses = [one('system:serviceaccount:shop:app'), one('system:serviceaccount:shop:other', { revokedAt: 5 })];
  expect(readRecord(writeRecord(losses).text)).toEqual(losses);
  expect(readRecord(writeRecord([]).text)).toEqual([]);
});

for (const text of ['', '{', '{"losses": []}', 'null']) test(`"${text}" is no record`, () => expect(readRecord(text)).toBeUndefined());

test('an entry that somebody broke is left out, and the others are none the worse', () => {
  const [good, bad] = [one('system:serviceaccount:shop:app'), one('system:serviceaccount:shop:bad')];
  const broken = [{ ...bad, since: 'yesterday' }, { ...bad, role: 'arn:aws:iam::1:user/x' }, { ...bad, cause: 'x' }, 7];
  expect(readRecord(JSON.stringify([...broken, good]))).toEqual([good]);
});

test('what does not fit is left out, and a namespace with a thousand losses leaves room for the one of another', () => {
  const { text, kept } = writeRecord([...of('many', 1_000), ...of('few', 1)], 10_000);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(10_000);
  expect(kept.some(({ subject }) => subject.includes(':few:'))).toBe(true);
  expect([kept.length > 10, kept.length < 100, readRecord(text)?.length]).toEqual([true, true, kept.length]);
});

test('the record of a thousand losses fits a ConfigMap whole', () => expect(writeRecord(of('many', 1_000)).kept).toHaveLength(1_000));
