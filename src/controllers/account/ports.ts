import type { AccountSpec, AccountStatus, IrsaAccount } from '../../api/account.ts';
import type { AccountId } from '../../api/arn.ts';
import type { Issuer } from '../../api/issuer.ts';
import type { Urgency } from '../../runtime/queue.ts';
import type { OwnedStores, Stores } from '../stores.ts';

/** The ways into other accounts. Every method throws `Fault` and nothing else. */
export interface MemberPorts {
  /** Gets into the account as its object says. Answers with whom AWS takes us for there. */
  enter(spec: AccountSpec, issuer: Issuer, signal: AbortSignal): Promise<string>;
  /** Its object is gone: nothing is kept for it. */
  leave(account: AccountId): void;
  policyQuota(account: AccountId, signal: AbortSignal, urgency: Urgency): Promise<number>;
  report(account: IrsaAccount, status: AccountStatus, signal: AbortSignal): Promise<void>;
}

export interface AccountOptions {
  readonly stores: Stores;
  readonly owned: Pick<OwnedStores, 'accounts'>;
  readonly ports: MemberPorts;
  readonly clock: { now(): number };
}
