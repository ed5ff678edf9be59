import { malformedPolicy } from '../aws-error.ts';
import { type Json, type JsonObject, listOf } from './json.ts';

/**
 * Identity providers that serve many customers under one issuer, and the condition key that tells the customers apart. IAM refuses a trust
 * policy that trusts one of them without it (IAM user guide, "Identity-provider controls for shared OIDC providers"). EKS is none of them:
 * each cluster is an issuer of its own.
 */
const TENANT_KEYS: ReadonlyMap<string, string> = new Map([
  ...[
    'token.actions.githubusercontent.com',
    'vstoken.actions.githubusercontent.com',
    'oidc-configuration.audit-log.githubusercontent.com',
    'gitlab.com',
    'agent.buildkite.com',
    'app.terraform.io',
    'oidc.codefresh.io',
    'studio.datachain.ai/api',
    'scalr.io',
    'tokens.cloud.shisho.dev',
    'proidc.upbound.io',
  ].map((url): [string, string] => [url, `${url}:sub`]),
  ...['api.pulumi.com/oidc', 'sandboxes.cloud', 'oidc.vercel.com'].map((url): [string, string] => [url, `${url}:aud`]),
  ['sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d', 'sts:RoleSessionName'],
]);

const COGNITO = 'cognito-identity.amazonaws.com';

/** Only a comparison that must hold narrows: not a `Not` form, not one that an absent key satisfies. */
const NARROWING = /^(?:forallvalues:|foranyvalue:)?string(?:equals|equalsignorecase|like)$/;

/** Throws MalformedPolicyDocument when a statement trusts a shared provider without saying whose tokens it means. */
export function requireTenant(statement: JsonObject): void {
  const principal = statement.get('Principal');
  if (!(principal instanceof Map) || statement.get('Effect') === 'Deny') return;
  for (const federated of listOf(principal.get('Federated'))) {
    if (federated === COGNITO && !narrows(statement.get('Condition'), `${COGNITO}:aud`))
      throw malformedPolicy('A condition block must be present for the Cognito provider');
    const url = /:oidc-provider\/(.+)$/.exec(String(federated))?.[1] ?? '';
    const key = TENANT_KEYS.get(url);
    // The sentence of AWS is not known; this one says what the guide says.
    if (key !== undefined && !narrows(statement.get('Condition'), key))
      throw malformedPolicy(`The trust policy must evaluate the condition key ${key} for the shared OIDC provider ${url}`);
  }
}

function narrows(condition: Json | undefined, key: string): boolean {
  if (!(condition instanceof Map)) return false;
  return [...condition].some(
    ([operator, keys]) =>
      NARROWING.test(operator.toLowerCase()) &&
      keys instanceof Map &&
      [...keys].some(
        ([name, values]) => name.toLowerCase() === key.toLowerCase() && listOf(values).some((value) => !/^[*?]*$/.test(String(value))),
      ),
  );
}
