/** A bucket that holds `burst` tokens and gets `perSecond` new ones: each call takes one. */
export interface Limit {
  readonly perSecond: number;
  readonly burst: number;
}

export interface TokenBuckets {
  /** False when the bucket of this key is empty. A bucket is full when it is first asked for, and when its limit is another one than before. */
  take(key: string, limit: Limit): boolean;
}

export function createTokenBuckets(now: () => number): TokenBuckets {
  const buckets = new Map<string, { limit: Limit; tokens: number; at: number }>();
  return {
    take(key, limit) {
      const at = now();
      const known = buckets.get(key);
      const bucket = known?.limit === limit ? known : { limit, tokens: limit.burst, at };
      const tokens = Math.min(limit.burst, bucket.tokens + ((at - bucket.at) / 1_000) * limit.perSecond);
      const taken = tokens >= 1;
      buckets.set(key, { limit, tokens: taken ? tokens - 1 : tokens, at });
      return taken;
    },
  };
}
