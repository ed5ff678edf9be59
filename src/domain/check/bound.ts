import type { RoleArn } from '../../api/arn.ts';
import type { BindingSpec } from '../../api/binding.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { isProblem, type Problem } from '../../api/problem.ts';
import { isEnforcing, notGranted } from '../authorization/authorize.ts';
import { valueIn } from './engine.ts';
import type { Bound, CheckSeen } from './seen.ts';

/** What keeps an operator from acting on a binding; `unknown`: labels that no file has decide. */
export function bindingFinding(seen: CheckSeen, { binding, others, grants }: Bound): Finding | 'unknown' | undefined {
  const { spec, metadata } = binding;
  if (isProblem(spec)) return finding('InvalidSpec', spec.problem);
  const [rival] = isEnforcing(binding) ? others.filter(isEnforcing) : [];
  if (rival !== undefined) {
    const text = `IrsaBinding "${rival.metadata.name}" binds ServiceAccount "${spec.serviceAccountName}" too. Remove one of the two`;
    return finding('ServiceAccountTaken', text);
  }
  const namespace = valueIn(seen.namespace) ?? { name: metadata.namespace, labels: {} };
  if (grants === undefined || grants.grantsFor(spec, namespace).length > 0) return undefined;
  return seen.namespace.kind === 'unread' && grants.coversByLabel(spec) ? 'unknown' : notGranted(binding, spec);
}

/** The role that a binding names. */
export function boundRole(bound: Bound | undefined): RoleArn | Problem | undefined {
  const spec = bound?.binding.spec;
  return spec === undefined || isProblem(spec) ? spec : spec.roleArn;
}

/** The spec of the binding that an operator will bring about, if it does. */
export function enforcedBy({ bound }: CheckSeen): BindingSpec | undefined {
  const spec = bound !== undefined && isEnforcing(bound.binding) ? bound.binding.spec : undefined;
  return isProblem(spec) ? undefined : spec;
}
