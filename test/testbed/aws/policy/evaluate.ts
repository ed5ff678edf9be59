import { indexContext, type RequestContext } from './context.ts';
import { type Json, type JsonObject, listOf } from './json.ts';
import { type Decision, decide, matchesAction, matchesCondition, readPolicy } from './statement.ts';

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
  return decide(
    policy.statements
      .filter((statement) => matchesPrincipal(statement, request.principal) && matchesAction(statement, request.action))
      .filter((statement) => matchesCondition(statement.get('Condition'), context, policy.hasVariables)),
  );
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
      return kind === asking.kind && asking.names.some((name) => name === value || (kind === 'AWS' && isRootOf(name, value)));
    }),
  );
}

/** An account number is another way to write that account's root. */
function isRootOf(name: string, principal: string): boolean {
  return /^\d{12}$/.test(principal) && name.endsWith(`:iam::${principal}:root`);
}
