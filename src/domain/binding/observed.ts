import type { AccountId, RoleArn } from '../../api/arn.ts';
import type { IrsaBinding, RoleEntry } from '../../api/binding.ts';
import type { Namespace, Pod, ServiceAccount, Workload } from '../../api/cluster.ts';
import type { Finding } from '../../api/finding.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import type { Issuer } from '../../api/issuer.ts';
import type { Loss } from '../authorization/grant-loss.ts';
import type { Blocked } from '../pods/restart/attempt.ts';
import { type Fight, peace } from '../state/contention.ts';
import type { Proof } from '../verification/proof.ts';

/** Whom tokens of this cluster come from. Nothing is written while it is not known. */
export type ClusterView = { readonly kind: 'known'; readonly issuer: Issuer } | { readonly kind: 'unknown'; readonly why: string };

/** Who we are to AWS. */
export type CallerView =
  | { readonly kind: 'known'; readonly account: AccountId; readonly arn: string; readonly ownRoles: readonly OwnRole[] }
  | { readonly kind: 'unknown'; readonly why: string };

/** An assumed-role session does not show the path of its role; names are unique in an account without regard to case. */
export interface OwnRole {
  readonly account: string;
  readonly name: string;
}

/** The OIDC provider of this cluster's issuer in one account. */
export type ProviderView =
  | { readonly kind: 'registered'; readonly arn: string; readonly clientIds: readonly string[] }
  /** `similar` are providers of the account whose URL nearly is the issuer; `notCreated` says why we could not register one, where we should. */
  | { readonly kind: 'missing'; readonly similar: readonly string[]; readonly notCreated?: string }
  | { readonly kind: 'unreadable'; readonly why: string };

/** What the trust controller found for one question (role, issuer, subject, audience). */
export type Verdict =
  | ({
      readonly kind: 'allowed';
      readonly managedBy: 'Operator' | 'Others';
      readonly message: string;
      readonly size: PolicySize;
      readonly findings: readonly Finding[];
    } & Standing)
  /** Whether STS would allow it depends on something that we cannot see. */
  | ({ readonly kind: 'unknown'; readonly message: string; readonly size: PolicySize; readonly findings: readonly Finding[] } & Standing)
  | ({
      readonly kind: 'refused';
      readonly finding: Finding;
      /** What the refusal is made of, the most telling first. */
      readonly findings: readonly Finding[];
      readonly size: PolicySize | undefined;
      /** Waits for a change; otherwise it is tried again. */
      readonly terminal: boolean;
      /** What would be written if the binding let us, in words. */
      readonly wouldWrite: string | undefined;
    } & Standing)
  /** Nobody asks for it any more, and nothing of it stands. */
  | { readonly kind: 'released' };

interface Standing {
  /** Our statement names the subject, or may do so: an absence is believed only when no stale read can show it, and no write may be under way. */
  readonly stands: boolean;
}

/** Whether the trust is certain to be gone. */
export const isReleased = (verdict: Verdict | undefined): boolean =>
  verdict !== undefined && (verdict.kind === 'released' || !verdict.stands);

export interface PolicySize {
  readonly characters: number;
  readonly quota: number;
}

/** Why the role is not written for now. It stays the reason until another attempt has shown what is so. Times are epoch milliseconds. */
export interface Hold {
  /** Since when attempts end like this. */
  readonly since: number;
  readonly until: number;
  readonly finding: Finding;
  /** Nothing but a revocation is written, because the role's owner wants it so; otherwise IAM takes no write at all. */
  readonly revocable: boolean;
}

/** The tags of a role, which only a read of the role by itself shows. */
export interface RoleTags {
  readonly values: ReadonlyMap<string, string>;
  readonly asOf: number;
  /** When they were first seen to be these. */
  readonly since: number;
}

/** What is remembered of our own writes to a role. */
export interface OwnWrites {
  /** The one that was not read back at all its ages yet, and what was sent. */
  readonly pending: { readonly at: number; readonly policy: string } | undefined;
  /** Until when the next one waits for more bindings. */
  readonly gathersUntil: number | undefined;
  /** How many in a row were overwritten before they were believed, and until when the next one waits for that. */
  readonly losses: number;
  readonly waitsUntil: number | undefined;
  /** The policy as the last one that was believed left it: whoever takes ours out of it later undoes it. */
  readonly believed: string | undefined;
  /** Who undid what was believed, and when. */
  readonly fight: Fight;
}

export const NO_WRITES: OwnWrites = {
  pending: undefined,
  gathersUntil: undefined,
  losses: 0,
  waitsUntil: undefined,
  believed: undefined,
  fight: peace,
};

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
        readonly own: OwnWrites;
        /** A write that was refused is not tried again before its time, unless the role changes. */
        readonly hold: Hold | undefined;
        /** Undefined while the role was seen in lists only. */
        readonly tags: RoleTags | undefined;
      }
    /** `since` is when IAM said so first: it is believed when it still says so later. */
    /** `foundAs` is the ARN under which IAM knows a role of that name. */
    | { readonly kind: 'missing'; readonly since: number; readonly foundAs: string | undefined }
    | { readonly kind: 'unreadable'; readonly why: string };
}

/** A fresh look that a user asked for by an annotation, and who has looked since. */
export interface Look {
  /** The annotation's value, which the status echoes when the look was done. */
  readonly value: string;
  /** When it was seen first: what was read before is not fresh. Epoch milliseconds. */
  readonly at: number;
  readonly provider: boolean;
  readonly trust: boolean;
}

/** Everything that the decision about one binding rests on, gathered from stores: no call leaves the process for it. */
export interface Observed {
  readonly now: number;
  readonly binding: IrsaBinding;
  readonly namespace: Namespace;
  readonly grants: readonly IrsaGrant[];
  readonly rivals: readonly IrsaBinding[];
  readonly cluster: ClusterView;
  readonly caller: CallerView;
  /** Audiences that open the API server itself. */
  readonly apiAudiences: readonly string[];
  readonly role: RoleRecord | undefined;
  readonly provider: ProviderView | undefined;
  /** For the binding's subject and audience, by the ARN of the role; no entry: pending. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** For the binding's subject, which its rivals share. */
  readonly verdictOn: (entry: Pick<RoleEntry, 'arn' | 'audience'>) => Verdict | undefined;
  /** Why the last attempt to look at a role, or at the provider of an account, came to nothing; undefined where it did not. */
  readonly failureOf: (of: RoleArn | AccountId) => string | undefined;
  /** The binding had a grant and has none any more; undefined in every other case. */
  readonly loss: Loss | undefined;
  /** The CRD of bindings itself is being deleted: nobody asked for an end of this one. */
  readonly retiring: boolean;
  readonly serviceAccount: ServiceAccount | undefined;
  /** Over the annotations of this ServiceAccount. */
  readonly fight: Fight;
  /** A fresh look that the user asked for. */
  readonly look: Look | undefined;
  readonly pods: readonly Pod[];
  /** All of the namespace. */
  readonly workloads: readonly Workload[];
  /** In the namespace of the binding. */
  readonly serviceAccountExists: (name: string) => boolean;
  readonly blocked: ReadonlyMap<string, Blocked>;
  /** What STS said so far, of this binding or of what it was before. */
  readonly proof: Proof | undefined;
}
