import type { Policy } from '../../api/names.ts';

/** How the API server answered a dry run. */
export type Answer =
  | { readonly kind: 'accepted' }
  /** `policies` are those that the refusal names. RBAC, a webhook and a quota name none. */
  | { readonly kind: 'refused'; readonly policies: readonly string[]; readonly message: string };

/** Two dry runs: of what the policy forbids the operator, and of what the operator needs. */
export interface Trial {
  readonly forbidden: Answer;
  readonly needed: Answer;
}

export type Confinement =
  | { readonly kind: 'confined' }
  | { readonly kind: 'unconfined'; readonly why: string }
  /** It could not be tried. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** RBAC gives no right that this policy would confine. */
  | { readonly kind: 'needless'; readonly why: string };

/** A refusal alone proves nothing: RBAC answers 403 too, and a policy that refuses everything would be no confinement but an outage. */
export function judge(policy: Policy, { forbidden, needed }: Trial): Confinement {
  if (forbidden.kind === 'accepted') return { kind: 'unconfined', why: 'the API server accepted a dry run that this policy forbids' };
  if (!forbidden.policies.some((name) => isInstalled(policy, name)))
    return { kind: 'unconfined', why: `a dry run that this policy forbids was refused, but not by this policy. ${forbidden.message}` };
  if (needed.kind === 'refused') return { kind: 'unconfined', why: `a dry run that irsa-operator needs was refused. ${needed.message}` };
  return { kind: 'confined' };
}

/** kustomize and Helm add to names: `acme-irsa-operator-bindings`. */
const isInstalled = (policy: Policy, name: string): boolean => name.includes(policy);
