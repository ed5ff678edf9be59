/** One call, as CloudTrail would have it. */
export interface JournalEntry {
  readonly at: Date;
  /** Of the caller; for a call without a signature, of the role that it names. */
  readonly account: string;
  /** ARN of the caller, or `anonymous`. */
  readonly caller: string;
  readonly service: 'iam' | 'sts' | 'eks';
  readonly operation: string;
  /** As they were sent, so that `PolicyDocument` is the exact text; a token is not kept. */
  readonly params: Readonly<Record<string, string>>;
  /** `OK`, or the error code. */
  readonly code: string;
  /** Sids in the caller's identity policy that allowed it; undefined where no such policy was asked. */
  readonly allowedBy?: readonly string[] | undefined;
  /** The same of sts:TagSession, which a call needs besides that opens a session with tags. */
  readonly tagSessionAllowedBy?: readonly string[] | undefined;
  /** The answer is a fault that a set-up asked for, and says nothing of what the caller may do. */
  readonly scripted?: true;
  readonly requestId: string;
  readonly userAgent: string;
}

/** CloudTrail does not keep these either. */
const SECRET = new Set(['WebIdentityToken']);

export function journalParams(params: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...params].map(([name, value]) => [name, SECRET.has(name) ? '(hidden)' : value]));
}
