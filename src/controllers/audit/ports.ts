import type { OwnEvents } from '../../ports/events.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { OwnedStores, Stores } from '../stores.ts';

export interface AuditOptions {
  readonly stores: Stores;
  readonly owned: Pick<OwnedStores, 'audits'>;
  readonly events: OwnEvents;
  readonly clock: Clock;
}
