import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { arnOwner, parseRoleArn, roleArnParts } from '../api/arn.ts';
import { Fault } from '../api/fault.ts';
import { isProblem } from '../api/problem.ts';
import type { CallerView, OwnRole } from '../domain/state/identity.ts';

import type { AwsCalls } from './calls.ts';
import { rolesOfProfile } from './profile.ts';

/** Where the SDK finds our credentials, as far as that tells of roles. */
export interface OwnCredentials {
  /** The ARN of the role that our own token is for. */
  readonly webIdentityRole: string | undefined;
  /** In the shared config files; undefined: they are not asked. */
  readonly profile: string | undefined;
}

/**
 * Whom AWS takes us for, and each role on the way to that: who could assume one of them would be us too. Not known are roles that no text names:
 * that of an instance or container from which a profile goes on, and those behind a `credential_process`. Needs no permission. Throws `Fault`
 * and nothing else.
 */
export async function callerIdentity(
  sts: STSClient,
  call: AwsCalls,
  { webIdentityRole, profile }: OwnCredentials,
  signal: AbortSignal,
): Promise<CallerView> {
  const { Arn: arn } = await call({
    service: 'sts',
    operation: 'GetCallerIdentity',
    of: 'the credentials',
    signal,
    send: (options) => sts.send(new GetCallerIdentityCommand({}), options),
  });
  const account = arn === undefined ? undefined : arnOwner(arn)?.account;
  if (arn === undefined || account === undefined) throw new Fault('transient', `sts:GetCallerIdentity answered with the ARN "${arn}"`);
  const assumed = profile === undefined ? [] : await rolesOfProfile(profile);
  const ownRoles = [...roleOfSession(arn, account), ...[webIdentityRole ?? '', ...assumed].flatMap(roleOfArn)];
  return { kind: 'known', account, arn, ownRoles: [...new Map(ownRoles.map((own) => [`${own.account}/${own.name}`, own])).values()] };
}

/** `arn:aws:sts::111122223333:assumed-role/NAME/SESSION`: the session shows the name of the role, not its path. */
function roleOfSession(arn: string, account: string): OwnRole[] {
  const name = /:assumed-role\/([^/]+)\//.exec(arn)?.[1];
  return name === undefined ? [] : [{ account, name }];
}

function roleOfArn(text: string): OwnRole[] {
  const arn = parseRoleArn(text);
  if (isProblem(arn)) return []; // unset, or one with which the SDK gets no credentials either
  const { account, name } = roleArnParts(arn);
  return [{ account, name }];
}
