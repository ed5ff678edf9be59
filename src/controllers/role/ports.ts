import type { RoleArn } from '../../api/arn.ts';
import type { ObjectKey } from '../../api/cluster.ts';
import type { APIReader } from '../../ports/api-reader.ts';
import type { BindingEvents, OwnEvents } from '../../ports/events.ts';
import type { Roles } from '../../ports/roles.ts';
import type { Clock, Random } from '../../runtime/clock.ts';
import type { OwnedStores, Stores } from '../stores.ts';

/** What the role controller counts. */
export interface RoleMetrics {
  wrote(result: 'written' | 'rejected'): void;
  drifted(): void;
  repaired(): void;
}

export interface ReadBacks {
  /** Whether a read-back that is due since then, in epoch milliseconds, is left to the next list. */
  leaves(arn: RoleArn, dueAt: number): boolean;
}

export interface RoleOptions {
  readonly stores: Stores;
  readonly owned: Pick<OwnedStores, 'roles' | 'verdicts' | 'roleFailures' | 'roleRefreshes'>;
  readonly roles: Pick<Roles, 'read' | 'edit'>;
  readonly readBacks: ReadBacks;
  /** Whether the binding controller has the binding in hand, or it waits for its turn there. */
  readonly isUnderway: (binding: ObjectKey) => boolean;
  readonly apiReader: APIReader;
  readonly events: BindingEvents;
  readonly ownEvents: OwnEvents;
  readonly metrics: RoleMetrics;
  readonly clock: Clock;
  readonly random: Random;
}
