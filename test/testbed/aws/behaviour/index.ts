import type { Clock, Random } from '../clock.ts';
import { createFaultScript, type FaultScript } from './faults.ts';
import { createTokenBuckets, type Limit, type TokenBuckets } from './token-buckets.ts';

export type { RunningFault, ScriptedFault } from './faults.ts';

/** How the services behave beyond their rules. What is not given is off: no delay, no limit, every read is fresh. */
export interface Behaviour {
  /** Each call takes between so many milliseconds and so many, before anything is done. */
  readonly latencyMs?: readonly [least: number, most: number];
  /** Per account, by action: `{ 'iam:UpdateAssumeRolePolicy': { perSecond: 5, burst: 5 } }`. */
  readonly limits?: Readonly<Record<string, Limit>>;
  /** How many milliseconds behind the newest state a reader may be; each answer is drawn anew. Writes see the newest state always. */
  readonly staleMs?: {
    readonly GetRole?: number;
    readonly ListRoles?: number;
    /** What the role's trust policy is to STS, and whether the role is there at all. */
    readonly STS?: number;
  };
}

/** The behaviour in force, with what it has to remember. */
export interface Conditions {
  behaviour: Behaviour;
  readonly clock: Clock;
  readonly random: Random;
  readonly buckets: TokenBuckets;
  readonly faults: FaultScript;
  /** Unique ID to the time (epoch milliseconds) until which replicas show it in place of the ARN, although the principal lives. */
  readonly unresolved: Map<string, number>;
}

export function fairConditions(clock: Clock, random: Random): Conditions {
  return {
    behaviour: {},
    clock,
    random,
    buckets: createTokenBuckets(() => clock.now()),
    faults: createFaultScript(),
    unresolved: new Map(),
  };
}
