import type { OwnEvents } from '../../ports/events.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Stores } from '../stores.ts';

export interface GrantOptions {
  readonly stores: Pick<Stores, 'grants'>;
  readonly events: OwnEvents;
  readonly clock: Clock;
}
