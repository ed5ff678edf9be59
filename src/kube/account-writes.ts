import { type AccountStatus, accountStatus, type IrsaAccount } from '../api/account.ts';
import { reportStatus } from './report-status.ts';
import { IRSA_ACCOUNT } from './resource-types.ts';
import type { Requests } from './transport.ts';

/** Writes the status of an account that was looked at. Throws `Fault` and nothing else. */
export async function reportAccount(
  requests: Requests,
  { account, uid }: IrsaAccount,
  status: AccountStatus,
  signal: AbortSignal,
): Promise<void> {
  await reportStatus(requests, { type: IRSA_ACCOUNT, name: account, uid }, accountStatus, status, signal);
}
