import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { accountOfArn } from '../api/arn.ts';
import { Fault } from '../api/fault.ts';
import type { CallerView, OwnRole } from '../binding/observed.ts';
import type { AwsCalls } from './calls.ts';

/** Whom AWS takes us for. Needs no permission. Throws `Fault` and nothing else. */
export async function callerIdentity(sts: STSClient, call: AwsCalls, signal: AbortSignal): Promise<CallerView> {
  const { Arn: arn } = await call({
    service: 'sts',
    operation: 'GetCallerIdentity',
    of: 'our credentials',
    signal,
    send: (options) => sts.send(new GetCallerIdentityCommand({}), options),
  });
  const account = arn === undefined ? undefined : accountOfArn(arn);
  if (arn === undefined || account === undefined) throw new Fault('transient', `sts:GetCallerIdentity answered with the ARN "${arn}"`);
  return { kind: 'known', account, arn, ownRole: roleOfSession(arn, account) };
}

/** `arn:aws:sts::111122223333:assumed-role/NAME/SESSION`: the session shows the name of the role, not its path. */
function roleOfSession(arn: string, account: string): OwnRole | undefined {
  const name = /:assumed-role\/([^/]+)\//.exec(arn)?.[1];
  return name === undefined ? undefined : { account, name };
}
