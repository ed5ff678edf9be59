import { roleArnParts } from '../../api/arn.ts';
import type { Pod } from '../../api/cluster.ts';
import type { FindingCode } from '../../api/finding.ts';
import { issuerHostPath } from '../../api/issuer.ts';
import { WEB_IDENTITY_ACTION } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { subjectOf } from '../../api/subject.ts';
import { annotationKeys } from '../../api/webhook.ts';
import { parseDocument } from '../../trust/document/document.ts';
import { planTrust } from '../../trust/plan.ts';
import { podState } from '../pods/pod-state.ts';
import { heldByOwner } from '../pods/restart/owner.ts';
import { workloadOf } from '../pods/workload-of.ts';
import { onlyAwsMayChange } from '../role/plan.ts';
import { oursIn } from '../state/identity.ts';
import { enforcedBy } from './bound.ts';
import { type Engine, valueIn } from './engine.ts';
import type { Check } from './judge.ts';
import type { CheckSeen } from './seen.ts';

/** How a person mends what was found: lines for a shell, in their order, and the same for Terraform where the trust policy is wrong. */
export interface Fixes {
  readonly kubectl: readonly string[];
  readonly aws: readonly string[];
  /** A `statement` block of an `aws_iam_policy_document`. */
  readonly terraform: readonly string[];
  /** The trust policy that the `aws` line sends; undefined where none would help, or it is right. */
  readonly trust: string | undefined;
  /** Restarts that must come after all of it. */
  readonly restarts: readonly string[];
}

/** What the person says on the command line to reach the same cluster and the same account. */
export interface Reach {
  /** `--context NAME`, for kubectl. */
  readonly kubectl: readonly string[];
  /** `--profile NAME`, for aws. */
  readonly aws: readonly string[];
  /** The words of the check itself, up to `--print trust`. */
  readonly check: readonly string[];
}

const TRUST_FILE = 'trust.json';
/** While one of these is so a new pod would be as wrong. */
const NO_RESTART: ReadonlySet<FindingCode> = new Set(['WebhookMissing', 'WebhookNotSelecting', 'RoleNotFound']);
/** Kinds that `kubectl rollout restart` takes. */
const RESTARTABLE: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

export function fixesOf(seen: CheckSeen, check: Check, reach: Reach): Fixes {
  const codes = new Set(check.steps.flatMap(({ findings }) => findings.map(({ code }) => code)));
  const trust = enforcedBy(seen)?.trustPolicy === 'Managed' ? undefined : trustFor(seen, check);
  const terraform = trust === undefined ? [] : statement(seen, check);
  // What a file says is mended in the file: a command would be undone by the next one who applies it.
  if (seen.podsAreToCome) return { kubectl: [], aws: [], terraform, trust, restarts: [] };
  const kubectl = [...serviceAccount(seen, codes, reach), ...annotate(seen, check, codes, reach)];
  return {
    kubectl,
    aws: [...provider(seen, check, codes, reach), ...(trust === undefined ? [] : updateTrust(check, reach))],
    terraform,
    trust,
    restarts: [...codes].some((code) => NO_RESTART.has(code)) ? [] : restarts(seen, check, codes, reach),
  };
}

/** A word that a shell takes as it is. */
export const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
const line = (...words: readonly string[]): string => words.map(word).join(' ');

function serviceAccount({ of }: CheckSeen, codes: ReadonlySet<FindingCode>, { kubectl }: Reach): string[] {
  if (!codes.has('ServiceAccountMissing')) return [];
  return [line('kubectl', ...kubectl, '-n', of.namespace, 'create', 'serviceaccount', of.name)];
}

