import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { ContextIndex } from './context.ts';
import { expandVariables } from './variables.ts';
import { matchesPattern, type PatternPart, patternOf } from './wildcard.ts';

/** Compares one value of the request with one value of the policy. */
type Comparison = (actual: string, wanted: string, fill: Fill) => boolean;

/** Turns a policy value into a pattern, with its variables filled in where the policy's version has variables. */
type Fill = (wanted: string) => PatternPart[] | undefined;

export interface Operator {
  readonly compare: Comparison;
  /** True for the `Not` forms: they hold when no wanted value compares. */
  readonly negated: boolean;
}

/** Policies of version 2012-10-17 have variables; in older ones `${...}` is plain text (IAM user guide, "Version"). */
export function filler(context: ContextIndex, hasVariables: boolean): Fill {
  return hasVariables ? (wanted) => expandVariables(wanted, context) : patternOf;
}

/** Without wildcards: `*` and `?` of the policy are plain characters. */
const asText = (pattern: readonly PatternPart[]): string =>
  pattern.map((part) => (part === 'any' ? '*' : part === 'one' ? '?' : part.literal)).join('');

const stringEquals: Comparison = (actual, wanted, fill) => {
  const pattern = fill(wanted);
  return pattern !== undefined && asText(pattern) === actual;
};

const stringEqualsIgnoreCase: Comparison = (actual, wanted, fill) => {
  const pattern = fill(wanted);
  return pattern !== undefined && asText(pattern).toLowerCase() === actual.toLowerCase();
};

const stringLike: Comparison = (actual, wanted, fill) => {
  const pattern = fill(wanted);
  return pattern !== undefined && matchesPattern(pattern, actual);
};

/** ArnEquals and ArnLike are the same: each of the six parts between colons is compared by itself, so `*` never crosses one of the first five. */
export const arnLike: Comparison = (actual, wanted, fill) => {
  const pattern = fill(wanted);
  if (pattern === undefined) return false;
  const wantedParts = splitArn(pattern, (part) => part !== 'any' && part !== 'one' && part.literal === ':');
  const actualParts = splitArn([...actual], (character) => character === ':');
  return (
    wantedParts.length === ARN_PARTS &&
    actualParts.length === ARN_PARTS &&
    wantedParts.every((part, index) => matchesPattern(part, (actualParts[index] ?? []).join('')))
  );
};

/** arn:partition:service:region:account:resource */
const ARN_PARTS = 6;

function splitArn<T>(items: readonly T[], isColon: (item: T) => boolean): T[][] {
  const parts: T[][] = [[]];
  for (const item of items) {
    if (isColon(item) && parts.length < ARN_PARTS) parts.push([]);
    else parts.at(-1)?.push(item);
  }
  return parts;
}

const bool: Comparison = (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase();

const binaryEquals: Comparison = (actual, wanted) => Buffer.from(actual, 'base64').equals(Buffer.from(wanted, 'base64'));

const ipAddress: Comparison = (actual, wanted) => {
  const family = familyOf(actual);
  const [network = '', prefix] = wanted.split('/');
  if (family === undefined || familyOf(network) !== family) return false;
  const bits = prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix);
  if (!Number.isInteger(bits) || bits < 0 || bits > (family === 'ipv4' ? 32 : 128)) return false;
  const block = new BlockList();
  block.addSubnet(network, bits, family);
  return block.check(actual, family);
};

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  return isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
}

const number = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

/** Milliseconds since 1970. A policy may write ISO 8601 or seconds since 1970 (IAM user guide, "Date condition operators"). */
const instant = (text: string): number => (/^-?\d{5,}$/.test(text) ? Number(text) * 1_000 : Date.parse(text));

/** A value that is no number (or date) compares with nothing, since NaN does not. */
const ordered =
  (read: (text: string) => number, holds: (actual: number, wanted: number) => boolean): Comparison =>
  (actual, wanted) =>
    holds(read(actual), read(wanted));

const ORDERS = {
  equals: (a: number, b: number) => a === b,
  lessthan: (a: number, b: number) => a < b,
  lessthanequals: (a: number, b: number) => a <= b,
  greaterthan: (a: number, b: number) => a > b,
  greaterthanequals: (a: number, b: number) => a >= b,
};

/** Every operator by its lower-case name, but `Null`, which looks at presence and not at a value. IAM user guide, "Condition operators". */
const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    stringequals: { compare: stringEquals, negated: false },
    stringnotequals: { compare: stringEquals, negated: true },
    stringequalsignorecase: { compare: stringEqualsIgnoreCase, negated: false },
    stringnotequalsignorecase: { compare: stringEqualsIgnoreCase, negated: true },
    stringlike: { compare: stringLike, negated: false },
    stringnotlike: { compare: stringLike, negated: true },
    arnequals: { compare: arnLike, negated: false },
    arnlike: { compare: arnLike, negated: false },
    arnnotequals: { compare: arnLike, negated: true },
    arnnotlike: { compare: arnLike, negated: true },
    bool: { compare: bool, negated: false },
    binaryequals: { compare: binaryEquals, negated: false },
    ipaddress: { compare: ipAddress, negated: false },
    notipaddress: { compare: ipAddress, negated: true },
    numericnotequals: { compare: ordered(number, ORDERS.equals), negated: true },
    datenotequals: { compare: ordered(instant, ORDERS.equals), negated: true },
    ...Object.fromEntries(
      Object.entries(ORDERS).flatMap(([order, holds]) => [
        [`numeric${order}`, { compare: ordered(number, holds), negated: false }],
        [`date${order}`, { compare: ordered(instant, holds), negated: false }],
      ]),
    ),
  }),
);

export type SetQualifier = 'forallvalues' | 'foranyvalue' | undefined;

/** `ForAnyValue:StringLikeIfExists`, taken apart. */
export type ParsedOperator =
  | { readonly kind: 'null' }
  | { readonly kind: 'comparison'; readonly operator: Operator; readonly qualifier: SetQualifier; readonly ifExists: boolean };

const OPERATOR_NAME = /^(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?$/;

/** Undefined for a name that is no operator. Case is not looked at: the guide writes names in several cases and says nothing about it. */
export function parseOperator(name: string): ParsedOperator | undefined {
  if (name.toLowerCase() === 'null') return { kind: 'null' };
  const [, qualifier, base = '', ifExists] = OPERATOR_NAME.exec(name.toLowerCase()) ?? [];
  const operator = OPERATORS.get(base);
  if (operator === undefined) return undefined;
  return { kind: 'comparison', operator, qualifier: qualifier as SetQualifier, ifExists: ifExists !== undefined };
}
