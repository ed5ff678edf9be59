import { issueKeys, sessionCaller } from '../credentials.ts';
import type { Answer, Call } from '../operation.ts';
import { optional } from '../params.ts';
import type { Account, Role, SessionTags } from '../world.ts';

/** Opens a session of the role: what the two ways to assume a role answer alike. */
export function openSession(
  call: Call,
  account: Account,
  role: Role,
  { sessionName, seconds, tags }: { sessionName: string; seconds: number; tags?: SessionTags },
): Answer {
  const expires = new Date(call.at.getTime() + seconds * 1_000);
  const caller = { ...sessionCaller(account, role, sessionName), sessionPolicy: optional(call.params, 'Policy'), tags };
  const keys = issueKeys(call.world, caller, expires);
  account.lastUsed.set(role.id, call.at);
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
