import { parseRoleArn, ROLE_ARN_LIMIT, ROLE_NAME_LIMIT, ROLE_PATH_LIMIT, type RoleArn, roleArnParts } from '../../api/arn.ts';
import { type BindingSpec, MIN_TOKEN_SECONDS } from '../../api/binding.ts';
import type { ServiceAccount } from '../../api/cluster.ts';
import { lengthOf } from '../../api/cut.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { FIELD_MANAGER } from '../../api/names.ts';
import { isProblem, type Problem, problem } from '../../api/problem.ts';
import { tooLong } from '../../api/schema.ts';
import { annotationKeys, EKS_WEBHOOK, type Webhook } from '../../api/webhook.ts';
import { quote } from '../../trust/document/quote.ts';
import { exceedsKubernetes, expirationSeconds, isWholeNumber, MAX_EXPIRATION_SECONDS } from './expiration.ts';

type Annotations = Readonly<Record<string, string>>;

/** What the ServiceAccount shall carry: everything that we hold of it, so that what is not here any more is taken away by the next apply. */
export function desiredAnnotations(spec: BindingSpec, account: ServiceAccount, webhook: Webhook = EKS_WEBHOOK): Record<string, string> {
  const { roleArn, audience } = annotationKeys(webhook);
  return {
    [roleArn]: spec.roleArn,
    ...(setsAudience(spec, account, webhook) ? { [audience]: spec.audience } : {}),
    ...settings(spec, webhook),
  };
}

/** Without the key the webhook asks for its default: it is set where another is wanted, or to correct somebody's. One of our own just goes. */
function setsAudience({ audience }: BindingSpec, account: ServiceAccount, webhook: Webhook): boolean {
  const key = annotationKeys(webhook).audience;
  const found = account.annotations[key];
  if (audience !== webhook.tokenAudience) return true;
  return found !== undefined && (found === audience || heldByUs(account, key) === undefined);
}

/** Keys that are somebody else's business unless the binding names a value. */
function settings({ tokenExpirationSeconds, stsRegionalEndpoints }: BindingSpec, webhook: Webhook): Record<string, string> {
  const keys = annotationKeys(webhook);
  return {
    ...(tokenExpirationSeconds === undefined ? {} : { [keys.tokenExpiration]: String(tokenExpirationSeconds) }),
    ...(stsRegionalEndpoints === undefined ? {} : { [keys.stsRegionalEndpoints]: String(stsRegionalEndpoints) }),
  };
}

/** What a webhook that reads these annotations would do otherwise than wanted. */
export function wrongAnnotations(found: Annotations, spec: BindingSpec, webhook: Webhook = EKS_WEBHOOK): Finding[] {
  const keys = annotationKeys(webhook);
  const audience = found[keys.audience];
  const said = (key: string, value: string) => `ServiceAccount "${spec.serviceAccountName}": annotation ${key} is ${quote(value)}`;
  const findings = wrongRole(found[keys.roleArn], keys.roleArn, spec, said);
  if ((audience ?? webhook.tokenAudience) !== spec.audience) {
    const is = audience === undefined ? withoutAudience(keys.audience, spec, webhook) : said(keys.audience, audience);
    findings.push(finding('AudienceAnnotationMismatch', `${is}. Wanted: "${spec.audience}"`));
  }
  for (const [key, wanted] of Object.entries(settings(spec, webhook))) {
    const value = found[key];
    if (value === wanted) continue;
    const is = value === undefined ? `ServiceAccount "${spec.serviceAccountName}" has no annotation ${key}` : said(key, value);
    findings.push(finding('AnnotationSettingMismatch', `${is}. Wanted: "${wanted}"`));
  }
  return findings;
}

function withoutAudience(key: string, { serviceAccountName }: BindingSpec, { tokenAudience }: Webhook): string {
  return `ServiceAccount "${serviceAccountName}" has no annotation ${key}, so the webhook gives the pods its --token-audience, ${quote(tokenAudience)}`;
}

function wrongRole(role: string | undefined, roleArn: string, spec: BindingSpec, said: (key: string, value: string) => string): Finding[] {
  if (role === spec.roleArn) return [];
  if (role === undefined || role === '') {
    const text = `ServiceAccount "${spec.serviceAccountName}" has no annotation ${roleArn}. Wanted: "${spec.roleArn}"`;
    return [finding('AnnotationMissing', text)];
  }
  const parsed = parseRoleAnnotation(role);
  if (isProblem(parsed)) {
    const text = `ServiceAccount "${spec.serviceAccountName}": annotation ${roleArn}: ${parsed.problem}. The role of the binding is "${spec.roleArn}"`;
    return [finding('AnnotationMalformed', text)];
  }
  return [finding('AnnotationRoleMismatch', `${said(roleArn, role)}${difference(parsed, spec.roleArn)}. Wanted: "${spec.roleArn}"`)];
}

