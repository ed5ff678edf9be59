import { describe, expect, test } from 'vitest';
import { crowdedOut } from './connections.ts';

const cases: Record<string, { open: string; out: number | undefined }> = {
  'none of none': { open: '', out: undefined },
  'the only one': { open: 'a', out: 0 },
  'the oldest one of a client that has them all': { open: 'aaaa', out: 0 },
  'the oldest one of the client that has the most, not the oldest of all': { open: 'pabaa', out: 1 },
  'not the newest, which is from elsewhere': { open: 'aaap', out: 0 },
  'the oldest one where all have as many': { open: 'pab', out: 0 },
  'of two that have the most the one that came first': { open: 'pabab', out: 1 },
};
describe('of too many connections closes', () => {
  for (const [sentence, { open, out }] of Object.entries(cases))
    test(sentence, () => {
      const all = [...open].map((remoteAddress, at) => ({ remoteAddress, at }));
      expect(crowdedOut(all)?.at).toBe(out);
    });
  test('one whose address is gone already, like any other', () =>
    expect(crowdedOut([{ at: 0, remoteAddress: 'p' }, { at: 1 }, { at: 2, remoteAddress: undefined }])?.at).toBe(1));
});
