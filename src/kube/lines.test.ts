import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linesOf } from './lines.ts';

async function* chunksOf(bytes: Uint8Array, cuts: readonly number[]): AsyncIterable<Uint8Array> {
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut < start || cut > bytes.length) continue;
    yield bytes.subarray(start, cut);
    start = cut;
  }
}

async function collect(lines: AsyncIterable<readonly string[]>): Promise<string[]> {
  const all: string[] = [];
  for await (const some of lines) all.push(...some);
  return all;
}

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

test(`lines come out as they went in, wherever the stream is cut, within a character too (SEED=${seed})`, async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '));
  const run = fc.asyncProperty(fc.array(line), fc.array(fc.nat({ max: 300 })), async (lines, cuts) => {
    const bytes = Buffer.from(lines.map((one) => `${one}\n`).join(''));
    expect(
      await collect(
        linesOf(
          chunksOf(
            bytes,
            cuts.toSorted((a, b) => a - b),
          ),
        ),
      ),
    ).toEqual(lines);
  });
  await fc.assert(run, { seed, numRuns: 300 });
});

test('what was cut off before its newline is dropped', async () => {
  expect(await collect(linesOf(chunksOf(Buffer.from('whole\nha'), [])))).toEqual(['whole']);
});

test('a line without end is refused before it fills the memory', async () => {
  async function* endless() {
    for (;;) yield Buffer.alloc(1_000, 'x');
  }
  await expect(collect(linesOf(endless(), 10_000))).rejects.toThrow('a line of the watch has more than 10000 bytes');
});
