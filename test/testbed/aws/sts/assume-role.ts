import { AwsError, validationError } from '../aws-error.ts';
import type { Operation } from '../operation.ts';
import { optional } from '../params.ts';
import { evaluateTrust } from '../policy/evaluate.ts';
import { callerContext } from '../request-context.ts';
import { checkDuration, readRoleRequest } from './role-request.ts';
import { openSession, requestContext } from './session.ts';

/** A session that was opened from another session lasts an hour at most (IAM user guide, "Role chaining"). */
const CHAINED_SESSION_SECONDS = 3_600;

/** sts:AssumeRole for a user or a role session: what the role's trust policy says of that principal. */
export const assumeRole: Operation = (call) => {
  const { caller } = call;
  const { roleArn, account, role, sessionName, seconds } = readRoleRequest(call);
  const externalId = optional(call.params, 'ExternalId');
  const decision =
    role &&
    evaluateTrust({
      document: role.trustPolicy,
      request: {
        action: 'sts:AssumeRole',
        principal: { kind: 'AWS', names: caller.names },
        context: {
          ...requestContext(call, sessionName),
          ...callerContext(call),
          ...(externalId === undefined ? {} : { 'sts:ExternalId': externalId }),
        },
      },
    });
  if (account === undefined || role === undefined || decision !== 'allowed')
    throw new AwsError('AccessDenied', 403, `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`);
  checkDuration(role, seconds);
  if (seconds > CHAINED_SESSION_SECONDS && caller.arn.includes(':assumed-role/'))
    throw validationError('The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining');
  return openSession(call, account, role, sessionName, seconds);
};
