import type { BindingSpec } from '../../api/binding.ts';
import type { Assessment, StepCondition } from '../../api/condition.ts';
import { subjectOf } from '../../api/subject.ts';
import { annotationsAreOurs, desiredAnnotations } from '../service-account/annotations.ts';
import type { Scope } from './checks.ts';

/** What `Enforce` would do from here, step by step, up to the first step that somebody else must take. */
export function preview(scope: Scope, held: Partial<Record<StepCondition, Assessment>>): string[] {
  const { seen, spec, pods } = scope;
  if (held.ProviderReady === undefined) return [];
  const trust = held.Trusted === undefined ? trustInWords(scope) : [];
  if (trust === undefined) return [];
  const words = [...trust];
  const { serviceAccount, binding } = seen;
  if (serviceAccount !== undefined && !annotationsAreOurs(serviceAccount, spec, seen.webhook)) {
    const desired = Object.entries(desiredAnnotations(spec, serviceAccount, seen.webhook)).map(([key, value]) => `${key}: "${value}"`);
    words.push(`annotate ServiceAccount "${spec.serviceAccountName}" with ${desired.join(', ')}`);
  }
  if (pods.counts.stale > 0) words.push(...restartInWords(spec.restart.strategy, pods.counts.stale));
  const subject = subjectOf(binding.metadata.namespace, spec.serviceAccountName);
  for (const { arn, audience } of binding.status.roles ?? []) {
    if (arn !== spec.roleArn || audience !== spec.audience)
      words.push(`remove "${subject}" from the statement of irsa-operator in the trust policy of "${arn}", once all of this works`);
  }
  return words;
}

function restartInWords(strategy: BindingSpec['restart']['strategy'], stale: number): string[] {
  switch (strategy) {
    case 'Evict':
      return [`restart ${stale} pods that lack the role, one first`];
    case 'Rollout':
      return [`roll out the workloads of ${stale} pods that lack the role`];
    case 'Never':
      return [];
  }
}

/** Undefined where nothing that we may write would make STS say yes. */
function trustInWords({ seen, spec }: Scope): string[] | undefined {
  const verdict = seen.verdict;
  if (spec.trustPolicy === 'External' || verdict?.kind !== 'refused' || verdict.wouldWrite === undefined) return undefined;
  return [verdict.wouldWrite];
}
