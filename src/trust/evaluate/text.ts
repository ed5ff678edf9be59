/** Lower case of ASCII letters only: Unicode folding would make the Kelvin sign equal to "k", and IAM stores no such characters. */
export function fold(text: string): string {
  return IS_ASCII.test(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
const IS_ASCII = /^[\0-\x7f]*$/;

/** A stretch of a pattern: literal text, or a wildcard. Literal `*` and `?` come from `${*}` and `${?}`. */
export type PatternPart = { readonly literal: string } | { readonly wildcard: '*' | '?' };

/**
 * The pattern of a text in which every `*` and `?` is a wildcard. IAM has no backslash escapes
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String).
 */
export function patternOf(text: string): PatternPart[] {
  if (!hasWildcard(text)) return [{ literal: text }];
  return text.split(/([*?])/).flatMap((stretch): PatternPart[] => {
    if (stretch === '*' || stretch === '?') return [{ wildcard: stretch }];
    return stretch === '' ? [] : [{ literal: stretch }];
  });
}

function hasWildcard(text: string): boolean {
  return /[*?]/.test(text);
}

/**
 * `*` stands for any run of characters, also none and also `:` and `/`; `?` for exactly one
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String). Greedy with
 * one point to come back to, so the time is bounded by the product of the lengths: no pattern can make it explode.
 */
export function matches(pattern: readonly PatternPart[], value: string): boolean {
  // More text than the value has can never match; it also bounds what a hostile pattern costs.
  if (shortest(pattern) > value.length) return false;
  let at = 0;
  let star = -1;
  let starAt = 0;
  let p = 0;
  while (at < value.length || p < pattern.length) {
    const part = pattern[p];
    const length = part === undefined ? undefined : lengthAt(part, value, at);
    if (part !== undefined && length !== undefined) {
      if (isStar(part)) {
        star = p;
        starAt = at;
      }
      p++;
      at += length;
    } else if (star >= 0 && starAt < value.length) {
      p = star + 1;
      at = ++starAt;
    } else return false;
  }
  return true;
}

/** How many characters of the value this part takes at this place, a `*` none for now; undefined when it does not match there. */
function lengthAt(part: PatternPart, value: string, at: number): number | undefined {
  if ('literal' in part) return value.startsWith(part.literal, at) ? part.literal.length : undefined;
  if (part.wildcard === '*') return 0;
  return at < value.length ? 1 : undefined;
}

function shortest(pattern: readonly PatternPart[]): number {
  return pattern.reduce((length, part) => length + ('literal' in part ? part.literal.length : part.wildcard === '?' ? 1 : 0), 0);
}

/** Whether a text matches a pattern in which every `*` and `?` is a wildcard. */
export function like(pattern: string, text: string): boolean {
  return hasWildcard(pattern) ? matches(patternOf(pattern), text) : pattern === text;
}

function isStar(part: PatternPart): boolean {
  return 'wildcard' in part && part.wildcard === '*';
}
