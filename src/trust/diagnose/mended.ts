import { type Issuer, issuerHostPath } from '../../api/issuer.ts';
import { scalarText } from '../evaluate/comparisons.ts';
import { type Condition, judgeCondition } from '../evaluate/conditions.ts';
import type { Judged } from '../evaluate/evaluate.ts';
import { nearlyNames, PLACEHOLDER, withoutSlash, withoutSpace } from '../evaluate/near.ts';
import { kindOfKey, type WebIdentity } from '../evaluate/request.ts';
import { fold, like } from '../evaluate/text.ts';
import { isUnknown, type Truth } from '../evaluate/truth.ts';

/** A condition as its writer most likely meant it. */
interface Mended {
  readonly key: string;
  readonly truth: Truth;
}

/**
 * The conditions of a statement without slips: keys and values that are nearly those of this token are judged as if they were those. What holds
 * already stays as it is, since STS does not ask what was meant.
 */
export function mendedConditions(judged: Judged, request: WebIdentity): readonly Mended[] {
  return judged.conditions.map((condition) => mended(condition, judged, request));
}

function mended(condition: Condition, { version, conditions }: Judged, request: WebIdentity): Mended {
  const { operator, key: written, truth } = condition;
  const key = mendedKey(written, request.issuer);
  if (truth === true || operator === undefined) return { key, truth };
  const kind = kindOfKey(key, request.issuer);
  // No claim can be read out of it; or the claim of this issuer is there beside that of another, which was meant for other tokens.
  if (kind === 'malformed' || kind === 'otherProvider') return { key, truth: true };
  if (isOtherIssuers(written, request.issuer) && conditions.some((one) => fold(one.key) === fold(key))) return { key, truth: true };
  const isWrong = truth === false && (kind === 'subject' || kind === 'audience');
  if (key === written && !isWrong) return { key, truth };
  const means = kind === 'subject' ? meansSubject : meansAudience;
  const meant = kind === 'subject' ? request.subject : request.audience;
  const values = operator.negated
    ? condition.values
    : condition.values.map((node) => (node.kind === 'string' && means(scalarText(node) ?? '', request) ? { ...node, value: meant } : node));
  const mendedTruth = judgeCondition(operator, key, values, version, request);
  // The key of another issuer is read as it is written. What is not known to fail there is not known to be for others.
  const mayHold = isUnknown(truth) && kindOfKey(written, request.issuer) === 'otherProvider';
  return { key, truth: mayHold && mendedTruth === false ? truth : mendedTruth };
}

/** Services of AWS whose keys have no dot, and may end so. */
const AWS_PREFIXES: ReadonlySet<string> = new Set(['aws', 'sts', 'saml']);

/** The key of the claim that was meant, where there is a slip in it; any other key as it is. */
export function mendedKey(key: string, issuer: Issuer): string {
  const kind = kindOfKey(key, issuer);
  if (kind === 'subject' || kind === 'audience') return key;
  const [, before = '', claim] = /^(.*?)[:/]*(?<![a-z0-9._-])(sub|aud)$/.exec(fold(withoutSpace(key))) ?? [];
  if (claim === undefined) return key;
  if (kind === 'context' && (AWS_PREFIXES.has(before) || !/^[a-z0-9-]+$/.test(before))) return key;
  return `${issuerHostPath(issuer)}:${claim}`;
}

/** A key in good form that is not nearly one of this issuer. */
function isOtherIssuers(key: string, issuer: Issuer): boolean {
  return kindOfKey(key, issuer) === 'otherProvider' && !nearlyNames(key.slice(0, key.lastIndexOf(':')), issuer);
}

/** Whether a key is about the tokens of this issuer, a slip in it notwithstanding. */
export function isAboutThisIssuer(key: string, issuer: Issuer): boolean {
  const kind = kindOfKey(mendedKey(key, issuer), issuer);
  return !isOtherIssuers(key, issuer) && (kind === 'subject' || kind === 'audience' || kind === 'claim');
}

/** A blank, another case, a part of the prefix, a wildcard or placeholder in place of a name; also the audience, under the wrong key. */
function meansSubject(value: string, { subject, audience }: WebIdentity): boolean {
  const names = subject.split(':').slice(2).join(':');
  const found = fold(withoutSpace(value))
    .replaceAll('/', ':')
    .replace(/[[\]"']/g, '')
    .replace(/.*?serviceaccounts?:|^system:/, '')
    .replace(PLACEHOLDER, '*');
  return like(found, names) || value === audience;
}

/** The same of the audience, and a URL of it. */
function meansAudience(value: string, { subject, audience }: WebIdentity): boolean {
  const found = withoutSlash(fold(withoutSpace(value)).replace(/^https?:\/\//, ''));
  return like(found, fold(audience)) || value === subject;
}

/** A provider that is this one but for its case, a blank, slashes at its end, or the `https://` of the issuer. */
export function meansProvider(value: string, { provider }: WebIdentity): boolean {
  return withoutSlash(fold(withoutSpace(value)).replace(/https?:\/\//, '')) === withoutSlash(fold(provider));
}
