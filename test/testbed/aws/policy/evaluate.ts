import { type ContextIndex, indexContext, type RequestContext } from './context.ts';
import { type Json, type JsonObject, listOf, parseJson } from './json.ts';
import { filler, parseOperator } from './operators.ts';
import { matchesPattern, patternOf } from './wildcard.ts';

/** The words of IAM's own policy simulator (`EvalDecision`). */
export type Decision = 'allowed' | 'explicitDeny' | 'implicitDeny';

export interface TrustRequest {
  /** For example `sts:AssumeRoleWithWebIdentity`. */
  readonly action: string;
  /** Who asks: the kind of principal, and every name that a policy may call it by (a role session: session ARN, role ARN, account root). */
  readonly principal: { readonly kind: 'AWS' | 'Federated' | 'Service'; readonly names: readonly string[] };
  readonly context: RequestContext;
}

/**
 * Decides a request against a role's trust policy as a server does: the request is complete, so the answer is never "unknown". An explicit
 * Deny wins; several Allow statements are alternatives. A document or statement that IAM could not have stored allows nothing and denies
 * nothing. Sources: IAM user guide, "Policy evaluation logic", "Condition", "Principal".
 */
export function evaluateTrust({ document, request }: { document: string; request: TrustRequest }): Decision {
  const policy = readPolicy(document);
  if (policy === undefined) return 'implicitDeny';
  const context = indexContext(request.context);
  const hasVariables = policy.get('Version') === '2012-10-17';
  const effects = listOf(policy.get('Statement'))
    .filter((statement): statement is JsonObject => statement instanceof Map)
    .filter((statement) => matchesPrincipal(statement, request.principal) && matchesAction(statement, request.action))
    .filter((statement) => matchesCondition(statement.get('Condition'), context, hasVariables))
    .map((statement) => statement.get('Effect'));
  if (effects.includes('Deny')) return 'explicitDeny';
  return effects.includes('Allow') ? 'allowed' : 'implicitDeny';
}

function readPolicy(document: string): JsonObject | undefined {
  try {
    const policy = parseJson(document);
    return policy instanceof Map ? policy : undefined;
  } catch {
    return undefined;
  }
}

function matchesAction(statement: JsonObject, action: string): boolean {
  const named = (actions: Json | undefined): boolean =>
    listOf(actions).some((wanted) => typeof wanted === 'string' && matchesPattern(patternOf(wanted.toLowerCase()), action.toLowerCase()));
  const has = { action: statement.has('Action'), notAction: statement.has('NotAction') };
  if (has.action === has.notAction) return false; // exactly one of the two must be there
  return has.action ? named(statement.get('Action')) : !named(statement.get('NotAction'));
}

function matchesPrincipal(statement: JsonObject, asking: TrustRequest['principal']): boolean {
  const has = { principal: statement.has('Principal'), notPrincipal: statement.has('NotPrincipal') };
  if (has.principal === has.notPrincipal) return false;
  return has.principal ? namesPrincipal(statement.get('Principal'), asking) : !namesPrincipal(statement.get('NotPrincipal'), asking);
}

/** Principals are compared whole: a wildcard is only ever the entire value. `"*"` and `{"AWS":"*"}` both mean everybody, federated or not. */
function namesPrincipal(principal: Json | undefined, asking: TrustRequest['principal']): boolean {
  if (principal === '*') return true;
  if (!(principal instanceof Map)) return false;
  return [...principal].some(([kind, values]) =>
    listOf(values).some((value) => {
      if (typeof value !== 'string') return false;
      if (kind === 'AWS' && value === '*') return true;
      return kind === asking.kind && asking.names.includes(kind === 'AWS' ? rootOf(value) : value);
    }),
  );
}

/** An account number is another way to write that account's root. */
function rootOf(principal: string): string {
  return /^\d{12}$/.test(principal) ? `arn:aws:iam::${principal}:root` : principal;
}

function matchesCondition(condition: Json | undefined, context: ContextIndex, hasVariables: boolean): boolean {
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
