import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import type { FindingCode } from '../../api/finding.ts';
import { FIXED_BY_CHECK } from '../../api/fixed-by-check.ts';
import { annotationKeys } from '../../api/webhook.ts';
import type { DesiredInjection } from '../pods/injection.ts';
import { enforcedBy } from './bound.ts';
import { type Engine, valueIn } from './engine.ts';
import { providerFix, statement, trustFor, updateTrust } from './fixes-aws.ts';
import { restarts, templateFixes } from './fixes-pods.ts';
import type { Check } from './judge.ts';
import type { CheckSeen } from './seen.ts';
import { line } from './shell.ts';

/** How a person mends what was found: lines for a shell, in their order, and the same for Terraform where the trust policy is wrong. */
export interface Fixes {
  readonly kubectl: readonly string[];
  readonly aws: readonly string[];
  /** A `statement` block of an `aws_iam_policy_document`. */
  readonly terraform: readonly string[];
  /** The trust policy that the `aws` line sends; undefined where none would help, or it is right. */
  readonly trust: string | undefined;
  /** What makes pods again, which must come after all of it. */
  readonly restarts: readonly string[];
}

/** What the person says on the command line to reach the same cluster and the same account. */
export interface Reach {
  /** `--context NAME`, for kubectl. */
  readonly kubectl: readonly string[];
  /** `--profile NAME`, for aws. */
  readonly aws: readonly string[];
  /** IAM has one address for all regions of the partition "aws". Elsewhere it is found by a region. */
  readonly region?: string | undefined;
  /** The words of the check itself, up to `--print trust`. */
  readonly check: readonly string[];
}

/** While one of these is so a new pod would be as wrong. */
const NO_RESTART: ReadonlySet<FindingCode> = new Set(['WebhookMissing', 'WebhookNotSelecting', 'RoleNotFound']);

const NO_FIXES: Fixes = { kubectl: [], aws: [], terraform: [], trust: undefined, restarts: [] };

export function fixesOf(seen: CheckSeen, check: Check, reach: Reach): Fixes {
  const codes = new Set(check.steps.flatMap(({ findings }) => findings.map(({ code }) => code)));
  const { engine } = check;
  const create = serviceAccount(seen, codes, reach);
  if (engine === undefined) return { ...NO_FIXES, kubectl: seen.podsAreToCome ? [] : create };
  const trust = enforcedBy(seen)?.trustPolicy === 'Managed' ? undefined : trustFor(seen, engine);
  const terraform = trust === undefined ? [] : statement(seen, engine);
  // What a file says is mended in the file: a command would be undone by the next one who applies it.
  if (seen.podsAreToCome) return { ...NO_FIXES, terraform, trust };
  const aws = awsWords(engine.spec.roleArn, reach);
  return {
    kubectl: [...create, ...annotate(seen, engine, codes, reach)],
    aws: [...providerFix(seen, engine, codes, aws), ...(trust === undefined ? [] : updateTrust(engine, aws, reach.check))],
    terraform,
    trust,
    restarts: pods(seen, check, engine, codes, reach),
  };
}

function awsWords(role: RoleArn, { aws, region }: Reach): readonly string[] {
  return region === undefined || roleArnParts(role).partition === 'aws' ? aws : [...aws, '--region', region];
}

function serviceAccount({ of }: CheckSeen, codes: ReadonlySet<FindingCode>, { kubectl }: Reach): string[] {
  if (!codes.has('ServiceAccountMissing')) return [];
  return [line('kubectl', ...kubectl, '-n', of.namespace, 'create', 'serviceaccount', of.name)];
}

/** Where no role is known this is not asked: a misspelt key has the only trace of it. */
function annotate(seen: CheckSeen, engine: Engine, codes: ReadonlySet<FindingCode>, { kubectl }: Reach): string[] {
  const { of, serviceAccount: looked, webhook } = seen;
  if (looked.kind === 'unread' || codes.has('RoleNotFound')) return [];
  const keys = annotationKeys(webhook);
  const account = looked.value;
  const misspelt = codes.has('AnnotationKeyMisspelt') ? (account?.misspelt ?? []).map((key) => `${key}-`) : [];
  const role = roleFor(seen, engine);
  const named = account?.annotations[keys.roleArn] === role ? [] : [`${keys.roleArn}=${role}`];
  const isSet = account?.annotations[keys.audience] !== undefined;
  const sets = codes.has('AudienceAnnotationMismatch') && !isSet ? [`${keys.audience}=${engine.spec.audience}`] : [];
  const audience = removesAudience(seen, codes) ? [`${keys.audience}-`] : sets;
  const words = [...misspelt, ...audience, ...named];
  return words.length === 0
    ? []
    : [line('kubectl', ...kubectl, '-n', of.namespace, 'annotate', 'serviceaccount', of.name, '--overwrite', ...words)];
}

/** The role that is meant: IAM may have it under another path. */
function roleFor({ role }: CheckSeen, { spec: { roleArn } }: Engine): string {
  const state = valueIn(role)?.state;
  return (state?.kind === 'missing' ? state.foundAs?.arn : undefined) ?? roleArn;
}

/** Without the annotation the webhook asks for its default. */
function removesAudience({ serviceAccount, webhook, apiAudiences }: CheckSeen, codes: ReadonlySet<FindingCode>): boolean {
  const isSet = valueIn(serviceAccount)?.annotations[annotationKeys(webhook).audience] !== undefined;
  const isWrong = codes.has('AudienceAnnotationMismatch') || codes.has('AudienceForbidden');
  return isSet && isWrong && !apiAudiences.includes(webhook.tokenAudience);
}

function pods(seen: CheckSeen, check: Check, engine: Engine, codes: ReadonlySet<FindingCode>, { kubectl }: Reach): string[] {
  const { webhook, apiAudiences } = seen;
  const audience = removesAudience(seen, codes) ? webhook.tokenAudience : engine.spec.audience;
  // A token for the API server is no help.
  if (apiAudiences.includes(audience) || [...codes].some((code) => NO_RESTART.has(code))) return [];
  const desired: DesiredInjection = { ...engine.spec, roleArn: roleFor(seen, engine), audience, webhook };
  const fixes = { desired, codes, kubectl };
  const templates = works(check) ? templateFixes(seen, fixes) : [];
  return [...templates, ...restarts(seen, fixes, templates)];
}

/** Whether the role will work for a new pod: what a pod uses in its place is not to be removed before. */
function works({ steps }: Check): boolean {
  const fixed: Readonly<Partial<Record<FindingCode, string>>> = FIXED_BY_CHECK;
  return steps.every(
    ({ name, state, findings }) =>
      name === 'Pods' || state === 'ok' || (state === 'fail' && findings.every(({ code }) => fixed[code] === 'commands')),
  );
}
