import type { Identity } from '../domain/state/identity.ts';
import { caller, cluster } from '../domain/test-observed.ts';
import type { OwnedStores } from './stores.ts';

/** What the controller of the cluster leaves once AWS and the API server have answered. */
export function putIdentity(
  { identity, accounts, irsaAccounts, sweptAccounts }: Pick<OwnedStores, 'identity' | 'accounts' | 'irsaAccounts' | 'sweptAccounts'>,
  part: Partial<Identity> & { readonly policyQuota?: number } = {},
): void {
  const { policyQuota = 2048, ...rest } = part;
  const found = { cluster, caller, ...rest };
  if (found.caller.kind === 'known') {
    sweptAccounts.put({ account: found.caller.account });
    accounts.put({ account: found.caller.account, access: { kind: 'reached', callerArn: found.caller.arn, policyQuota } });
  }
  irsaAccounts.markSynced();
  accounts.markSynced();
  identity.put(found);
}