/** An annotation may hold anything: of what is longer than any ARN there is only the beginning, and its length. */
export function parseRoleAnnotation(kept: string): RoleArn | Problem {
  const length = lengthOf(kept);
  if (length <= ROLE_ARN_LIMIT.most) return parseRoleArn(kept);
  const parts = `IAM allows ${ROLE_NAME_LIMIT.most} for the name, and ${ROLE_PATH_LIMIT.most} for the path`;
  return problem(`${quote(kept)}: ${tooLong('the ARN of the role', length, ROLE_ARN_LIMIT)}: ${parts}`);
}

/** The mistakes that are hard to see. */
function difference(found: RoleArn, wanted: RoleArn): string {
  const [a, b] = [roleArnParts(found), roleArnParts(wanted)];
  if (found.toLowerCase() === wanted.toLowerCase()) return ' (it differs in case, and case counts in an ARN)';
  if (a.name !== b.name) return '';
  if (a.partition !== b.partition) return ` (partition "${a.partition}" in place of "${b.partition}")`;
  if (a.account !== b.account) return ` (account ${a.account} in place of ${b.account})`;
  return ` (path "${a.path}" in place of "${b.path}")`;
}

/** What the webhook does not take as it stands, though no binding names a value: it works, but not as whoever set it meant. */
export function invalidExpiration(account: ServiceAccount, spec: BindingSpec, webhook: Webhook = EKS_WEBHOOK): Finding[] {
  const found = foreignExpiration(account, spec, webhook);
  const takes = found && takenInstead(found.value);
  if (found === undefined || takes === undefined) return [];
  return [finding('TokenExpirationInvalid', `${found.said}. The webhook ${takes}. Correct it, or set spec.tokenExpirationSeconds`)];
}

/** A lifetime that the webhook takes and the API server does not: no pod of the ServiceAccount can be created. */
export function refusedExpiration(account: ServiceAccount, spec: BindingSpec, webhook: Webhook = EKS_WEBHOOK): Finding | undefined {
  const found = foreignExpiration(account, spec, webhook);
  if (found === undefined || !exceedsKubernetes(found.value)) return undefined;
  const text = `${found.said}, and Kubernetes allows ${MAX_EXPIRATION_SECONDS} seconds. The API server refuses each new pod. Lower it, or set spec.tokenExpirationSeconds`;
  return finding('TokenExpirationInvalid', text);
}

/** What the annotation says where the binding does not. */
function foreignExpiration({ name, annotations }: ServiceAccount, spec: BindingSpec, webhook: Webhook) {
  const { tokenExpiration } = annotationKeys(webhook);
  const value = annotations[tokenExpiration];
  if (value === undefined || spec.tokenExpirationSeconds !== undefined) return undefined;
  return { value, said: `ServiceAccount "${name}": annotation ${tokenExpiration} is ${quote(value)}` };
}

function takenInstead(value: string): string | undefined {
  if (!isWholeNumber(value)) return 'uses its own default instead, because that is not a whole number';
  const seconds = expirationSeconds(value);
  if (seconds === undefined) return 'uses its own default instead, because that has more than 64 bits';
  return seconds < MIN_TOKEN_SECONDS ? `uses ${MIN_TOKEN_SECONDS} instead, the minimum of the API server` : undefined;
}

/** Whether our apply stands: the values are right, each key is held by us, so that we may take it away again, and we hold nothing else. */
export function annotationsAreOurs(account: ServiceAccount, spec: BindingSpec, webhook: Webhook = EKS_WEBHOOK): boolean {
  const desired = desiredAnnotations(spec, account, webhook);
  const surplus = Object.keys(account.writers).some((key) => !(key in desired) && heldByUs(account, key) !== undefined);
  return (
    !surplus && Object.entries(desired).every(([key, value]) => account.annotations[key] === value && heldByUs(account, key) !== undefined)
  );
}

/** When we last wrote a key that we hold: epoch milliseconds. */
export function heldByUs(account: ServiceAccount, key: string): number | undefined {
  return account.writers[key]?.find(({ manager }) => manager === FIELD_MANAGER)?.at;
}

/** Who else holds keys whose value is not the wanted one; nobody where a key was removed, for the API server keeps no name for that. */
export function otherWriters(account: ServiceAccount, desired: Annotations): string[] {
  const keys = Object.keys(desired).filter((key) => account.annotations[key] !== desired[key]);
  const managers = keys.flatMap((key) => account.writers[key] ?? []).map(({ manager }) => manager);
  return [...new Set(managers)].filter((manager) => manager !== FIELD_MANAGER);
}
