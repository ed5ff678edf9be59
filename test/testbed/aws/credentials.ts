import { randomBytes } from 'node:crypto';
import { arnOf } from './arn.ts';
import { AwsError, invalidClientToken } from './aws-error.ts';
import type { SignableRequest } from './signature/signature.ts';
import { readAuthorization, verifySignature } from './signature/verify.ts';
import { type Account, type Caller, type Credential, type Role, type User, uniqueId, type World } from './world.ts';

/** What an SDK is given to sign with. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

export function userCaller(account: Account, user: User): Caller {
  return { accountId: account.id, arn: user.arn, userId: user.id, names: [user.id, user.arn, arnOf(account, 'iam', 'root')] };
}

export function sessionCaller(account: Account, role: Role, sessionName: string): Caller {
  const arn = arnOf(account, 'sts', `assumed-role/${role.name}/${sessionName}`);
  return {
    accountId: account.id,
    arn,
    userId: `${role.id}:${sessionName}`,
    names: [arn, role.id, role.arn, arnOf(account, 'iam', 'root')],
  };
}

/** Makes keys for a caller: long-lived ones, or a session's that end at `expires`. */
export function issueKeys(world: World, caller: Caller, expires?: Date): Keys {
  const accessKeyId = uniqueId(expires === undefined ? 'AKIA' : 'ASIA');
  const session = expires === undefined ? undefined : { token: randomBytes(120).toString('base64'), expires };
  const secret = randomBytes(30).toString('base64');
  world.credentials.set(accessKeyId, { secret, session, caller });
  return { accessKeyId, secretAccessKey: secret, sessionToken: session?.token };
}

/**
 * Who signed, once the signature holds for `service`. Throws the errors of the real service for no signature, an unknown key, a session
 * that is over, and a signature that is wrong or old.
 */
export function identify(world: World, request: SignableRequest, service: string, at: Date): Caller {
  const authorization = readAuthorization(request.headers.get('authorization'));
  const credential = livingCredential(world, authorization.accessKeyId, request.headers.get('x-amz-security-token'), at);
  verifySignature(request, authorization, service, credential.secret, at);
  return credential.caller;
}

/** Also of a key that is good for nothing any more; empty for one that was never given out. */
export function accountOfKey(world: World, accessKeyId: string): string {
  return world.credentials.get(accessKeyId)?.caller.accountId ?? '';
}

/** Throws InvalidClientTokenId and ExpiredToken. */
export function livingCredential(world: World, accessKeyId: string, token: string | undefined, at: Date): Credential {
  const credential = world.credentials.get(accessKeyId);
  if (credential === undefined || credential.session?.token !== token || !lives(world, credential)) throw invalidClientToken();
  if (credential.session !== undefined && credential.session.expires <= at)
    throw new AwsError('ExpiredToken', 403, 'The security token included in the request is expired');
  return credential;
}

/** Every session in the account is over at `at`. */
export function expireSessions(world: World, account: Account, at: Date): void {
  for (const [accessKeyId, { session, ...rest }] of world.credentials)
    if (session !== undefined && rest.caller.accountId === account.id)
      world.credentials.set(accessKeyId, { ...rest, session: { ...session, expires: at } });
}

/** Keys die with their user or role. */
function lives(world: World, { caller }: Credential): boolean {
  return caller.names.some((name) => world.principals.has(name));
}
