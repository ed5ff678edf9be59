import { assertNever } from '../../api/assert-never.ts';
import type { JsonNode } from '../document/json.ts';
import { type Comparison, takesVariables } from './operators.ts';
import type { WebIdentity } from './request.ts';
import { fold, matches, type PatternPart } from './text.ts';
import { type Truth, type Unknown, unknown } from './truth.ts';
import { literally, resolve } from './variables.ts';

/**
 * Whether what the context holds compares to one value of the policy; `none` when that value has no meaning, because a variable in it has
 * none. A value that is not of the operator's kind is unknown: the user guide does not say what IAM makes of it.
 */
export function compare(
  comparison: Comparison,
  actual: string,
  wanted: JsonNode,
  version: string | undefined,
  request: WebIdentity,
): Truth | 'none' {
  const text = scalarText(wanted);
  if (text === undefined) return notScalar(wanted);
  if (!takesVariables(comparison)) return comparePlain(comparison, actual, text);
  const pattern = resolve(text, version, request);
  if (pattern === 'none') return 'none';
  if ('unknown' in pattern) return pattern;
  return compareStrings(comparison, actual, pattern);
}

/** Whether a value of the policy is known to mean something, whatever it is compared with. */
export function hasMeaning(comparison: Comparison, wanted: JsonNode, version: string | undefined, request: WebIdentity): Truth {
  const text = scalarText(wanted);
  if (text === undefined) return notScalar(wanted);
  const pattern = takesVariables(comparison) ? resolve(text, version, request) : [];
  if (pattern === 'none') return unknown(VALUELESS);
  return 'unknown' in pattern ? pattern : true;
}

/** Why a condition cannot be judged. */
export const VALUELESS = 'a policy variable in a condition has no value';

function notScalar({ kind }: JsonNode): Unknown {
  return unknown(`a condition value is a JSON ${kind}`);
}

/** Strings, numbers and booleans are condition values (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html), all compared as they are written. */
export function scalarText(node: JsonNode): string | undefined {
  switch (node.kind) {
    case 'string':
      return node.value;
    case 'number':
    case 'boolean':
      return node.raw;
    case 'object':
    case 'array':
    case 'null':
      return undefined;
    default:
      return assertNever(node);
  }
}

function compareStrings(comparison: Comparison, actual: string, pattern: readonly PatternPart[]): Truth {
  switch (comparison) {
    case 'StringLike':
      return matches(pattern, actual);
    case 'StringEquals':
      return literally(pattern) === actual;
    case 'StringEqualsIgnoreCase':
      return fold(literally(pattern)) === fold(actual);
    default:
      return unknown('an ARN operator compares a value that is not an ARN');
  }
}

function comparePlain(comparison: Comparison, actual: string, wanted: string): Truth {
  if (comparison === 'Bool') return compareBooleans(actual, wanted);
  if (comparison.startsWith('Date')) return compareOrdered(comparison.slice('Date'.length), instant(actual), instant(wanted), 'a date');
  if (comparison.startsWith('Numeric'))
    return compareOrdered(comparison.slice('Numeric'.length), decimal(actual), decimal(wanted), 'a number');
  return unknown(`${comparison} compares a value that is not ${comparison === 'IpAddress' ? 'an address' : 'binary'}`);
}

function compareBooleans(actual: string, wanted: string): Truth {
  const isBoolean = (text: string) => text === 'true' || text === 'false';
  return isBoolean(actual) && isBoolean(wanted) ? actual === wanted : unknown('Bool compares a value that is neither "true" nor "false"');
}

function compareOrdered(order: string, actual: number | undefined, wanted: number | undefined, kind: string): Truth | Unknown {
  if (actual === undefined || wanted === undefined) return unknown(`a condition compares a value that is not ${kind}`);
  switch (order) {
    case 'Equals':
      return actual === wanted;
    case 'LessThan':
      return actual < wanted;
    case 'LessThanEquals':
      return actual <= wanted;
    case 'GreaterThan':
      return actual > wanted;
    default:
      return actual >= wanted;
  }
}

/**
 * A date of ISO 8601 with its zone, or seconds since 1970
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date); four digits may
 * be a year. In whole seconds, as the epoch is.
 */
function instant(text: string): number | undefined {
  const iso = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2}))?$/.test(text);
  if (!iso) return /^[0-9]{5,12}$/.test(text) ? Number(text) : undefined;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}

function decimal(text: string): number | undefined {
  return /^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$/.test(text) ? Number(text) : undefined;
}
