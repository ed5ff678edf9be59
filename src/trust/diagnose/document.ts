import type { RoleArn } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import type { PolicyDocument } from '../document/document.ts';
import { statementName } from '../document/document.ts';
import { list, quote } from '../document/quote.ts';
import type { Judged } from '../evaluate/evaluate.ts';
import { principalValues } from '../evaluate/principals.ts';
import type { PartialFinding } from './partial-finding.ts';
import { describePrincipals } from './principal.ts';
import { unguardedProviders } from './shared-provider.ts';

/** The principal of EKS Pod Identity (https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html). */
const POD_IDENTITY = 'pods.eks.amazonaws.com';

/** What to say of a document in which nothing even tries to let a web identity in. */
export function withoutWebIdentity(judged: readonly Judged[]): PartialFinding[] {
  const allows = judged.filter(({ effect }) => effect === 'Allow');
  const pods = allows.find(({ statement }) => principalValues(statement.node).some(({ value }) => value === POD_IDENTITY));
  if (pods !== undefined) {
    const text = `${statementName(pods.statement)} trusts EKS Pod Identity (${quote(POD_IDENTITY)}). No statement trusts this cluster's OIDC provider. The role works with a Pod Identity association, but not with IRSA`;
    return [{ code: 'TrustPodIdentityOnly', text }];
  }
  const principals = describePrincipals(allows.flatMap(({ statement }) => principalValues(statement.node)));
  const text = `no statement allows "sts:AssumeRoleWithWebIdentity" for the OIDC provider of a cluster. The policy trusts ${principals.length === 0 ? 'no principal' : list(principals)}`;
  return [{ code: 'TrustNoWebIdentityStatement', text }];
}

/** The unique ID that IAM shows for a role or user that was deleted (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids). */
const UNIQUE_ID = /^A(?:ROA|IDA)[A-Z0-9]{8,}$/;
/** `AROA` is a role, `AIDA` a user. */
const KIND_LENGTH = 4;

/** Why IAM may refuse any change of this document, whatever we change. */
export function writeObstacles(document: PolicyDocument, context: { readonly role: RoleArn }): Finding[] {
  return [...deletedPrincipals(document, context), ...unguardedProviders(document, context)];
}

/** IAM takes no document back in which a deleted principal stands (terraform-provider-aws issue 8905). */
function deletedPrincipals(document: PolicyDocument, { role }: { readonly role: RoleArn }): Finding[] {
  return document.statements.flatMap((statement) => {
    const deleted = principalValues(statement.node).find(({ value }) => UNIQUE_ID.test(value));
    if (deleted === undefined) return [];
    const id = `${deleted.value.slice(0, KIND_LENGTH)}...`;
    const message = `trust policy of ${role}: ${statementName(statement)} trusts a role or user that was deleted (the ID ${quote(id)} replaces its ARN). IAM may reject every change of this policy until the owner of the policy removes this ID`;
    return [finding('TrustOrphanedPrincipal', message)];
  });
}
