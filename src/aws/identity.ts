import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { arnOwner, parseRoleArn, roleArnParts } from '../api/arn.ts';
import { Fault } from '../api/fault.ts';
import { isProblem } from '../api/problem.ts';
import type { CallerView, OwnRole } from '../domain/state/identity.ts';

import type { AwsCalls } from './calls.ts';

/**
 * Whom AWS takes us for. `webIdentityRole` is the ARN of the role that our own token is for, from which a profile may lead on to another: who
 * could assume that one would be us too. Needs no permission. Throws `Fault` and nothing else.
 */
export async function callerIdentity(
  sts: STSClient,
  call: AwsCalls,
  webIdentityRole: string | undefined,
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
  return { kind: 'known', account, arn, ownRoles: [...roleOfSession(arn, account), ...roleOfArn(webIdentityRole ?? '')] };
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
