import { providerArnFor, roleArnParts } from '../../api/arn.ts';
import type { FindingCode } from '../../api/finding.ts';
import { issuerHostPath } from '../../api/issuer.ts';
import { WEB_IDENTITY_ACTION } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { subjectOf } from '../../api/subject.ts';
import { parseDocument } from '../../trust/document/document.ts';
import { planTrust } from '../../trust/plan.ts';
import { onlyAwsMayChange } from '../role/plan.ts';
import { oursIn } from '../state/identity.ts';
import { type Engine, valueIn } from './engine.ts';
import type { CheckSeen } from './seen.ts';
import { line } from './shell.ts';

const TRUST_FILE = 'trust.json';
/** IAM takes no policy in which one of these is so, whatever else is in it. */
const REJECTED: ReadonlySet<FindingCode> = new Set(['TrustOrphanedPrincipal', 'TrustThirdPartyGuard']);

/** `aws`: words for the command of that name. */
export function providerFix({ cluster }: CheckSeen, { spec }: Engine, codes: ReadonlySet<FindingCode>, aws: readonly string[]): string[] {
  const issuer = valueIn(cluster)?.issuer;
  if (issuer === undefined) return [];
  const { audience, roleArn } = spec;
  if (codes.has('OidcProviderMissing') || codes.has('OidcProviderUrlMismatch'))
    return [line('aws', 'iam', 'create-open-id-connect-provider', ...aws, '--url', issuer, '--client-id-list', audience)];
  if (!codes.has('OidcProviderAudienceMissing')) return [];
  const of = ['--open-id-connect-provider-arn', providerArnFor(roleArn, issuer)];
  return [line('aws', 'iam', 'add-client-id-to-open-id-connect-provider', ...aws, ...of, '--client-id', audience)];
}

/** The document as it would be with a statement for this ServiceAccount, all others as they are; only where IAM takes it and STS then says yes. */
export function trustFor(seen: CheckSeen, { verdict, spec }: Engine): string | undefined {
  const record = valueIn(seen.role);
  const cluster = valueIn(seen.cluster);
  if (verdict?.kind !== 'refused' || verdict.wouldWrite === undefined) return undefined;
  if (record?.state.kind !== 'present' || cluster === undefined) return undefined;
  const document = parseDocument(record.state.policy);
  if (isProblem(document) || onlyAwsMayChange(record.arn) !== undefined) return undefined;
  const plan = planTrust(document, {
    ...oursIn(cluster, record.arn),
    role: record.arn,
    quota: seen.quota,
    now: seen.now,
    wanted: [{ subject: subjectOf(seen.of.namespace, seen.of.name), audience: spec.audience }],
    released: [],
  });
  return plan.findings.some(({ code }) => REJECTED.has(code)) ? undefined : plan.document;
}

/** `check`: the words of the check itself. */
export function updateTrust({ spec }: Engine, aws: readonly string[], check: readonly string[]): string[] {
  const { name } = roleArnParts(spec.roleArn);
  return [
    `${line(...check, '--print', 'trust')} > ${TRUST_FILE}`,
    line('aws', 'iam', 'update-assume-role-policy', ...aws, '--role-name', name, '--policy-document', `file://${TRUST_FILE}`),
  ];
}

/** A `statement` block of an `aws_iam_policy_document`. */
export function statement({ cluster, of }: CheckSeen, { spec }: Engine): string[] {
  const issuer = valueIn(cluster)?.issuer;
  if (issuer === undefined) return [];
  const condition = (key: string, value: string) => [
    '  condition {',
    '    test     = "StringEquals"',
    `    variable = ${JSON.stringify(`${issuerHostPath(issuer)}:${key}`)}`,
    `    values   = [${JSON.stringify(value)}]`,
    '  }',
  ];
  return [
    'statement {',
    `  actions = ["${WEB_IDENTITY_ACTION}"]`,
    '  principals {',
    '    type        = "Federated"',
    `    identifiers = ["${providerArnFor(spec.roleArn, issuer)}"]`,
    '  }',
    ...condition('sub', subjectOf(of.namespace, of.name)),
    ...condition('aud', spec.audience),
    '}',
  ];
}
