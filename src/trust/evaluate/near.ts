import { type Issuer, issuerHostPath } from '../../api/issuer.ts';
import { quote } from '../document/quote.ts';
import { kindOfKey } from './request.ts';
import { fold, like } from './text.ts';

/** What stands before an issuer in the ARN of its provider, and what people leave there from its URL. */
const AROUND = /^(?:[^/]*oidc-provider\/)?(?:https?:\/\/)?/;
/** A cluster's ID is random: a text that contains it means this cluster, whatever is wrong around it. */
const CLUSTER_ID = /\/id\/([a-z0-9]{16,})$/;
const PLACEHOLDER = /<[^<>]*>|\$?\{[^{}]*\}/g;

/**
 * Whether a text nearly names this cluster's issuer: with something before or behind it, cut off, with placeholders, in another case. Other names
 * are other tenants' and are not quoted: a trust policy has many readers, and a status has others.
 */
export function nearlyNames(text: string, issuer: Issuer): boolean {
  const found = fold(text).replace(/\s/g, '').replace(AROUND, '').replace(/\/+$/, '');
  const host = fold(issuerHostPath(issuer));
  const id = CLUSTER_ID.exec(host)?.[1];
  return host.startsWith(found) || (id !== undefined && found.includes(id)) || like(found.replace(PLACEHOLDER, '*'), host);
}

/** A condition key for a message: one that names an issuer only if that is nearly this one, else the words for another issuer's. */
export function keyInWords(key: string, issuer: Issuer, others = "another issuer's key"): string {
  const kind = kindOfKey(key, issuer);
  const namesNone = !/[./]/.test(key);
  const claimAt = key.lastIndexOf(':');
  const name = claimAt < 0 ? key : key.slice(0, claimAt);
  const isQuoted = (kind !== 'otherProvider' && kind !== 'malformed') || namesNone || nearlyNames(name, issuer);
  return isQuoted ? quote(key) : others;
}
