import type { FindingCode } from '../../api/finding.ts';
import { type Issuer, issuerHostPath } from '../../api/issuer.ts';
import { member, type Statement, statementName } from '../document/document.ts';
import { list, quote } from '../document/quote.ts';
import { nearlyNames } from '../evaluate/near.ts';
import { type PrincipalValue, principalValues } from '../evaluate/principals.ts';
import type { WebIdentity } from '../evaluate/request.ts';
import { fold } from '../evaluate/text.ts';
import type { PartialFinding } from './partial-finding.ts';

/**
 * Hosts of EKS issuers: `oidc.eks.<region>.amazonaws.com` and `oidc-eks.<region>.api.aws`
 * (https://docs.aws.amazon.com/eks/latest/userguide/enable-iam-roles-for-service-accounts.html); also with the region first, as an old
 * README has it.
 */
const EKS_HOST = /oidc[.-](?:eks[.-][a-z0-9-]{1,32}|[a-z0-9-]{1,32}\.eks)\./;
const EKS_ISSUER = /^oidc(?:\.eks\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?|-eks\.([a-z0-9-]+)\.api\.aws)\/id\/([A-Za-z0-9]+)$/;
const PROVIDER_ARN = /^arn:(aws[a-z-]*):iam::([0-9]{12}):oidc-provider\/([^/].*)$/;

/** Whether a federated principal is, or was meant to be, a cluster's provider. */
export function isKubernetesProvider(value: string, issuer: Issuer): boolean {
  const name = fold(value);
  const [host = ''] = fold(issuerHostPath(issuer)).split('/');
  return EKS_HOST.test(name) || name.includes(host) || /oidc-prov?/.test(name.replace(/oidc-provider\/.*/, ''));
}

/** What is wrong with the principals of a statement, none of which is this cluster's provider. */
export function principalFindings(statement: Statement, request: WebIdentity): PartialFinding[] {
  const principals = principalValues(statement.node);
  const federated = principals.filter(({ kind }) => kind === 'Federated').map(({ value }) => value);
  const name = statementName(statement);
  if (federated.length === 0) {
    const found = principals.length === 0 ? nobody(statement) : list(describePrincipals(principals));
    return [
      {
        code: 'TrustPrincipalNotFederated',
        text: `${name} trusts ${found}. Wanted: the federated principal ${quote(request.provider)}`,
      },
    ];
  }
  return federated.map((value) => {
    const [code, what] = classify(value, request);
    const isNear = request.provider.startsWith(value) || nearlyNames(value, request.issuer);
    return { code, text: `${name} trusts ${isNear ? quote(value) : 'another provider'} (${what}). Wanted: ${quote(request.provider)}` };
  });
}

/** Services by name, since those are no secret and tell what the role was made for; whoever else is trusted is not this tenant's business. */
export function describePrincipals(principals: readonly PrincipalValue[]): string[] {
  return [
    ...new Set(
      principals.map(
        ({ kind, value }) =>
          (value === '*'
            ? EVERYBODY.get(kind)
            : kind === 'Service' && AWS_SERVICE.test(value)
              ? `the service ${quote(value)}`
              : KINDS.get(kind)) ?? `a principal of the kind ${quote(kind)}`,
      ),
    ),
  ];
}

/** As they are written, since what they mean is the question. */
const EVERYBODY: ReadonlyMap<string, string> = new Map([
  ['anybody', '"*"'],
  ['AWS', '{"AWS": "*"}'],
]);

/** Names of AWS, which are everybody's. */
const AWS_SERVICE = /^[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?$/;

const KINDS: ReadonlyMap<string, string> = new Map([
  ['Service', 'another service'],
  ['AWS', 'an AWS account, role or user'],
  ['Federated', 'another identity provider'],
]);

function nobody({ node }: Statement): string {
  return member(node, 'NotPrincipal') === undefined ? 'no principal' : 'every principal except those in "NotPrincipal"';
}

function classify(value: string, { provider, issuer }: WebIdentity): [FindingCode, string] {
  if (value === '*') return ['TrustPrincipalWildcard', 'AWS does not document its meaning as a federated principal'];
  if (/[*?]/.test(value)) return ['TrustPrincipalWildcard', 'principals are compared as a whole, so a wildcard matches nothing'];
  const found = PROVIDER_ARN.exec(value);
  const wanted = PROVIDER_ARN.exec(provider);
  const host = issuerHostPath(issuer);
  if (found === null || wanted === null || found[3]?.includes('://')) return notAnArn(value, host);
  const [, partition, account, path = ''] = found;
  if (path === host) {
    if (partition !== wanted[1])
      return ['TrustPrincipalPartition', `the partition ${quote(partition ?? '')}, but this role is in ${quote(wanted[1] ?? '')}`];
    return [
      'TrustPrincipalOtherAccount',
      `a provider in the account ${account}, but STS uses only providers of the role's account ${wanted[2]}`,
    ];
  }
  return ['TrustPrincipalProviderMismatch', difference(path, host)];
}

function notAnArn(value: string, host: string): [FindingCode, string] {
  if (value === host) return ['TrustPrincipalProviderMismatch', 'the name of the issuer, not the ARN of its provider'];
  if (value.includes('://')) return ['TrustPrincipalMalformed', 'the ARN of a provider has no "https://"'];
  if (/[<>{}$]/.test(value)) return ['TrustPrincipalMalformed', 'it still contains a placeholder'];
  if (/^arn:[^:]*:iam::[^:]*:/.test(value) && !/^arn:[^:]*:iam::[0-9]{12}:/.test(value))
    return ['TrustPrincipalMalformed', 'its account does not have twelve digits'];
  if (!value.includes(':') && EKS_HOST.test(value))
    return ['TrustPrincipalProviderMismatch', "the name of another issuer, not the ARN of this cluster's provider"];
  return ['TrustPrincipalMalformed', 'not the ARN of an OIDC provider'];
}

/** In what way another provider's name is not this one's. */
function difference(path: string, host: string): string {
  if (path.startsWith(host) && /^\/+$/.test(path.slice(host.length))) return 'an extra slash at its end';
  if (`${path}/` === host) return 'no slash at its end, but the issuer has one';
  if (fold(path) === fold(host)) return 'the case differs, and names of providers are case-sensitive';
  if (host.startsWith(path)) return "this cluster's provider, truncated";
  // An old README of the webhook has it so (amazon-eks-pod-identity-webhook issue 30).
  if (path.replace(/^oidc\.([a-z0-9-]+)\.eks\./, 'oidc.eks.$1.') === host) return '"eks" is after the region, but belongs before it';
  const found = EKS_ISSUER.exec(path);
  const wanted = EKS_ISSUER.exec(host);
  if (found === null || wanted === null) return 'another issuer';
  const region = found[1] ?? found[2];
  const ours = wanted[1] ?? wanted[2];
  if (found[3] === wanted[3])
    return region === ours ? 'the same cluster under another host name' : `the region ${region}, but this cluster is in ${ours}`;
  return 'another cluster';
}
