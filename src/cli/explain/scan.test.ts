import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scanLog, sentenceIn } from './scan.ts';

const DENIED = 'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity';
const AUDIENCE = 'Incorrect token audience';

/** A log in pieces of so many bytes. */
async function* inPieces(text: string, bytes: number): AsyncGenerator<Uint8Array> {
  const whole = new TextEncoder().encode(text);
  for (let at = 0; at < whole.length; at += bytes) yield whole.subarray(at, at + bytes);
}
const scan = (text: string, bytes = 1_000) => scanLog(inPieces(text, bytes));
const brief = async (text: string, bytes?: number) => {
  const { lines, found, leftOut } = await scan(text, bytes);
  return { lines, leftOut, found: found.map(({ text: said, times, first, last }) => [said, times, first.line, last.line]) };
};

test('a sentence is counted, with the line and the time of the first and the last', async () => {
  const { lines, found } = await scan(`2026-01-01T14:40:03Z ${DENIED}\nlistening\n2026-01-01T14:41:03Z ${DENIED}\n`);
  expect(lines).toBe(3);
  expect(found).toMatchObject([
    { text: DENIED, times: 2, first: { line: 1, time: '2026-01-01T14:40:03Z' }, last: { line: 3, time: '2026-01-01T14:41:03Z' } },
  ]);
});

test('sentences come in the order in which they appear first', async () =>
  expect(await brief(`${AUDIENCE}\n${DENIED}\n${AUDIENCE}`)).toEqual({
    lines: 3,
    leftOut: 0,
    found: [
      [AUDIENCE, 2, 1, 3],
      [DENIED, 1, 2, 2],
    ],
  }));

test('it does not matter where the pieces of a log are cut', async () => {
  const log = `é ${DENIED}\n\u{1f600}${AUDIENCE} é\nx\n${DENIED}`;
  const whole = await brief(log);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 200 }), async (bytes) => {
      expect(await brief(log, bytes)).toEqual(whole);
    }),
  );
});

test('an empty log has no line', async () => expect(await brief('')).toEqual({ lines: 0, leftOut: 0, found: [] }));

test('of a line without an end its beginning is read, and what comes after it', async () => {
  const long = `${DENIED}${'x'.repeat(500_000)}${AUDIENCE}`;
  expect(await brief(`${long}\n${AUDIENCE}\n`, 10_000)).toMatchObject({
    found: [
      [DENIED, 1, 1, 1],
      [AUDIENCE, 1, 2, 2],
    ],
  });
});

test('a hundred different sentences are kept, and the others counted', async () => {
  const log = Array.from(
    { length: 150 },
    (_, at) => `User: arn:aws:sts::111122223333:assumed-role/app/${at} is not authorized to perform: s3:GetObject`,
  );
  const { found, leftOut } = await brief(log.join('\n'));
  expect([found.length, leftOut]).toEqual([100, 50]);
});

test('every sentence is near a word that is looked for first', async () => {
  const lines = [
    DENIED,
    AUDIENCE,
    'NoCredentialProviders: no valid providers',
    'IDPCommunicationError',
    'RegionDisabledException',
    'Request ARN is invalid',
  ];
  for (const line of lines) expect((await scan(line)).found.map(({ text }) => text)).toEqual([sentenceIn(line)?.text]);
});
