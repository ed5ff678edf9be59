/** A line of a difference: `-` goes, `+` comes, and a blank stays. */
export type DiffLine = readonly [sign: ' ' | '-' | '+', text: string];

/** So many lines that stay are shown around those that change. */
const CONTEXT = 3;

/** Lines that were left out between two changes. */
export const GAP: DiffLine = [' ', '...'];

/** The difference of two texts, line by line, by their longest common subsequence. Documents of IAM have a few hundred lines at most. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  const common = (a: number, b: number) => lengths[a]?.[b] ?? 0;
  for (let a = before.length - 1; a >= 0; a -= 1)
    for (let b = after.length - 1; b >= 0; b -= 1) {
      const row = lengths[a];
      if (row !== undefined) row[b] = before[a] === after[b] ? common(a + 1, b + 1) + 1 : Math.max(common(a + 1, b), common(a, b + 1));
    }
  const lines: DiffLine[] = [];
  let [a, b] = [0, 0];
  while (a < before.length || b < after.length) {
    if (a < before.length && b < after.length && before[a] === after[b]) {
      lines.push([' ', before[a] ?? '']);
      a += 1;
      b += 1;
    } else if (a < before.length && (b >= after.length || common(a + 1, b) >= common(a, b + 1))) {
      lines.push(['-', before[a] ?? '']);
      a += 1;
    } else {
      lines.push(['+', after[b] ?? '']);
      b += 1;
    }
  }
  return nearChanges(lines);
}

function nearChanges(lines: readonly DiffLine[]): DiffLine[] {
  const isShown = lines.map((_, at) => lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(([sign]) => sign !== ' '));
  return lines.flatMap((line, at): DiffLine[] => {
    if (isShown[at]) return [line];
    return isShown[at - 1] && isShown.slice(at).some(Boolean) ? [GAP] : [];
  });
}
