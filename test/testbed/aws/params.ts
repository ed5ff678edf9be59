import { validationError } from './aws-error.ts';

/** The form of the AWS query protocol: `Tags.member.1.Key=team`. */
export type Params = ReadonlyMap<string, string>;

export function optional(params: Params, name: string): string | undefined {
  return params.get(name);
}

export function required(params: Params, name: string): string {
  const value = params.get(name);
  if (value === undefined) throw constraint('null', name, 'Member must not be null');
  return value;
}

/** A whole number within its bounds, or `otherwise` when it is not given. */
export function integer(params: Params, name: string, { min, max, otherwise }: { min: number; max: number; otherwise: number }): number {
  const text = params.get(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value)) throw validationError(`${name} must be an integer`);
  if (value < min) throw constraint(`'${text}'`, name, `Member must have value greater than or equal to ${min}`);
  if (value > max) throw constraint(`'${text}'`, name, `Member must have value less than or equal to ${max}`);
  return value;
}

/** Checks a text against the bounds that the API model gives it, in the words of AWS's own validator. */
export function bounded(value: string, name: string, { min, max, pattern }: { min: number; max: number; pattern?: RegExp }): string {
  const quoted = `'${value}'`;
  if (value.length < min) throw constraint(quoted, name, `Member must have length greater than or equal to ${min}`);
  if (value.length > max) throw constraint(quoted, name, `Member must have length less than or equal to ${max}`);
  if (pattern !== undefined && !pattern.test(value))
    throw constraint(quoted, name, `Member must satisfy regular expression pattern: ${pattern.source.replace(/^\^|\$$/g, '')}`);
  return value;
}

export function list(params: Params, name: string): string[] {
  const items: string[] = [];
  for (let index = 1; ; index++) {
    const item = params.get(`${name}.member.${index}`);
    if (item === undefined) return items;
    items.push(item);
  }
}

export function tagsOf(params: Params): Map<string, string> {
  const tags = new Map<string, string>();
  for (let index = 1; ; index++) {
    const key = params.get(`Tags.member.${index}.Key`);
    if (key === undefined) return tags;
    tags.set(key, params.get(`Tags.member.${index}.Value`) ?? '');
  }
}

function constraint(value: string, name: string, rule: string): Error {
  const member = name.charAt(0).toLowerCase() + name.slice(1);
  return validationError(`1 validation error detected: Value ${value} at '${member}' failed to satisfy constraint: ${rule}`);
}
