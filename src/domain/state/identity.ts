import type { AccountId } from '../../api/arn.ts';
import type { Issuer } from '../../api/issuer.ts';

/** The issuer of this cluster's tokens. Nothing is written while it is not known; `notPublic`: it is told, and AWS cannot reach it. */
export type ClusterView =
  | { readonly kind: 'known'; readonly issuer: Issuer }
  | { readonly kind: 'unknown'; readonly why: string; readonly notPublic?: true };

/** The identity of the operator in AWS. */
export type CallerView =
  | { readonly kind: 'known'; readonly account: AccountId; readonly arn: string; readonly ownRoles: readonly OwnRole[] }
  | { readonly kind: 'unknown'; readonly why: string };

/** An assumed-role session does not show the path of its role; names are unique in an account without regard to case. */
export interface OwnRole {
  readonly account: string;
  readonly name: string;
}

/** Of the cluster and of the caller, known after the first attempt to find out. */
export interface Identity {
  readonly cluster: ClusterView;
  readonly caller: CallerView;
  /** Characters that the caller's account allows for a trust policy. */
  readonly policyQuota: number | undefined;
  /** Audiences that open the API server itself, as far as they are known beside its issuer. */
  readonly apiAudiences?: readonly string[];
}

export const NOT_ASKED: Identity = {
  cluster: { kind: 'unknown', why: 'the API server was not asked yet' },
  caller: { kind: 'unknown', why: 'AWS was not asked yet' },
  policyQuota: undefined,
};
