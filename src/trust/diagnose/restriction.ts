import { statementName } from '../document/document.ts';
import { quote } from '../document/quote.ts';
import type { Judged } from '../evaluate/evaluate.ts';
import { kindOfKey, type WebIdentity } from '../evaluate/request.ts';
import { isUnknown, type Truth } from '../evaluate/truth.ts';
import type { PartialFinding } from './partial-finding.ts';

/**
 * A foreign Allow that covers this very token (action, principal, and whatever it asks of the token's own claims) and does not let it in
 * only because of something else: a network, a date, an organisation, a tag. That is its owner's will, and an Allow of ours beside it would
 * revert it. Keys of another cluster or keys with a mistake in them are mistakes, not intent.
 */
export function isRestriction(judged: Judged, request: WebIdentity): boolean {
  const { effect, ours, action, principal, block, members, conditions } = judged;
  if (effect !== 'Allow' || ours || !holds(action) || !holds(principal) || !holds(block)) return false;
  const failing = conditions.filter(({ truth }) => !holds(truth));
  const areLimits = failing.every(({ key }) => ['context', 'claim'].includes(kindOfKey(key, request.issuer)));
  return areLimits && (failing.length > 0 || isUnknown(members));
}

/** More keys than these nobody reads. */
const MAX_NAMED = 4;

/** The finding's text; what limits the statement is named by its keys, the values are its owner's. */
export function restriction({ conditions, statement, members }: Judged): PartialFinding {
  const limits = conditions
    .filter(({ truth }) => !holds(truth))
    .slice(0, MAX_NAMED)
    .map(
      ({ operatorName, key, truth }) => `${operatorName} on ${quote(key)} (${isUnknown(truth) ? 'not known before the call' : 'not met'})`,
    );
  const how = limits.length > 0 ? ` and limits it with ${limits.join(' and ')}` : isUnknown(members) ? `, but ${members.unknown}` : '';
  const text = `${statementName(statement)} covers this ServiceAccount${how}. This is the decision of its owner. irsa-operator does not add a statement that would bypass this restriction. Ask the owner to remove the restriction, or to allow this ServiceAccount without it`;
  return { code: 'TrustRestrictedByOwner', text };
}

function holds(truth: Truth): boolean {
  return truth === true;
}
