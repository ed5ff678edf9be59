import { providerHostPath, type RoleArn } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { asList, member, type PolicyDocument, statementName } from '../document/document.ts';
import type { ObjectNode } from '../document/json.ts';
import { quote } from '../document/quote.ts';
import { scalarText } from '../evaluate/comparisons.ts';
import { parseOperator } from '../evaluate/operators.ts';
import { principalValues } from '../evaluate/principals.ts';
import { fold } from '../evaluate/text.ts';

/**
 * Providers that serve many customers under one issuer, and the claim that tells the customers apart
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html).
 * An EKS cluster is an issuer of its own and not among them.
 */
const TENANT_CLAIMS: ReadonlyMap<string, 'sub' | 'aud'> = new Map([
  ['token.actions.githubusercontent.com', 'sub'],
  ['vstoken.actions.githubusercontent.com', 'sub'],
  ['oidc-configuration.audit-log.githubusercontent.com', 'sub'],
  ['gitlab.com', 'sub'],
  ['agent.buildkite.com', 'sub'],
  ['app.terraform.io', 'sub'],
  ['oidc.codefresh.io', 'sub'],
  ['studio.datachain.ai/api', 'sub'],
  ['scalr.io', 'sub'],
  ['tokens.cloud.shisho.dev', 'sub'],
  ['proidc.upbound.io', 'sub'],
  ['api.pulumi.com/oidc', 'aud'],
  ['sandboxes.cloud', 'aud'],
  ['oidc.vercel.com', 'aud'],
]);

/**
 * Statements because of which IAM refuses to store the whole document, though it stored it once and nobody touched them: they trust a shared
 * provider and do not say whose tokens they mean (the same page: the check runs at every change of a trust policy).
 */
export function unguardedProviders(document: PolicyDocument, { role }: { readonly role: RoleArn }): Finding[] {
  return document.statements.flatMap((statement) => {
    const effect = member(statement.node, 'Effect');
    if (effect?.kind === 'string' && effect.value === 'Deny') return [];
    const issuers = principalValues(statement.node).flatMap(({ kind, value }) =>
      kind === 'Federated' ? (providerHostPath(value) ?? []) : [],
    );
    const unguarded = issuers.flatMap((issuer) => {
      const claim = TENANT_CLAIMS.get(issuer);
      return claim === undefined || narrows(statement.node, `${issuer}:${claim}`) ? [] : [{ issuer, claim }];
    });
    return unguarded.slice(0, 1).map(({ issuer, claim }) => {
      const message = `trust policy of ${role}: ${statementName(statement)} trusts ${quote(issuer)}, which many customers share, without a condition on ${quote(`${issuer}:${claim}`)}. IAM may reject every change of this policy until the owner of the policy adds this condition`;
      return finding('TrustThirdPartyGuard', message);
    });
  });
}

/** Only a comparison of strings that has to hold narrows, and not by wildcards alone. */
function narrows(statement: ObjectNode, wanted: string): boolean {
  const block = member(statement, 'Condition');
  if (block?.kind !== 'object') return false;
  return block.members.some(({ name, value: keys }) => {
    const operator = parseOperator(name);
    const compares = operator?.comparison.startsWith('String') && !operator.negated && !operator.ifExists;
    if (!compares || keys.kind !== 'object') return false;
    return keys.members.some(
      ({ name: key, value }) => fold(key) === fold(wanted) && asList(value).some((one) => !/^[*?]*$/.test(scalarText(one) ?? '')),
    );
  });
}
