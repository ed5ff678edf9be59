import { type AccountStatus, accountStatus, type IrsaAccount } from '../api/account.ts';
import { STATUS_FIELD_MANAGER } from '../api/names.ts';
import { mergePatch } from './apply.ts';
import { IRSA_ACCOUNT } from './resource-types.ts';
import type { Requests } from './transport.ts';

/** A merge patch removes what is null. */
const NOTHING = Object.fromEntries(Object.keys(accountStatus.shape).map((field) => [field, null]));

/** Writes the whole status of an account that was looked at. Throws `Fault` and nothing else. */
export async function reportAccount(
  requests: Requests,
  { account, uid }: IrsaAccount,
  status: AccountStatus,
  signal: AbortSignal,
): Promise<void> {
  const target = { type: IRSA_ACCOUNT, name: account, uid };
  const write = { manager: STATUS_FIELD_MANAGER, subresource: 'status' } as const;
  await mergePatch(requests, target, { status: { ...NOTHING, ...status } }, write, signal);
}
