import { EKS_ANNOTATIONS } from './names.ts';

/** `eks.amazon.com/role-arn`, the mistake that is seen most, lacks three letters; annotations of other tools are further away. */
const MOST_EDITS = 3;

/** Case and punctuation are what people get wrong first. */
const normalised = (key: string): string => key.toLowerCase().replace(/[^a-z0-9/]/g, '');

/** Whoever has misspelt a key did so once or twice; beyond that it is somebody's game, and must not fill our memory. */
const MOST_KEPT = 4;
/** An object may carry thousands of keys of the right length, and comparing is what costs: nobody who makes a mistake has so many. */
const MOST_COMPARED = 256;

/** The keys, among all that an object has, that are meant to be the webhook's: the first few, at a bounded cost. */
export function misspeltRoleKeys(
  keys: readonly string[],
  wanted: string = EKS_ANNOTATIONS.roleArn,
  isMisspelt: typeof isMisspeltRoleKey = isMisspeltRoleKey,
): string[] {
  const found: string[] = [];
  let compared = 0;
  for (const key of keys) {
    if (!hasNearLength(key, wanted)) continue;
    if (compared === MOST_COMPARED || found.length === MOST_KEPT) break;
    compared++;
    if (isMisspelt(key, wanted)) found.push(key);
  }
  return found;
}

/** Beside the edits, a few more signs of punctuation than the right key has. */
function hasNearLength(key: string, wanted: string): boolean {
  return key.length >= normalised(wanted).length - MOST_EDITS && key.length <= wanted.length + 2 * MOST_EDITS;
}

/** Whether a key of an annotation is meant to be the wanted one, as a rule `eks.amazonaws.com/role-arn`, and is not: the webhook does not read it. */
export function isMisspeltRoleKey(key: string, wanted: string = EKS_ANNOTATIONS.roleArn): boolean {
  if (key === wanted || !hasNearLength(key, wanted)) return false;
  const [a, b] = [normalised(key), normalised(wanted)];
  return Math.abs(a.length - b.length) <= MOST_EDITS && isWithinEdits(a, b);
}

/** Whether so few characters have to be added, removed or replaced (Levenshtein); row by row, and no row further than the answer is open. */
function isWithinEdits(a: string, b: string): boolean {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    if (Math.min(...next) > MOST_EDITS) return false;
    row = next;
  }
  return (row[b.length] ?? 0) <= MOST_EDITS;
}
