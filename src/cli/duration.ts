import { type Problem, problem } from '../api/problem.ts';

/** What a flag takes, in milliseconds and in words. */
export interface Range {
  readonly least: number;
  readonly most: number;
  readonly words: string;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `60s` in milliseconds. */
export function duration(text: string, { least, most, words }: Range): number | Problem {
  const found = /^([0-9]{1,6})(ms|s|m|h)$/.exec(text);
  const ms = Number(found?.[1]) * (UNITS[found?.[2] ?? ''] ?? Number.NaN);
  if (ms >= least && ms <= most) return ms;
  return problem(`"${text}" is not a duration ${words}`);
}
