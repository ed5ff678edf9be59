import { type Problem, problem } from '../api/problem.ts';

/** A misspelt field that limits a grant would make it wider; kubectl refuses one too. */
export function unknownField(spec: unknown, shape: Readonly<Record<string, unknown>>): Problem | undefined {
  const fields = typeof spec === 'object' && spec !== null ? Object.keys(spec) : [];
  const unknown = fields.find((field) => !Object.hasOwn(shape, field));
  return unknown === undefined ? undefined : problem(`spec has no field "${unknown}"`);
}
