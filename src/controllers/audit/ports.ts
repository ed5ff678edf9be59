import type { BindingEvent } from '../../ports/events.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { OwnedStores, Stores } from '../stores.ts';

/** Told in the operator's own namespace, never in the tenant's. Never blocks and never throws: an event that does not get through is dropped. */
export interface AuditEvents {
  record(event: BindingEvent): void;
}

export interface AuditOptions {
  readonly stores: Stores;
  readonly owned: Pick<OwnedStores, 'audits'>;
  readonly events: AuditEvents;
  readonly clock: Clock;
}
