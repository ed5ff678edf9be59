/** ASCII only: Unicode folding would make the Kelvin sign equal to "k", and IAM stores no such characters. */
export function fold(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** One element of a pattern: a literal character, or a wildcard. Literal `*` and `?` come from `${*}` and `${?}`. */
export type PatternPart = { readonly literal: string } | { readonly wildcard: '*' | '?' };

/** The pattern of a text in which every `*` and `?` is a wildcard. IAM has no backslash escapes (IAM user guide, string operators). */
export function patternOf(text: string): PatternPart[] {
  return Array.from(text, (character) => (character === '*' || character === '?' ? { wildcard: character } : { literal: character }));
}

/**
 * `*` stands for any run of characters, also none and also `:` and `/`; `?` for exactly one (IAM user guide, string operators).
 * Greedy with one point to come back to, so the time is bounded by the product of the lengths: no pattern can make it explode.
 */
export function matches(pattern: readonly PatternPart[], value: string): boolean {
  const characters = Array.from(value);
  // More single characters than the value has can never match; it also bounds what a hostile pattern costs.
  if (pattern.filter((part) => !isStar(part)).length > characters.length) return false;
  let at = 0;
  let star = -1;
  let starAt = 0;
  let p = 0;
  while (at < characters.length) {
    const part = pattern[p];
    if (part !== undefined && isStar(part)) {
      star = p++;
      starAt = at;
    } else if (part !== undefined && ('wildcard' in part || part.literal === characters[at])) {
      p++;
      at++;
    } else if (star >= 0) {
      p = star + 1;
      at = ++starAt;
    } else return false;
  }
  return pattern.slice(p).every(isStar);
}

/** Whether a text matches a pattern in which every `*` and `?` is a wildcard. */
export function like(pattern: string, text: string): boolean {
  return matches(patternOf(pattern), text);
}

function isStar(part: PatternPart): boolean {
  return 'wildcard' in part && part.wildcard === '*';
}
