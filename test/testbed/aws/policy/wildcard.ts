/** One position of a pattern: a literal character, `?` (exactly one character), or `*` (any run, also an empty one). */
export type PatternPart = { literal: string } | 'one' | 'any';

/** Reads `*` and `?` as wildcards and everything else as itself. */
export function patternOf(text: string): PatternPart[] {
  return [...text].map((character) => (character === '*' ? 'any' : character === '?' ? 'one' : { literal: character }));
}

/**
 * Case-sensitive match of the whole text. Greedy with one point to go back to, so it is quadratic at worst: a pattern comes from a policy
 * that anybody may have written, and a regular expression made from it could take for ever.
 */
export function matchesPattern(pattern: readonly PatternPart[], text: string): boolean {
  const characters = [...text];
  let p = 0;
  let t = 0;
  let lastAny = -1;
  let resumeAt = 0;
  while (t < characters.length) {
    const part = pattern[p];
    if (part === 'any') {
      lastAny = p++;
      resumeAt = t;
    } else if (part === 'one' || (part !== undefined && part.literal === characters[t])) {
      p++;
      t++;
    } else if (lastAny >= 0) {
      p = lastAny + 1;
      t = ++resumeAt;
    } else return false;
  }
  return pattern.slice(p).every((part) => part === 'any');
}
