import type { RoleArn } from '../../api/arn.ts';
import type { Loss } from '../../domain/authorization/loss.ts';
import type { OwnEvents } from '../../ports/events.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { OwnedStores, Stores } from '../stores.ts';

/** The record as it lies in the operator's own namespace. Every method throws `Fault` and nothing else. */
export interface RevocationRecord {
  /** What was written last, past every cache; undefined where there is nothing. */
  read(signal: AbortSignal): Promise<string | undefined>;
  /** Over what was read or written last; a `conflict` where somebody else wrote since. */
  write(text: string, signal: AbortSignal): Promise<void>;
}

export interface LedgerOptions {
  readonly owned: Pick<OwnedStores, 'losses'>;
  readonly record: RevocationRecord;
  readonly log: Log;
}

export interface RevocationOptions {
  readonly stores: Stores;
  /** Writes down all losses of a role: they are in the store when it resolves. */
  readonly ledger: { put(role: RoleArn, losses: readonly Loss[], signal: AbortSignal): Promise<void> };
  readonly ungrantedGraceMs: number;
  readonly events: OwnEvents;
  readonly clock: Clock;
}
