import { ROLE_ARN_MAX_LENGTH } from '../api/arn.ts';
import { cut, keptOf } from '../api/cut.ts';
import type { JsonObject } from './objects.ts';

/*
 * How much is kept of what a tenant writes. An object may have more than a mebibyte, in any field that the API server does not bound. It bounds
 * names of objects and containers, UIDs and labels, and not: finalizers, owner references, audiences, values of annotations and variables, and
 * how many of anything there are.
 */

/** No right value is longer than the ARN of a role. One that is stays wrong: its beginning and its length, with a sign between that no right value has. */
const LONGEST_VALUE = ROLE_ARN_MAX_LENGTH + 1;
/** Names of objects have 253 characters at most, and those of field managers and audiences fewer or hardly more. */
export const LONGEST_NAME = 256;
/** Pods have some ten containers, and those of large pipelines some forty. */
export const MOST_CONTAINERS = 64;
/** A list that names each of them: 63 characters and a comma. */
export const LONGEST_NAMES = MOST_CONTAINERS * 64;
/** One is right. A message names four of the others. */
export const MOST_WRITERS = 8;
/** Of the values that containers have, one is right, too: an object with so many is wrong, whatever else it has. */
const MOST_VALUES = 16;

/** The values of those keys that are read. */
export function keptValues(members: JsonObject, keys: readonly string[], longest = LONGEST_VALUE): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const key of keys) {
    const value = members[key];
    if (typeof value === 'string') kept[key] = keptOf(value, longest);
  }
  return kept;
}

/** For the values of one object: equal ones become one text, and after the first few different ones nothing but the sign is kept. */
export function fewValues(): (value: string) => string {
  const known = new Map<string, string>();
  return (value) => {
    const kept = cut(value, LONGEST_VALUE);
    const same = known.get(kept);
    if (same !== undefined) return same;
    if (known.size === MOST_VALUES) return cut(value, 1);
    known.set(kept, kept);
    return kept;
  };
}
