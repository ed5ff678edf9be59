/**
 * Whether two trust policies are the same as IAM stores them: it keeps statements in their order, and reorders principals, values and
 * condition keys. Texts that are not JSON are the same where they are equal.
 */
export function sameDocument(a: string, b: string): boolean {
  if (a === b) return true;
  const [one, other] = [canonical(a), canonical(b)];
  return one !== undefined && one === other;
}

function canonical(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), (_, value: unknown) => ordered(value));
  } catch {
    return undefined;
  }
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    const isSet = value.every((one) => typeof one === 'string');
    // One value may be written with or without a list around it.
    return isSet && value.length === 1 ? value[0] : isSet ? value.toSorted() : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
