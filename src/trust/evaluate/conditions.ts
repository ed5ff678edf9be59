import type { Issuer } from '../../api/issuer.ts';
import { asList, member } from '../document/document.ts';
import type { JsonNode, ObjectNode } from '../document/json.ts';
import { quote } from '../document/quote.ts';
import { compare, hasMeaning, scalarText, VALUELESS } from './comparisons.ts';
import { keyInWords } from './near.ts';
import { type Operator, parseOperator } from './operators.ts';
import { lookUp, type WebIdentity } from './request.ts';
import { fold } from './text.ts';
import { all, any, not, type Truth, unknown } from './truth.ts';

/** One operator with one key, as STS would see it. The block holds when all of them do (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html). */
export interface Condition {
  /** As written, for messages. */
  readonly operatorName: string;
  readonly operator: Operator | undefined;
  readonly key: string;
  readonly values: readonly JsonNode[];
  readonly truth: Truth;
}

/** Every condition of a statement in its order; or why the block cannot be read. */
export function conditionsOf(statement: ObjectNode, version: string | undefined, request: WebIdentity): readonly Condition[] | Truth {
  const block = member(statement, 'Condition');
  if (block === undefined) return [];
  if (block.kind !== 'object') return unknown('its "Condition" is not an object');
  const conditions: Condition[] = [];
  for (const { name: operatorName, value: keys } of block.members) {
    if (keys.kind !== 'object') return unknown(`its condition ${quote(operatorName)} is not an object`);
    const operator = parseOperator(operatorName);
    for (const { name: key, value } of keys.members) {
      const values = asList(value);
      const truth =
        operator === undefined
          ? unknown(`${quote(operatorName)} is not a condition operator`)
          : judgeCondition(operator, key, values, version, request);
      conditions.push({ operatorName, operator, key, values, truth });
    }
  }
  return settleRepeated(conditions, request.issuer);
}

/** Whether STS would find that one condition holds. */
export function judgeCondition(
  operator: Operator,
  key: string,
  values: readonly JsonNode[],
  version: string | undefined,
  request: WebIdentity,
): Truth {
  const actual = lookUp(key, request);
  if (operator.comparison === 'Null') return judgeNull(values, actual === 'absent' ? true : 'unknown' in actual ? actual : false);
  if (actual === 'absent') return judgeAbsent(operator, values, version, request);
  if ('unknown' in actual) return actual;
  // The claims of a ServiceAccount are single values, on which both set operators mean the same: match that one.
  return combine(
    operator.negated,
    values.map((value) => compare(operator.comparison, actual.value, value, version, request)),
  );
}

/** `"true"` wants the key to be absent, `"false"` to be there (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Null). */
function judgeNull(values: readonly JsonNode[], absent: Truth): Truth {
  const wanted = values.map((value): Truth => {
    const text = scalarText(value);
    if (text !== 'true' && text !== 'false') return unknown('Null compares a value that is neither "true" nor "false"');
    return text === 'true' ? absent : not(absent);
  });
  return any(wanted);
}

/**
 * A key that is not in the request: false, but true for a negated operator, for IfExists, and for ForAllValues
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html).
 */
function judgeAbsent(operator: Operator, values: readonly JsonNode[], version: string | undefined, request: WebIdentity): Truth {
  if (operator.set === 'ForAnyValue')
    return operator.ifExists ? unknown('AWS does not document what ForAnyValue with IfExists means for an absent key') : false;
  const holdsAnyway = operator.ifExists || operator.set === 'ForAllValues';
  if (!holdsAnyway && !operator.negated) return false;
  if (!holdsAnyway && values.length === 0) return combine(true, []);
  // What the values are does not matter, only whether each is known to have a meaning: one without may make the whole statement invalid.
  return all(values.map((value) => hasMeaning(operator.comparison, value, version, request)));
}

/** Values are alternatives; of a negated operator none may match (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html). */
function combine(negated: boolean, compared: readonly (Truth | 'none')[]): Truth {
  if (compared.length === 0) return negated ? unknown('a negated operator has an empty list of values') : false;
  const matched = any(compared.filter((truth) => truth !== 'none'));
  if (!compared.includes('none')) return negated ? not(matched) : matched;
  // The user guide says of a variable without value both that it equals nothing and that it may make the whole statement invalid.
  // Where the two readings agree that is the answer.
  const fails = negated ? matched === true : matched === false;
  return fails ? false : unknown(VALUELESS);
}

/**
 * IAM's parser may take the first, the last or all of keys that differ in case only, and of operators too: known only where all of them
 * come out the same.
 */
function settleRepeated(conditions: readonly Condition[], issuer: Issuer): readonly Condition[] {
  if (conditions.length < 2) return conditions;
  const spellings = Map.groupBy(conditions, ({ operatorName }) => fold(operatorName));
  const groups = [...spellings].flatMap(([, group]) =>
    // A whole operator may be passed over, with keys that the other spelling does not have.
    new Set(group.map(({ operatorName }) => operatorName)).size > 1 ? [group] : [...Map.groupBy(group, ({ key }) => fold(key)).values()],
  );
  const conflicting = new Set(groups.filter((group) => group.some(({ truth }) => truth !== group[0]?.truth)).flat());
  return conditions.map((condition) => {
    if (!conflicting.has(condition)) return condition;
    const respelt = spellings.get(fold(condition.operatorName))?.some(({ operatorName }) => operatorName !== condition.operatorName);
    const twice = respelt
      ? `condition operator ${quote(condition.operatorName)}`
      : `condition key ${keyInWords(condition.key, issuer, 'of another issuer')}`;
    return { ...condition, truth: unknown(`the ${twice} appears twice, in different case`) };
  });
}
