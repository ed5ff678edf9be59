import type { RoleArn } from '../api/arn.ts';
import { type Finding, finding } from '../api/finding.ts';
import type { PolicyDocument } from './document.ts';
import type { Judged } from './evaluate.ts';
import { principalValues } from './principals.ts';
import { list, nameOf, quote, quoteAll } from './quote.ts';
import type { Remark } from './remark.ts';

/** The principal of EKS Pod Identity (EKS user guide, Pod Identity). */
const POD_IDENTITY = 'pods.eks.amazonaws.com';

/** What to say of a document in which nothing even tries to let a web identity in. */
export function withoutWebIdentity(judged: readonly Judged[]): Remark[] {
  const allows = judged.filter(({ effect }) => effect === 'Allow');
  const pods = allows.find(({ statement }) => principalValues(statement.node).some(({ value }) => value === POD_IDENTITY));
  if (pods !== undefined) {
    const text = `${nameOf(pods.statement)} trusts EKS Pod Identity (${quote(POD_IDENTITY)}) and no statement trusts this cluster's OIDC provider, so the role works with a Pod Identity association and not with IRSA`;
    return [{ code: 'TrustPodIdentityOnly', text }];
  }
  const principals = [
    ...new Set(allows.flatMap(({ statement }) => principalValues(statement.node).map(({ kind, value }) => `${kind} ${quote(value)}`))),
  ];
  const text = `no statement allows "sts:AssumeRoleWithWebIdentity" to an OIDC provider of a cluster; it trusts ${principals.length === 0 ? 'nobody' : list(principals)}`;
  return [{ code: 'TrustNoWebIdentityStatement', text }];
}

/** The unique ID that IAM shows for a role or user that was deleted (IAM user guide, unique identifiers). */
const UNIQUE_ID = /^A(?:ROA|IDA)[A-Z0-9]{8,}$/;

/** IAM takes no document back in which a deleted principal stands (terraform-provider-aws issue 8905). */
export function deletedPrincipals(document: PolicyDocument, { role }: { readonly role: RoleArn }): Finding[] {
  return document.statements.flatMap((statement) => {
    const ids = principalValues(statement.node).filter(({ value }) => UNIQUE_ID.test(value));
    if (ids.length === 0) return [];
    const message = `trust policy of ${role}: ${nameOf(statement)} trusts ${quoteAll(ids.map(({ value }) => value))}, the ID of a role or user that was deleted; IAM may refuse every change of this policy until its owner removes it`;
    return [finding('TrustOrphanedPrincipal', message)];
  });
}
