import { issueKeys, sessionCaller } from '../credentials.ts';
import type { Answer, Call } from '../operation.ts';
import type { RequestContext } from '../policy/context.ts';
import type { Account, Role } from '../world.ts';

/** What every request to STS has in its context, whoever asks (IAM user guide, "AWS global condition context keys"). */
export function requestContext(call: Call, sessionName: string): RequestContext {
  return {
    'aws:CurrentTime': call.at.toISOString(),
    'aws:EpochTime': String(Math.floor(call.at.getTime() / 1_000)),
    'aws:SecureTransport': 'true', // as at the real service; that the double has no TLS is nobody's business
    'aws:SourceIp': call.sourceIp,
    'aws:UserAgent': call.userAgent,
    'sts:RoleSessionName': sessionName,
  };
}

/** Opens a session of the role: what the two ways to assume a role answer alike. */
export function openSession(call: Call, account: Account, role: Role, sessionName: string, seconds: number): Answer {
  const expires = new Date(call.at.getTime() + seconds * 1_000);
  const caller = sessionCaller(account, role, sessionName);
  const keys = issueKeys(call.world, caller, expires);
  role.lastUsed = call.at;
  return {
    Credentials: {
      AccessKeyId: keys.accessKeyId,
      SecretAccessKey: keys.secretAccessKey,
      SessionToken: keys.sessionToken,
      Expiration: expires,
    },
    AssumedRoleUser: { AssumedRoleId: caller.userId, Arn: caller.arn },
  };
}
