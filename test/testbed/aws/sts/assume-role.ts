import { AwsError, validationError } from '../aws-error.ts';
import type { Operation } from '../operation.ts';
import { bounded, optional } from '../params.ts';
import { evaluateTrust } from '../policy/evaluate.ts';
import { contextOf } from '../request-context.ts';
import { targetOf } from '../target.ts';
import { checkDuration, readRoleRequest } from './role-request.ts';
import { openSession } from './session.ts';
import { actionsOfAssumeRole, sessionTagsOf } from './session-tags.ts';

/** A session that was opened from another session lasts an hour at most (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html, "Role chaining"). */
const CHAINED_SESSION_SECONDS = 3_600;

/** Bounds of the API model (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html). */
const EXTERNAL_ID = { min: 2, max: 1_224, pattern: /^[\w+=,.@:/-]*$/ };

/**
 * sts:AssumeRole for a user or a role session: what the role's trust policy says of that principal; the caller's own policies were asked
 * before (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html).
 *
 * A trust policy that refuses is not named in the sentence. IAM's guide shows a longer one ("because no role trust policy allows the
 * sts:AssumeRole action", https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html), reports of users have this one.
 */
export const assumeRole: Operation = (call) => {
  const { caller } = call;
  const { roleArn, account, role, sessionName, seconds } = readRoleRequest(call);
  const externalId = optional(call.params, 'ExternalId');
  if (externalId !== undefined) bounded(externalId, 'ExternalId', EXTERNAL_ID);
  const principal = { kind: 'AWS', names: caller.names } as const;
  const trusts = (name: string) => {
    const request = { action: `sts:${name}`, principal, context: contextOf(call, targetOf(call, name)) };
    return role !== undefined && evaluateTrust({ document: role.trustPolicy, request }) === 'allowed';
  };
  const tags = sessionTagsOf(call);
  const refused = actionsOfAssumeRole(call).find((action) => !trusts(action));
  if (account === undefined || role === undefined || refused !== undefined)
    throw new AwsError('AccessDenied', 403, `User: ${caller.arn} is not authorized to perform: sts:${refused} on resource: ${roleArn}`);
  checkDuration(role, seconds);
  if (seconds > CHAINED_SESSION_SECONDS && caller.arn.includes(':assumed-role/'))
    throw validationError('The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining');
  return openSession(call, account, role, { sessionName, seconds, tags });
};
