/** Printed by whoever uses it; `SEED=` replays. */
export const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

/** Mulberry32: small, and the same numbers for the same seed everywhere. From 0 up to 1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
