import type { ObjectName, Workload } from '../../api/cluster.ts';
import type { Policy } from '../../api/names.ts';
import type { Trial } from '../../domain/confinement/confinement.ts';
import type { OwnEvents } from '../../ports/events.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Stores } from '../stores.ts';

/** What a dry run is of. A policy that concerns no object has the operator's ServiceAccount as its target. */
export interface Target extends ObjectName {
  readonly uid?: string;
  /** Of a workload. */
  readonly kind?: Workload['kind'];
}

/** What the API server answers about the operator itself. Nothing is changed. Every method throws `Fault` and nothing else. */
export interface ConfinementRequests {
  /** The ServiceAccount as which the operator runs. Undefined: it runs as another user. */
  self(signal: AbortSignal): Promise<ObjectName | undefined>;
  /** Whether RBAC gives the right that the policy confines. Without it a dry run would be refused, and prove nothing. */
  hasRight(policy: Policy, target: Target, signal: AbortSignal): Promise<boolean>;
  try(policy: Policy, target: Target, signal: AbortSignal): Promise<Trial>;
}

export interface ConfinementOptions {
  readonly stores: Stores;
  readonly requests: ConfinementRequests;
  readonly events: OwnEvents;
  /** Undefined: unknown. */
  readonly metrics: { confined(policy: Policy, is: boolean | undefined): void };
  readonly clock: Clock;
}
