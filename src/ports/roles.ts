import type { RoleArn } from '../api/arn.ts';
import type { Urgency } from '../runtime/queue.ts';

/** A role as IAM answers. */
export interface Role {
  /** The role's real ARN: GetRole ignores the path, so this is the only proof that it is the one that was meant. */
  readonly arn: string;
  /** `AROA...`: a role that was deleted and made again has another. */
  readonly roleId: string;
  /** The trust policy, URL-decoded. */
  readonly policy: string;
}

/** What only a read of the single role tells. */
export interface FreshRole extends Role {
  readonly tags: ReadonlyMap<string, string>;
}

export interface ListedRole {
  readonly arn: RoleArn;
  /** Its document holds a Sid such as ours, perhaps of another cluster. */
  readonly mayBeOurs: boolean;
  /** Decodes the document: worth it for the roles of bindings, and for those that may be ours. */
  parse(): Role;
}

/** IAM roles. Every method throws `Fault` and nothing else. `urgency` is that of the attempt: in its order calls have their turns. */
export interface Roles {
  read(arn: RoleArn, signal: AbortSignal, urgency: Urgency): Promise<FreshRole>;
  /** A fresh read, a decision over it, and the write if the decision is a document. */
  edit(
    arn: RoleArn,
    decide: (fresh: FreshRole) => Promise<string | undefined>,
    signal: AbortSignal,
    urgency: Urgency,
  ): Promise<{ readonly fresh: FreshRole; readonly written: string | undefined }>;
  /** Every role of the account, page by page. */
  list(signal: AbortSignal, urgency: Urgency): AsyncIterable<readonly ListedRole[]>;
  /** Characters that the account allows for a trust policy. */
  policyQuota(signal: AbortSignal, urgency: Urgency): Promise<number>;
}
