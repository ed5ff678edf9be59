import type { Issuer } from '../../api/issuer.ts';
import { statementName } from '../document/document.ts';
import type { Judged } from '../evaluate/evaluate.ts';
import { keyInWords } from '../evaluate/near.ts';
import { principalValues } from '../evaluate/principals.ts';
import { kindOfKey, type WebIdentity } from '../evaluate/request.ts';
import { all, isUnknown } from '../evaluate/truth.ts';
import { isAboutThisIssuer, meansProvider, mendedConditions, mendedKey } from './mended.ts';
import type { PartialFinding } from './partial-finding.ts';

/**
 * A foreign Allow that may be for this very token (nothing about its action, its principal and the claims of the token is known to be
 * otherwise) and does not let it in only because of something else: a network, a date, an organization, a tag. That is its owner's will, and
 * an Allow of ours beside it would revert it. Where it is not known whether it is for this token it counts: the wrong guess would write past an
 * owner's limit. Slips are judged as if they were mended: whatever still limits then is will. If nothing does, the statement is a mistake.
 */
export function isRestriction(judged: Judged, request: WebIdentity): boolean {
  const { issuer } = request;
  const { effect, ours, action, principal, members, block } = judged;
  if (effect === 'Deny' || ours || action === false) return false;
  if ((principal === false && !nearlyTrusts(judged, request)) || !mayMeanTokens(judged, issuer)) return false;
  const failing = mendedConditions(judged, request).filter(({ truth }) => truth !== true);
  if (failing.some(({ key, truth }) => truth === false && !isLimit(key, issuer))) return false;
  return failing.some(({ key }) => isLimit(key, issuer)) || isUnknown(members) || isUnknown(block);
}

/** Whether it names the provider, or says by a condition that it is about tokens of this issuer: "*" with an organisation is about users of AWS. */
function mayMeanTokens({ principal, block, conditions }: Judged, issuer: Issuer): boolean {
  // One that is known to be another is so by a slip.
  return !isUnknown(principal) || block !== true || conditions.some(({ key }) => isAboutThisIssuer(key, issuer));
}

/** Whether a slip alone keeps a statement from naming this provider. */
function nearlyTrusts({ statement }: Judged, request: WebIdentity): boolean {
  return principalValues(statement.node).some(({ kind, value }) => kind === 'Federated' && meansProvider(value, request));
}

/** Other keys say for whom a statement is, or were meant to. */
function isLimit(key: string, issuer: Issuer): boolean {
  return ['context', 'claim'].includes(kindOfKey(key, issuer));
}

/** More keys than these nobody reads. */
const MAX_NAMED = 4;

/** The finding's text; what limits the statement is named by its keys, the values are its owner's. */
export function restriction(judged: Judged, request: WebIdentity): PartialFinding {
  const { issuer } = request;
  const { conditions, statement, members, block } = judged;
  const limits = conditions
    .filter(({ key, truth }) => truth !== true && isLimit(mendedKey(key, issuer), issuer))
    .slice(0, MAX_NAMED)
    .map(
      ({ operatorName, key, truth }) =>
        `${operatorName} on ${keyInWords(key, issuer)} (${isUnknown(truth) ? 'not known before the call' : 'not met'})`,
    );
  const unread = [members, block].find(isUnknown);
  const how = limits.length > 0 ? ` and limits it with ${limits.join(' and ')}` : unread === undefined ? '' : `, but ${unread.unknown}`;
  const text = `${statementName(statement)} ${isKnownToMean(judged, issuer) ? 'covers' : 'may cover'} this ServiceAccount${how}. This is the decision of its owner. irsa-operator does not add a statement that would bypass this restriction. Ask the owner to remove the restriction, or to allow this ServiceAccount without it`;
  return { code: 'TrustRestrictedByOwner', text };
}

/** Whether it is known to be for this token, and not only not known to be for another. */
function isKnownToMean({ effect, action, principal, block, conditions }: Judged, issuer: Issuer): boolean {
  const others = conditions.filter(({ key }) => !isLimit(key, issuer)).map(({ truth }) => truth);
  return effect !== undefined && all([action, principal, block, ...others]) === true;
}
