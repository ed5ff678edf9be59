import { fold } from './text.ts';

/** How a condition operator compares; `Null` only asks whether the key is there (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html). */
export type Comparison =
  | 'StringEquals'
  | 'StringEqualsIgnoreCase'
  | 'StringLike'
  | 'NumericEquals'
  | 'NumericLessThan'
  | 'NumericLessThanEquals'
  | 'NumericGreaterThan'
  | 'NumericGreaterThanEquals'
  | 'DateEquals'
  | 'DateLessThan'
  | 'DateLessThanEquals'
  | 'DateGreaterThan'
  | 'DateGreaterThanEquals'
  | 'Bool'
  | 'BinaryEquals'
  | 'IpAddress'
  | 'ArnLike'
  | 'Null';

/** An operator's name, taken apart. */
export interface Operator {
  readonly comparison: Comparison;
  /** The `Not` forms: none of the values may match (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html). */
  readonly negated: boolean;
  /** Holds when the key is absent (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IfExists). */
  readonly ifExists: boolean;
  /**
   * For keys with several values; of an absent key the first holds and the second does not
   * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html).
   */
  readonly set: 'ForAllValues' | 'ForAnyValue' | undefined;
}

/** Every operator of the user guide: its comparison, and whether it is negated. `ArnEquals` and `ArnLike` are the same. */
const OPERATORS: Readonly<Record<string, readonly [Comparison, boolean]>> = {
  StringEquals: ['StringEquals', false],
  StringNotEquals: ['StringEquals', true],
  StringEqualsIgnoreCase: ['StringEqualsIgnoreCase', false],
  StringNotEqualsIgnoreCase: ['StringEqualsIgnoreCase', true],
  StringLike: ['StringLike', false],
  StringNotLike: ['StringLike', true],
  NumericEquals: ['NumericEquals', false],
  NumericNotEquals: ['NumericEquals', true],
  NumericLessThan: ['NumericLessThan', false],
  NumericLessThanEquals: ['NumericLessThanEquals', false],
  NumericGreaterThan: ['NumericGreaterThan', false],
  NumericGreaterThanEquals: ['NumericGreaterThanEquals', false],
  DateEquals: ['DateEquals', false],
  DateNotEquals: ['DateEquals', true],
  DateLessThan: ['DateLessThan', false],
  DateLessThanEquals: ['DateLessThanEquals', false],
  DateGreaterThan: ['DateGreaterThan', false],
  DateGreaterThanEquals: ['DateGreaterThanEquals', false],
  Bool: ['Bool', false],
  BinaryEquals: ['BinaryEquals', false],
  IpAddress: ['IpAddress', false],
  NotIpAddress: ['IpAddress', true],
  ArnEquals: ['ArnLike', false],
  ArnLike: ['ArnLike', false],
  ArnNotEquals: ['ArnLike', true],
  ArnNotLike: ['ArnLike', true],
  Null: ['Null', false],
};
const BY_FOLDED = new Map(Object.entries(OPERATORS).map(([name, meaning]) => [fold(name), meaning]));

const SETS = { 'forallvalues:': 'ForAllValues', 'foranyvalue:': 'ForAnyValue' } as const;
const IF_EXISTS = 'ifexists';

/**
 * The operator that a name means; undefined for a name that the user guide does not have. Case is read tolerantly, because the guide does not
 * say that it matters.
 */
export function parseOperator(name: string): Operator | undefined {
  let rest = fold(name);
  let set: Operator['set'];
  for (const [prefix, meaning] of Object.entries(SETS)) {
    if (!rest.startsWith(prefix)) continue;
    set = meaning;
    rest = rest.slice(prefix.length);
    break;
  }
  const ifExists = rest.endsWith(IF_EXISTS);
  if (ifExists) rest = rest.slice(0, -IF_EXISTS.length);
  const meaning = BY_FOLDED.get(rest);
  if (meaning === undefined) return undefined;
  const [comparison, negated] = meaning;
  // IfExists and the set operators can be added to any operator but Null (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IfExists).
  if (comparison === 'Null' && (ifExists || set !== undefined)) return undefined;
  return { comparison, negated, ifExists, set };
}

/** Whether policy variables are replaced in its values: those of strings and ARNs only (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html). */
export function takesVariables(comparison: Comparison): boolean {
  return comparison.startsWith('String') || comparison === 'ArnLike';
}
