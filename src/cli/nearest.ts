/** More slips than these are another word. */
const MOST_SLIPS = 2;

/** The word that is meant by a misspelt one: the one with the fewest slips; undefined where none is near. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  // A word may be as long as a file.
  const near = words.filter((one) => Math.abs(one.length - word.length) <= MOST_SLIPS);
  const ranked = near.map((one) => ({ one, slips: slipsBetween(word, one) })).toSorted((a, b) => a.slips - b.slips);
  const [first] = ranked;
  return first !== undefined && first.slips <= Math.min(MOST_SLIPS, Math.floor(first.one.length / 2)) ? first.one : undefined;
}

/** Letters to add, leave out or replace (Levenshtein). */
function slipsBetween(a: string, b: string): number {
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (last[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (last[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    last = next;
  }
  return last[b.length] ?? 0;
}
