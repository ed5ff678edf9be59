/*
 * How long a token lives, as an annotation says it. The webhook parses it with strconv.ParseInt (its source, pkg/cache and pkg/handler), and
 * takes what it cannot parse for absent.
 */

/** The API server refuses a pod with more (`expirationSeconds`, pkg/apis/core/validation). */
export const MAX_EXPIRATION_SECONDS = 2n ** 32n;

export const isWholeNumber = (value: string): boolean => /^[+-]?[0-9]+$/.test(value);

/** What the webhook takes of it, before it raises what is too little; undefined where it takes nothing. */
export function expirationSeconds(value: string): bigint | undefined {
  if (!isWholeNumber(value)) return undefined;
  const seconds = BigInt(value);
  return BigInt.asIntN(64, seconds) === seconds ? seconds : undefined;
}

/** Whether no pod can be created with it. */
export const exceedsKubernetes = (value: string): boolean => (expirationSeconds(value) ?? 0n) > MAX_EXPIRATION_SECONDS;
