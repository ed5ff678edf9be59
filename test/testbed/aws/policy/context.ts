/** What a request brings to a policy: condition key to its value or values. Key names are compared without case, values with it. */
export type RequestContext = Readonly<Record<string, string | readonly string[]>>;

/** The same, ready for look-ups: lower-case key to a list that is never empty. A key without values is an absent key. */
export type ContextIndex = ReadonlyMap<string, readonly string[]>;

export function indexContext(context: RequestContext): ContextIndex {
  const index = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(context)) {
    const values = typeof value === 'string' ? [value] : value;
    if (values.length > 0) index.set(key.toLowerCase(), values);
  }
  return index;
}
