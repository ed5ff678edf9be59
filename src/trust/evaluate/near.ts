import { type Issuer, issuerHostPath } from '../../api/issuer.ts';
import { kindOfKey, quoteKey } from './request.ts';
import { fold, like } from './text.ts';

/** What stands before an issuer in the ARN of its provider, and what people leave there from its URL. */
const AROUND = /^(?:[^/]*oidc-provider\/)?(?:https?:\/\/)?/;
/** A cluster's ID is random: a text that contains it means this cluster, whatever is wrong around it. */
const CLUSTER_ID = /\/id\/([a-z0-9]{16,})$/;
export const PLACEHOLDER = /<[^<>]*>|\$?\{[^{}]*\}/g;

/**
 * Whether a text nearly names this cluster's issuer: with something before or behind it, cut off, with placeholders, in another case. Other names
 * are other tenants' and are not quoted: a trust policy has many readers, and a status has others.
 */
export function nearlyNames(text: string, issuer: Issuer): boolean {
  const found = withoutSlash(fold(text).replace(/\s/g, '').replace(AROUND, ''));
  const host = withoutSlash(fold(issuerHostPath(issuer)));
  const id = CLUSTER_ID.exec(host)?.[1];
  return host.startsWith(found) || (id !== undefined && found.includes(id)) || like(found.replace(PLACEHOLDER, '*'), host);
}

/** Slashes at the end are left out, or added, by mistake. */
export function withoutSlash(text: string): string {
  return text.replace(/\/+$/, '');
}

/** A condition key for a message: one that names an issuer only if that is nearly this one, else the words for another issuer's. */
export function keyInWords(key: string, issuer: Issuer, others = "another issuer's key"): string {
  const kind = kindOfKey(key, issuer);
  const namesNone = !/[./]/.test(key);
  const claimAt = key.lastIndexOf(':');
  const name = claimAt < 0 ? key : key.slice(0, claimAt);
  const isQuoted = (kind !== 'otherProvider' && kind !== 'malformed') || namesNone || nearlyNames(name, issuer);
  return isQuoted ? quoteKey(key) : others;
}

/** The blanks people paste: also the no-break space and those of no width. */
export const SPACE = /[\s\u200b\u2060\ufeff]/;

export function withoutSpace(value: string): string {
  return value.replace(/[\s\u200b\u2060\ufeff]/g, '');
}

/** Namespaces that every cluster has: no tenant is known by them. */
const EVERYWHERE: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease']);

/**
 * Whether a text nearly names this subject: something in its namespace, or its name where no namespace of others stands before it. The name in
 * another tenant's namespace is not near: a tenant chooses its names, and could ask for the namespaces of others by them.
 */
export function nearlyNamesSubject(text: string, subject: string): boolean {
  const [, , namespace = '', name = ''] = subject.split(':');
  const found = fold(withoutSpace(text))
    .replaceAll('/', ':')
    .replace(/.*?serviceaccounts?:|^system:/, '');
  const [first = '', second] = found.split(':');
  if (first === namespace || found === name || found.endsWith(`:${namespace}:${name}`)) return true;
  return second === name && (EVERYWHERE.has(first) || first.replace(PLACEHOLDER, '') === '');
}

/** The default audience is nobody's secret. Others may be what another tenant uses. */
export function nearlyNamesAudience(text: string, wanted: string): boolean {
  const found = fold(withoutSpace(text));
  return found.startsWith('sts.amazonaws.com') || (found !== '' && (found.includes(fold(wanted)) || fold(wanted).includes(found)));
}

/** An action of STS, whatever is wrong with it; others say what else a role is for. */
export function nearlyNamesAction(text: string): boolean {
  return text === '*' || /^sts:|assumerole/.test(fold(text));
}
