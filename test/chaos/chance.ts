import { SEED, seededRandom } from './random.ts';

/** Choices by a seed: the same seed makes the same ones. */
export interface Chance {
  readonly seed: number;
  below(limit: number): number;
  of<T>(list: readonly T[]): T;
  /** True so many times out of a hundred. */
  percent(n: number): boolean;
}

export function chance(seed = SEED): Chance {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  return {
    seed,
    below,
    of(list) {
      if (list.length === 0) throw new Error('there is nothing to choose from');
      return list[below(list.length)] as (typeof list)[number];
    },
    percent: (n) => random() * 100 < n,
  };
}
