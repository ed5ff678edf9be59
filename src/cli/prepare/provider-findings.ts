import { providerArnFor, type RoleArn, roleArnParts } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import type { Issuer } from '../../api/issuer.ts';

/**
 * By audience, what the account's OIDC provider for the issuer lacks; `clientIds` is undefined where there is none. IAM takes a statement for a
 * provider that does not exist. But no operator writes one, and an issuer without a provider is more likely misspelt than new.
 */
export function providerFindings(
  role: RoleArn,
  issuer: Issuer,
  audiences: readonly string[],
  clientIds: readonly string[] | undefined,
): ReadonlyMap<string, Finding> {
  const { account } = roleArnParts(role);
  const lacking = (audience: string): Finding =>
    clientIds === undefined
      ? finding(
          'OidcProviderMissing',
          `account ${account} has no OIDC provider for "${issuer}", so no statement is written for it. Correct --issuer, or register it: aws iam create-open-id-connect-provider --url ${issuer} --client-id-list ${audience}`,
        )
      : finding(
          'OidcProviderAudienceMissing',
          `the OIDC provider for "${issuer}" does not have the client ID "${audience}", so no statement with this audience is written. Add it: aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${providerArnFor(role, issuer)} --client-id ${audience}`,
        );
  return new Map(audiences.filter((audience) => !clientIds?.includes(audience)).map((audience) => [audience, lacking(audience)]));
}
