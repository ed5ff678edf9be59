import type { AccountId, RoleArn } from '../api/arn.ts';
import type { IrsaBinding } from '../api/binding.ts';
import type { Namespace, Pod, ServiceAccount, Workload } from '../api/cluster.ts';
import type { Finding } from '../api/finding.ts';
import type { IrsaGrant } from '../api/grant.ts';
import type { Issuer } from '../api/issuer.ts';
import type { Blocked } from './restarts.ts';

/** Whom tokens of this cluster come from. Nothing is written while it is not known. */
export type ClusterView = { readonly kind: 'known'; readonly issuer: Issuer } | { readonly kind: 'unknown'; readonly why: string };

/** Who we are to AWS. */
export type CallerView =
  | { readonly kind: 'known'; readonly account: AccountId; readonly arn: string; readonly ownRole: OwnRole | undefined }
  | { readonly kind: 'unknown'; readonly why: string };

/** An assumed-role session does not show the path of its role; names are unique in an account without regard to case. */
export interface OwnRole {
  readonly account: string;
  readonly name: string;
}

/** The OIDC provider of this cluster's issuer in one account. */
export type ProviderView =
  | { readonly kind: 'registered'; readonly arn: string; readonly clientIds: readonly string[] }
  /** `similar` are providers of the account whose URL nearly is the issuer. */
  | { readonly kind: 'missing'; readonly similar: readonly string[] }
  | { readonly kind: 'unreadable'; readonly why: string };

/** What the trust controller found for one question (role, issuer, subject, audience). */
export type Verdict =
  | {
      readonly kind: 'allowed';
      readonly managedBy: 'Operator' | 'Others';
      readonly message: string;
      readonly size: PolicySize;
      readonly findings: readonly Finding[];
    }
  /** Whether STS would allow it depends on something that we cannot see. */
  | { readonly kind: 'unknown'; readonly message: string; readonly size: PolicySize; readonly findings: readonly Finding[] }
  | {
      readonly kind: 'refused';
      readonly finding: Finding;
      /** What the refusal is made of, the most telling first. */
      readonly findings: readonly Finding[];
      readonly size: PolicySize | undefined;
      /** Waits for a change; otherwise it is tried again. */
      readonly terminal: boolean;
      /** What would be written if the binding let us, in words. */
      readonly wouldWrite: string | undefined;
    }
  | { readonly kind: 'released' };

export interface PolicySize {
  readonly characters: number;
  readonly quota: number;
}

/** Why nothing is written for now: to the role at all, or for some subjects. */
export type Hold = { readonly until: number } & ({ readonly all: Finding } | { readonly some: Readonly<Record<string, Finding>> });

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
        /** Our write that was not read back at all its ages yet: epoch milliseconds. */
        readonly writtenAt: number | undefined;
        /** A write that was refused is not tried again before this time, unless the role changes. */
        readonly hold: Hold | undefined;
      }
    /** `since` is when IAM said so first: it is believed when it still says so later. */
    /** `foundAs` is the ARN under which IAM knows a role of that name. */
    | { readonly kind: 'missing'; readonly since: number; readonly foundAs: string | undefined }
    | { readonly kind: 'unreadable'; readonly why: string };
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
  readonly role: RoleRecord | undefined;
  readonly provider: ProviderView | undefined;
  /** For each role that the binding names or stands in, by ARN; no entry: pending. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly serviceAccount: ServiceAccount | undefined;
  readonly pods: readonly Pod[];
  /** All of the namespace. */
  readonly workloads: readonly Workload[];
  /** In the namespace of the binding. */
  readonly serviceAccountExists: (name: string) => boolean;
  readonly blocked: ReadonlyMap<string, Blocked>;
}
