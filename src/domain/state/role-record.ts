import type { RoleArn } from '../../api/arn.ts';
import type { Finding } from '../../api/finding.ts';
import { type Contention, NO_CONTENTION } from './contention.ts';
import type { UndoneSubjects } from './undone.ts';

/** Why the role is not written for now. It stays the reason until another attempt has shown what is so. Times are epoch milliseconds. */
export interface Hold {
  /** Since when attempts end like this. */
  readonly since: number;
  readonly until: number;
  readonly finding: Finding;
  /** Nothing but a revocation is written, because the role's owner wants it so; otherwise IAM takes no write at all. */
  readonly allowsRevocation: boolean;
}

/** The tags of a role, which only a read of the role by itself shows. */
export interface RoleTags {
  readonly values: ReadonlyMap<string, string>;
  readonly asOf: number;
  /** When they were first seen to be these. */
  readonly since: number;
}

/** A write that a read may not show yet. */
export interface PendingWrite {
  readonly at: number;
  /** What was sent. */
  readonly policy: string;
  /** No answer came: it stands, or it was never made. */
  readonly unanswered?: true;
}

/** A write waits for bindings of the role that are on their way. */
export interface Debounce {
  readonly since: number;
  /** How many of them had no intent yet, and since when they were so many. */
  readonly awaited: number;
  readonly progressAt: number;
}

/** What is remembered of our own writes to a role. */
export interface WriteState {
  /** The one that was not read back at all its ages yet. */
  readonly pending: PendingWrite | undefined;
  /** Undefined: the next one waits for no binding. */
  readonly debounce: Debounce | undefined;
  /** How many in a row were overwritten before they were confirmed, and until when the next one waits for that. */
  readonly conflicts: number;
  readonly retryAt: number | undefined;
  /** The policy as the last confirmed one left it: taking ours out of it later is a revert. */
  readonly confirmed: string | undefined;
  /** By reverts of what was confirmed. */
  readonly contention: Contention;
  /** By subject: until when a revocation for which there was no evidence is not tried again. */
  readonly unconfirmed: ReadonlyMap<string, number>;
  readonly undone: UndoneSubjects;
}

export const NO_WRITES: WriteState = {
  pending: undefined,
  debounce: undefined,
  conflicts: 0,
  retryAt: undefined,
  confirmed: undefined,
  contention: NO_CONTENTION,
  unconfirmed: new Map(),
  undone: new Map(),
};

/** Its tags decide to whom it may be named. */
export interface OtherRole {
  readonly arn: string;
  readonly tags: ReadonlyMap<string, string>;
}

/** A role as it was read last. */
export interface RoleRecord {
  readonly arn: RoleArn;
  /** When the read was sent: what was asked before a write says nothing about what came of it. Epoch milliseconds. */
  readonly asOf: number;
  readonly state:
    | {
        readonly kind: 'present';
        readonly roleId: string;
        /** The trust policy, URL-decoded. */
        readonly policy: string;
        readonly writes: WriteState;
        /** A write that was refused is not tried again before its time, unless the role changes. */
        readonly hold: Hold | undefined;
        /** Undefined while the role was seen in lists only. */
        readonly tags: RoleTags | undefined;
      }
    /** `since` is when IAM said so first: it counts when IAM still says so later. `foundAs` is the role that IAM has by that name, under another ARN. */
    | { readonly kind: 'missing'; readonly since: number; readonly foundAs: OtherRole | undefined; readonly pending?: PendingWrite }
    | { readonly kind: 'unreadable'; readonly since: number; readonly why: string; readonly pending?: PendingWrite };
}

/** A role is gone when IAM said so twice, this far apart. */
export const GONE_AFTER_MS = 60_000;

export function isGone({ asOf, state }: RoleRecord): boolean {
  return state.kind === 'missing' && asOf - state.since >= GONE_AFTER_MS;
}

export type PresentState = Extract<RoleRecord['state'], { kind: 'present' }>;

/** When it was read by itself, and 0 before: a list may be newer, and shows no tags. */
export function readByNameAt({ asOf, state }: RoleRecord): number {
  return state.kind === 'present' ? (state.tags?.asOf ?? 0) : asOf;
}

/** A write stays in doubt also while the role cannot be read. */
export function pendingIn(record: RoleRecord | undefined): PendingWrite | undefined {
  const state = record?.state;
  return state?.kind === 'present' ? state.writes.pending : state?.pending;
}