function annotate(seen: CheckSeen, { engine }: Check, codes: ReadonlySet<FindingCode>, { kubectl }: Reach): string[] {
  const { of, serviceAccount: looked, webhook } = seen;
  // Where no role is known the misspelt key has the only trace of it.
  if (engine === undefined || looked.kind === 'unread' || codes.has('RoleNotFound')) return [];
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

function provider({ cluster }: CheckSeen, { engine }: Check, codes: ReadonlySet<FindingCode>, { aws }: Reach): string[] {
  const issuer = valueIn(cluster)?.issuer;
  if (engine === undefined || issuer === undefined) return [];
  const { audience, roleArn } = engine.spec;
  const { partition, account } = roleArnParts(roleArn);
  const arn = `arn:${partition}:iam::${account}:oidc-provider/${issuerHostPath(issuer)}`;
  if (codes.has('OidcProviderMissing') || codes.has('OidcProviderUrlMismatch'))
    return [line('aws', 'iam', 'create-open-id-connect-provider', ...aws, '--url', issuer, '--client-id-list', audience)];
  if (codes.has('OidcProviderAudienceMissing'))
    return [
      line(
        'aws',
        'iam',
        'add-client-id-to-open-id-connect-provider',
        ...aws,
        '--open-id-connect-provider-arn',
        arn,
        '--client-id',
        audience,
      ),
    ];
  return [];
}

/** The document as it would be with a statement for this ServiceAccount, all others as they are; only where that makes STS say yes. */
function trustFor(seen: CheckSeen, { engine }: Check): string | undefined {
  const record = valueIn(seen.role);
  const cluster = valueIn(seen.cluster);
  if (engine?.verdict?.kind !== 'refused' || engine.verdict.wouldWrite === undefined) return undefined;
  if (record?.state.kind !== 'present' || cluster === undefined) return undefined;
  const document = parseDocument(record.state.policy);
  if (isProblem(document) || onlyAwsMayChange(record.arn) !== undefined) return undefined;
  const { audience } = engine.spec;
  return planTrust(document, {
    ...oursIn(cluster, record.arn),
    role: record.arn,
    quota: seen.quota,
    now: seen.now,
    wanted: [{ subject: subjectOf(seen.of.namespace, seen.of.name), audience }],
    released: [],
  }).document;
}

function updateTrust({ engine }: Check, { aws, check }: Reach): string[] {
  const name = engine === undefined ? '' : roleArnParts(engine.spec.roleArn).name;
  return [
    `${line(...check, '--print', 'trust')} > ${TRUST_FILE}`,
    line('aws', 'iam', 'update-assume-role-policy', ...aws, '--role-name', name, '--policy-document', `file://${TRUST_FILE}`),
  ];
}

function statement({ cluster, of }: CheckSeen, { engine }: Check): string[] {
  const issuer = valueIn(cluster)?.issuer;
  if (issuer === undefined || engine === undefined) return [];
  const host = issuerHostPath(issuer);
  const { partition, account } = roleArnParts(engine.spec.roleArn);
  const condition = (key: string, value: string) => [
    '  condition {',
    '    test     = "StringEquals"',
    `    variable = ${JSON.stringify(`${host}:${key}`)}`,
    `    values   = [${JSON.stringify(value)}]`,
    '  }',
  ];
  return [
    'statement {',
    `  actions = ["${WEB_IDENTITY_ACTION}"]`,
    '  principals {',
    '    type        = "Federated"',
    `    identifiers = ["arn:${partition}:iam::${account}:oidc-provider/${host}"]`,
    '  }',
    ...condition('sub', subjectOf(of.namespace, of.name)),
    ...condition('aud', engine.spec.audience),
    '}',
  ];
}

/** Of what made the pods that lack what a new one would have. One whose rollout is held is restarted by hand: a finding says how. */
function restarts(seen: CheckSeen, { engine }: Check, codes: ReadonlySet<FindingCode>, { kubectl }: Reach): string[] {
  if (engine === undefined) return [];
  const { webhook, of } = seen;
  const audience = removesAudience(seen, codes) ? webhook.tokenAudience : engine.spec.audience;
  // A token for the API server is no help.
  if (seen.apiAudiences.includes(audience)) return [];
  const desired = { ...engine.spec, roleArn: roleFor(seen, engine), audience, webhook };
  const workloads = valueIn(seen.workloads) ?? [];
  const lines = (valueIn(seen.pods) ?? [])
    .filter(({ finished, deleting }) => !finished && !deleting)
    .flatMap((pod: Pod) => {
      const workload = workloadOf(pod, workloads);
      const maker = workload ?? pod.owner;
      if (maker === undefined || !RESTARTABLE.has(maker.kind) || heldByOwner(pod, workload) !== undefined) return [];
      if (podState(pod, desired, workload).kind !== 'stale') return [];
      return line('kubectl', ...kubectl, '-n', of.namespace, 'rollout', 'restart', `${maker.kind.toLowerCase()}/${maker.name}`);
    });
  return [...new Set(lines)];
}
