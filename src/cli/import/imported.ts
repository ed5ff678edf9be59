import type { RoleArn } from '../../api/arn.ts';
import { type BindingSpec, type IrsaBinding, parseBindingSpec } from '../../api/binding.ts';
import type { ObjectName, ServiceAccount } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import { annotationKeys, type Webhook } from '../../api/webhook.ts';
import { roleAnnotation } from '../../domain/audit/audit.ts';
import { managersOf } from '../../domain/role/contention.ts';
import { parseRoleAnnotation } from '../../domain/service-account/annotations.ts';

/** What is known of a role by a read of it. */
export type KnownRole =
  | { readonly kind: 'present'; readonly tags: ReadonlyMap<string, string> }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unread'; readonly why: string }
  | { readonly kind: 'otherAccount'; readonly account: string };

/** What comes of one ServiceAccount. `spec`: of its binding; undefined where it gets none. */
export interface Imported {
  readonly of: ObjectName;
  readonly spec: BindingSpec | undefined;
  /** What a person has to know of it. */
  readonly remarks: readonly string[];
}

interface Input {
  readonly account: ServiceAccount;
  readonly mode: BindingSpec['mode'];
  /** Of this ServiceAccount, as the cluster has them. */
  readonly bindings: readonly IrsaBinding[];
  readonly roleOf: (arn: RoleArn) => KnownRole;
  readonly webhook: Webhook;
}

/** The role that an annotation names, if it names one. */
export function roleNamedBy(account: ServiceAccount, webhook: Webhook): RoleArn | undefined {
  const value = roleAnnotation(account, webhook);
  const arn = value === undefined ? undefined : parseRoleAnnotation(value);
  return isProblem(arn) ? undefined : arn;
}

/** A binding that changes nothing until somebody says so: it observes, retains, and restarts nothing. Pure. */
export function importedFrom({ account, mode, bindings, roleOf, webhook }: Input): Imported {
  const { namespace, name, annotations, misspelt } = account;
  const of = { namespace, name };
  const keys = annotationKeys(webhook);
  const left = (...remarks: readonly string[]): Imported => ({ of, spec: undefined, remarks });
  const value = roleAnnotation(account, webhook);
  if (value === undefined) return left(`no annotation ${keys.roleArn}, and ${misspelt.map((key) => `"${key}"`).join(', ')} is misspelt`);
  const role = parseRoleAnnotation(value);
  if (isProblem(role)) return left(`annotation ${keys.roleArn}: ${role.problem}`);
  const other = bindings.find(({ metadata }) => metadata.name !== name);
  if (other !== undefined) return left(`IrsaBinding "${other.metadata.name}" binds it already`);
  const [existing] = bindings;
  const known = roleOf(role);
  const manager = known.kind === 'present' ? managersOf(known.tags)[0] : undefined;
  // As it is, so that what a person has changed since is not changed back.
  if (existing !== undefined)
    return isProblem(existing.spec)
      ? left(`IrsaBinding "${name}": ${existing.spec.problem}`)
      : { of, spec: existing.spec, remarks: remarksOn(role, known, manager) };
  if (known.kind === 'otherAccount')
    return left(
      `role "${role}" is in another account than these credentials, ${known.account}. irsa-operator changes only roles of its own account`,
    );
  // What may be read by nobody here is written by nobody here.
  const isExternal = manager !== undefined || known.kind === 'unread';
  const spec = parseBindingSpec({
    serviceAccountName: name,
    roleArn: role,
    audience: annotations[keys.audience] || webhook.tokenAudience,
    mode,
    trustPolicy: isExternal ? 'External' : 'Managed',
    restart: { strategy: 'Never' },
    deletionPolicy: 'Retain',
  });
  if (isProblem(spec)) return left(spec.problem);
  return { of, spec, remarks: remarksOn(role, known, manager) };
}

function remarksOn(role: RoleArn, known: KnownRole, manager: string | undefined): string[] {
  if (known.kind === 'missing') return [`IAM has no role "${role}"`];
  if (known.kind === 'unread') return [`the role could not be read, so the trust policy is left to others: ${known.why}`];
  return manager === undefined ? [] : [`${manager} manages the role, by its tags`];
}
