import { type AccountId, providerArnFor, type RoleArn } from '../../api/arn.ts';
import type { Issuer } from '../../api/issuer.ts';
import type { Ours } from '../../trust/document/own-statement.ts';

/** The issuer of this cluster's tokens. Nothing is written while it is not known; `notPublic`: it is told, and AWS cannot reach it. */
export type ClusterView =
  | ({ readonly kind: 'known' } & ClusterName)
  | { readonly kind: 'unknown'; readonly why: string; readonly notPublic?: true };

/** By what our statements are told from those of other clusters. */
export interface ClusterName extends ClusterIds {
  readonly issuer: Issuer;
}

/** As the user names the cluster, where it shares its issuer with others. */
export type ClusterIds = Pick<Ours, 'clusterId' | 'previousClusterId'>;

/** Whose statements in the trust policy of a role are ours. */
export function oursIn({ issuer, clusterId, previousClusterId }: ClusterName, role: RoleArn): Ours {
  const provider = providerArnFor(role, issuer);
  return { issuer, provider, ...(clusterId && { clusterId }), ...(previousClusterId !== undefined && { previousClusterId }) };
}

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
  /** Audiences that open the API server itself, as far as they are known beside its issuer. */
  readonly apiAudiences?: readonly string[];
}

export const NOT_ASKED: Identity = {
  cluster: { kind: 'unknown', why: 'the API server was not asked yet' },
  caller: { kind: 'unknown', why: 'AWS was not asked yet' },
};
