import { roleArnParts } from '../../api/arn.ts';
import type { BindingSpec } from '../../api/binding.ts';
import type { Namespace } from '../../api/cluster.ts';
import type { GrantSpec } from '../../api/grant.ts';

/** The tags that a role must have, as each grant asks for them: the consent of its owner. */
export type RequiredTags = readonly Readonly<Record<string, string>>[];

/** Whether the role has all tags that one of the grants asks for. */
export function hasConsent(alternatives: RequiredTags, tags: ReadonlyMap<string, string>): boolean {
  return alternatives.some((required) => Object.entries(required).every(([key, value]) => tags.get(key) === value));
}

/** What a grant is asked for. */
export type Asked = Pick<BindingSpec, 'roleArn' | 'serviceAccountName' | 'audience'>;

export interface Granted {
  readonly grant: string;
  /** Tags that the role must carry, checked on the fresh read before each write. */
  readonly requiredRoleTags: Readonly<Record<string, string>>;
  readonly allowVerification: boolean;
  /** How much of it one namespace can use. */
  readonly limits?: GrantSpec['limits'];
}

export function termsOf(grant: string, { requiredRoleTags, allowVerification, limits }: GrantSpec): Granted {
  return { grant, requiredRoleTags, allowVerification, ...(limits && { limits }) };
}

export function covers(grant: GrantSpec, asked: Asked, namespace: Namespace): boolean {
  return coversNamespace(grant.namespaces, namespace) && coversExceptNamespace(grant, asked);
}

/** Whether a grant would cover it if the namespace had other labels. */
export function coversByLabel(grant: GrantSpec, asked: Asked): boolean {
  return grant.namespaces.selector !== undefined && coversExceptNamespace(grant, asked);
}

/** Everything but the namespace. */
function coversExceptNamespace(grant: GrantSpec, asked: Asked): boolean {
  return (
    grant.roleArns.some((pattern) => matchesArn(pattern, asked)) &&
    grant.serviceAccountNames.some((pattern) => matchesGlob(pattern, asked.serviceAccountName)) &&
    grant.audiences.includes(asked.audience)
  );
}

export function coversNamespace({ names, selector }: GrantSpec['namespaces'], namespace: Namespace): boolean {
  if (names?.includes(namespace.name)) return true;
  if (selector === undefined) return false;
  const wanted = Object.entries(selector.matchLabels);
  return wanted.length > 0 && wanted.every(([label, value]) => Object.hasOwn(namespace.labels, label) && namespace.labels[label] === value);
}

/** Path by path, so that `*` never crosses `/`; partition and account are compared as they are written. */
function matchesArn(pattern: string, { roleArn }: Asked): boolean {
  const { partition, account, path, name } = roleArnParts(roleArn);
  const prefix = `arn:${partition}:iam::${account}:role/`;
  if (!pattern.startsWith(prefix)) return false;
  const wanted = pattern.slice(prefix.length).split('/');
  const found = `${path.slice(1)}${name}`.split('/');
  return wanted.length === found.length && wanted.every((glob, index) => matchesGlob(glob, found[index] ?? ''));
}

/** `*` stands for any run of characters. Greedy with one step back, so it is linear in practice and never a regular expression of a user. */
export function matchesGlob(glob: string, text: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  if (rest.length === 0) return glob === text;
  const last = rest.pop() ?? '';
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}
