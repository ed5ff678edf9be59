import type { ContextIndex } from './context.ts';
import { type Json, type JsonObject, listOf, parseJson } from './json.ts';
import { filler, parseOperator } from './operators.ts';
import { matchesPattern, patternOf } from './wildcard.ts';

/** The words of IAM's own policy simulator (`EvalDecision`). */
export type Decision = 'allowed' | 'explicitDeny' | 'implicitDeny';

/** A policy of either kind, ready to be asked. */
export interface ReadPolicy {
  readonly statements: readonly JsonObject[];
  /** Policies of version 2012-10-17 have variables. */
  readonly hasVariables: boolean;
}

/** Undefined for what is no policy: it allows nothing and denies nothing. */
export function readPolicy(document: string): ReadPolicy | undefined {
  let policy: Json;
  try {
    policy = parseJson(document);
  } catch {
    return undefined;
  }
  if (!(policy instanceof Map)) return undefined;
  const statements = listOf(policy.get('Statement')).filter((statement): statement is JsonObject => statement instanceof Map);
  return { statements, hasVariables: policy.get('Version') === '2012-10-17' };
}

/** An explicit Deny wins; several Allow statements are alternatives. Takes the statements that match the request. */
export function decide(matching: readonly JsonObject[]): Decision {
  const effects = matching.map((statement) => statement.get('Effect'));
  if (effects.includes('Deny')) return 'explicitDeny';
  return effects.includes('Allow') ? 'allowed' : 'implicitDeny';
}

export function matchesAction(statement: JsonObject, action: string): boolean {
  const named = (actions: Json | undefined): boolean =>
    listOf(actions).some((wanted) => typeof wanted === 'string' && matchesPattern(patternOf(wanted.toLowerCase()), action.toLowerCase()));
  const has = { action: statement.has('Action'), notAction: statement.has('NotAction') };
  if (has.action === has.notAction) return false; // exactly one of the two must be there
  return has.action ? named(statement.get('Action')) : !named(statement.get('NotAction'));
}

export function matchesCondition(condition: Json | undefined, context: ContextIndex, hasVariables: boolean): boolean {
  if (condition === undefined) return true;
  if (!(condition instanceof Map)) return false;
  return [...condition].every(
    ([operator, keys]) =>
      keys instanceof Map && [...keys].every(([key, values]) => holds(operator, key, listOf(values).map(String), context, hasVariables)),
  );
}

function holds(name: string, key: string, wanted: readonly string[], context: ContextIndex, hasVariables: boolean): boolean {
  const parsed = parseOperator(name);
  if (parsed === undefined) return false;
  const actual = context.get(key.toLowerCase());
  if (parsed.kind === 'null') return wanted.some((value) => value.toLowerCase() === String(actual === undefined));

  const { operator, qualifier, ifExists } = parsed;
  if (actual === undefined) {
    // All of no values is true, whatever is asked of them; one of no values is false, also of a negated operator.
    if (ifExists || qualifier === 'forallvalues') return true;
    return qualifier === undefined && operator.negated;
  }
  const fill = filler(context, hasVariables);
  const hits = actual.map((value) => wanted.some((text) => operator.compare(value, text, fill)));
  if (qualifier === 'forallvalues') return hits.every((hit) => hit !== operator.negated);
  if (qualifier === 'foranyvalue') return hits.some((hit) => hit !== operator.negated);
  return hits.includes(true) !== operator.negated;
}
