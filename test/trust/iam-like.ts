/**
 * What IAM may make of a document when it stores it: the same meaning, other members first, other values first, a list of one as the value
 * itself (or the other way round). The order of the statements stays.
 */
export function asStored(text: string, collapse: boolean): string {
  const policy = JSON.parse(text) as { Statement: unknown };
  const statements = Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement];
  return JSON.stringify({ ...policy, Statement: statements.map((statement) => shuffled(statement, collapse)) });
}

function shuffled(value: unknown, collapse: boolean): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => shuffled(item, collapse)).reverse();
    return collapse && items.length === 1 ? items[0] : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, shuffled(member, collapse)]),
  );
}
