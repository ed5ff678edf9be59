import { type ContextIndex, indexContext, type RequestContext } from './context.ts';
import { type Json, type JsonObject, listOf } from './json.ts';
import { arnLike, filler } from './operators.ts';
import { type Decision, decide, matchesAction, matchesCondition, readPolicy } from './statement.ts';

export interface ActionRequest {
  /** For example `iam:GetRole`. */
  readonly action: string;
  /** ARN of what is acted on, or `*` for an action that has no resource. */
  readonly resource: string;
  readonly context: RequestContext;
}

export interface IdentityDecision {
  readonly decision: Decision;
  /** Of the statements that decided; one without Sid is `statement 2`. */
  readonly sids: readonly string[];
}

/**
 * Decides a request against one policy of its caller: an identity-based policy, a service control policy, a session policy. Which of them
 * must allow is the caller's business. Source: IAM user guide, "Policy evaluation logic", "Resource".
 */
export function evaluateIdentityPolicy(document: string, request: ActionRequest): IdentityDecision {
  const policy = readPolicy(document);
  if (policy === undefined) return { decision: 'implicitDeny', sids: [] };
  const context = indexContext(request.context);
  const matching = policy.statements.filter(
    (statement) =>
      matchesAction(statement, request.action) &&
      matchesResource(statement, request.resource, context, policy.hasVariables) &&
      matchesCondition(statement.get('Condition'), context, policy.hasVariables),
  );
  const decision = decide(matching);
  const effect = decision === 'explicitDeny' ? 'Deny' : 'Allow';
  const decisive = matching.filter((statement) => statement.get('Effect') === effect);
  return { decision, sids: decisive.map((statement) => sidOf(statement, policy.statements)) };
}

export function sidOf(statement: JsonObject, statements: readonly JsonObject[]): string {
  return String(statement.get('Sid') ?? `statement ${statements.indexOf(statement) + 1}`);
}

function matchesResource(statement: JsonObject, resource: string, context: ContextIndex, hasVariables: boolean): boolean {
  const fill = filler(context, hasVariables);
  const named = (resources: Json | undefined): boolean =>
    listOf(resources).some((wanted) => typeof wanted === 'string' && (wanted === '*' || arnLike(resource, wanted, fill)));
  const has = { resource: statement.has('Resource'), notResource: statement.has('NotResource') };
  if (has.resource === has.notResource) return false; // exactly one of the two must be there
  return has.resource ? named(statement.get('Resource')) : !named(statement.get('NotResource'));
}
