import { limitExceeded, malformedPolicy } from '../aws-error.ts';
import type { Account, World } from '../world.ts';
import { type JsonObject, parseJson, stringifyJson } from './json.ts';
import { normalise } from './normalise.ts';
import { renderPrincipals, resolveKnownPrincipals, resolvePrincipals } from './principals.ts';
import { checkTrustPolicy } from './validate.ts';

/** Length bounds of a policy document in IAM's API model. */
const MAX_DOCUMENT_CHARACTERS = 131_072;

/**
 * What IAM stores for a document that a caller sends. Throws MalformedPolicyDocument or LimitExceeded. Assumed order, which is not
 * documented: text, then principals, then size.
 */
export function acceptTrustPolicy(world: World, account: Account, text: string): string {
  if (text.length > MAX_DOCUMENT_CHARACTERS) throw malformedPolicy('This policy contains invalid Json');
  const resolved = resolvePrincipals(world, account, checkTrustPolicy(text));
  if (countedCharacters(text) > account.trustPolicyQuota) throw limitExceeded('ACLSizePerRole', account.trustPolicyQuota);
  return stringifyJson(normalise(resolved));
}

/** IAM does not count white space against a policy's size (IAM user guide, "IAM and AWS STS quotas"); taken to hold for trust policies too. */
function countedCharacters(text: string): number {
  return text.replace(/\s/g, '').length;
}

/** A document put there without validation, byte for byte, but for principals that live: those are kept as unique IDs like any other. */
export function plantTrustPolicy(world: World, text: string): string {
  return /arn:[a-z-]+:iam::/.test(text) ? rewrite(text, (policy) => resolveKnownPrincipals(world, policy)) : text;
}

/** What GetRole and ListRoles show of a stored document. */
export function renderTrustPolicy(world: World, stored: string): string {
  return /"A(?:RO|ID)A[A-Z0-9]{17}"/.test(stored) ? rewrite(stored, (policy) => renderPrincipals(world, policy)) : stored;
}

/** A document that is no policy, or that does not change, stays byte for byte as it is. */
function rewrite(text: string, change: (policy: JsonObject) => JsonObject): string {
  let policy: ReturnType<typeof parseJson>;
  try {
    policy = parseJson(text);
  } catch {
    return text;
  }
  if (!(policy instanceof Map)) return text;
  const changed = stringifyJson(change(policy));
  return changed === stringifyJson(policy) ? text : changed;
}
