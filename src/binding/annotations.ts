import type { BindingSpec } from '../api/binding.ts';
import type { ServiceAccount } from '../api/cluster.ts';
import { type Finding, finding } from '../api/finding.ts';
import { EKS_ANNOTATIONS, FIELD_MANAGER, STS_AUDIENCE } from '../api/names.ts';

/** What the ServiceAccount shall carry. No audience means the webhook's default, so that key is set only where there is need, or one to correct. */
export function desiredAnnotations(spec: BindingSpec, found: Readonly<Record<string, string>>): Record<string, string> {
  const needed = spec.audience !== STS_AUDIENCE || EKS_ANNOTATIONS.audience in found;
  return { [EKS_ANNOTATIONS.roleArn]: spec.roleArn, ...(needed ? { [EKS_ANNOTATIONS.audience]: spec.audience } : {}) };
}

/** What a webhook that reads these annotations would do otherwise than wanted. */
export function wrongAnnotations(found: Readonly<Record<string, string>>, spec: BindingSpec): Finding[] {
  const role = found[EKS_ANNOTATIONS.roleArn];
  const audience = found[EKS_ANNOTATIONS.audience] ?? STS_AUDIENCE;
  const account = `ServiceAccount "${spec.serviceAccountName}"`;
  const findings: Finding[] = [];
  if (role === undefined || role === '') {
    findings.push(finding('AnnotationMissing', `${account} has no annotation ${EKS_ANNOTATIONS.roleArn}; wanted is "${spec.roleArn}"`));
  } else if (role !== spec.roleArn) {
    findings.push(
      finding('AnnotationRoleMismatch', `${account}: annotation ${EKS_ANNOTATIONS.roleArn} is "${role}"; wanted is "${spec.roleArn}"`),
    );
  }
  if (audience !== spec.audience) {
    findings.push(
      finding(
        'AudienceAnnotationMismatch',
        `${account}: annotation ${EKS_ANNOTATIONS.audience} is "${audience}"; wanted is "${spec.audience}"`,
      ),
    );
  }
  return findings;
}

/** Whether our apply stands: the values are right and each key is held by us, so that we may take it away again. */
export function annotationsAreOurs(account: ServiceAccount, spec: BindingSpec): boolean {
  return Object.entries(desiredAnnotations(spec, account.annotations)).every(
    ([key, value]) => account.annotations[key] === value && heldByUs(account, key) !== undefined,
  );
}

/** When we last wrote a key that we hold: epoch milliseconds. */
export function heldByUs(account: ServiceAccount, key: string): number | undefined {
  return account.writers[key]?.find(({ manager }) => manager === FIELD_MANAGER)?.at;
}
