import { AwsError, notAuthorized } from './aws-error.ts';
import type { JournalEntry } from './journal.ts';
import { accountOfCaller, type Call, roleOfCaller } from './operation.ts';
import { evaluateIdentityPolicy } from './policy/identity-policy.ts';
import { contextOf } from './request-context.ts';
import { actionsOfAssumeRole } from './sts/session-tags.ts';
import { type Target, targetOf } from './target.ts';
import type { Caller } from './world.ts';

/** The kinds of policies that limit a caller, as AWS names them in a refusal; the order in which it looks for a Deny. */
type PolicyKind = 'service control policy' | 'identity-based policy' | 'session policy';

/**
 * Whether the caller's own policies let it do this: each policy that there is must allow, and none may deny. A caller without identity
 * policy (a user, or a role that was given none) may do everything in its account. Throws AccessDenied in AWS's sentences (IAM user guide,
 * "Troubleshoot access denied error messages").
 *
 * Stricter than AWS in one point: sts:AssumeRole must always be allowed here, where a trust policy of the same account that names the
 * caller itself would do.
 */
export function authorize(call: Call, { service, operation }: { service: string; operation: string }): Authorization {
  if (isAnonymous(call.caller) || operation === 'GetCallerIdentity') return {}; // no policy of a caller can forbid these
  const actions = operation === 'AssumeRole' ? actionsOfAssumeRole(call) : [operation];
  const [allowedBy, tagSessionAllowedBy] = actions.map((action) => allow(call, `${service}:${action}`, targetOf(call, action)));
  return { allowedBy, tagSessionAllowedBy };
}

/** Sids of the identity policy that allowed, for the journal. */
type Authorization = Pick<JournalEntry, 'allowedBy' | 'tagSessionAllowedBy'>;

function allow(call: Call, action: string, target: Target): readonly string[] | undefined {
  const context = contextOf(call, target);
  const decisions = policiesOf(call).map(({ kind, document }) => ({
    kind,
    ...evaluateIdentityPolicy(document, { action, resource: target.resource, context }),
  }));
  const denied = decisions.find(({ decision }) => decision === 'explicitDeny') ?? decisions.find(({ decision }) => decision !== 'allowed');
  if (denied !== undefined) throw refusal(call.caller, action, target, denied.kind, denied.decision === 'explicitDeny');
  return decisions.find(({ kind }) => kind === 'identity-based policy')?.sids;
}

/** What a call is answered that a policy of this kind stops: an organisation forbids by a Deny, a role lacks an Allow. */
export function refusedBy(call: Call, action: { service: string; operation: string }, kind: PolicyKind): AwsError {
  if (isAnonymous(call.caller)) return notAuthorized(action);
  const name = `${action.service}:${action.operation}`;
  return refusal(call.caller, name, targetOf(call, action.operation), kind, kind === 'service control policy');
}

const isAnonymous = (caller: Caller): boolean => caller.accountId === '';

function refusal(caller: Caller, action: string, { named }: Target, kind: PolicyKind, explicit: boolean): AwsError {
  const a = kind === 'identity-based policy' ? 'an' : 'a';
  const why = explicit ? `with an explicit deny in ${a} ${kind}` : `because no ${kind} allows the ${action} action`;
  return new AwsError('AccessDenied', 403, `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${named} ${why}`);
}

function policiesOf(call: Call): { kind: PolicyKind; document: string }[] {
  const documents: [PolicyKind, string | undefined][] = [
    ['service control policy', accountOfCaller(call).serviceControlPolicy],
    ['identity-based policy', roleOfCaller(call)?.identityPolicy],
    ['session policy', call.caller.sessionPolicy],
  ];
  return documents.flatMap(([kind, document]) => (document === undefined ? [] : [{ kind, document }]));
}
