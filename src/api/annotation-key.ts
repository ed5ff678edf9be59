import { EKS_ANNOTATIONS } from './names.ts';

/** `eks.amazon.com/role-arn`, the mistake that is seen most, lacks three letters; annotations of other tools are further away. */
const MOST_EDITS = 3;

/** Case and punctuation are what people get wrong first. */
const normalised = (key: string): string => key.toLowerCase().replace(/[^a-z0-9/]/g, '');
const WANTED = normalised(EKS_ANNOTATIONS.roleArn);

/** Whether a key of an annotation is meant to be `eks.amazonaws.com/role-arn` and is not: the webhook does not read it. */
export function isMisspeltRoleKey(key: string): boolean {
  if (key === EKS_ANNOTATIONS.roleArn) return false;
  const found = normalised(key);
  return Math.abs(found.length - WANTED.length) <= MOST_EDITS && editsBetween(found, WANTED) <= MOST_EDITS;
}

/** How many characters have to be added, removed or replaced (Levenshtein), row by row. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
