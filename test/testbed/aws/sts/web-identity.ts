import { notAuthorized } from '../aws-error.ts';
import type { Operation } from '../operation.ts';
import { required } from '../params.ts';
import { evaluateTrust } from '../policy/evaluate.ts';
import { globalContext } from '../request-context.ts';
import { checkDuration, readRoleRequest } from './role-request.ts';
import { openSession } from './session.ts';
import { verifyToken } from './token.ts';

/**
 * sts:AssumeRoleWithWebIdentity. The request is read first, then the token is verified, then the role is looked at: a role that is missing
 * and one that does not trust the token get the same sentence.
 */
export const assumeRoleWithWebIdentity: Operation = async (call) => {
  const token = required(call.params, 'WebIdentityToken');
  const { account, role, sessionName, seconds } = readRoleRequest(call);
  const { provider, subject, audience } = await verifyToken(call.world, account, token, call.at);
  const decision =
    role &&
    evaluateTrust({
      document: role.trustPolicy,
      request: {
        action: 'sts:AssumeRoleWithWebIdentity',
        principal: { kind: 'Federated', names: [provider.arn] },
        // Without aws:FederatedProvider: it belongs to the session that this call is about to open. Without azp, amr, email: no such claims.
        context: {
          ...globalContext(call),
          'sts:RoleSessionName': sessionName,
          [`${provider.url}:sub`]: subject,
          [`${provider.url}:aud`]: audience,
        },
      },
    });
  if (account === undefined || role === undefined || decision !== 'allowed')
    throw notAuthorized({ service: 'sts', operation: 'AssumeRoleWithWebIdentity' });
  checkDuration(role, seconds);
  return {
    ...openSession(call, account, role, { sessionName, seconds }),
    SubjectFromWebIdentityToken: subject,
    Audience: audience,
    Provider: provider.arn,
  };
};
