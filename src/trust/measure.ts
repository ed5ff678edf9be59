import type { PolicyDocument } from './document.ts';
import { compact } from './json.ts';

/** The size of a document, and what the account allows (`iam:GetAccountSummary`, `AssumeRolePolicySizeQuota`). */
export interface Size {
  readonly characters: number;
  readonly quota: number;
}

/**
 * Characters that count against the quota: all but the white space between tokens (IAM user guide, quotas; documented for inline and
 * managed policies, and what we send has none).
 */
export function measure({ text }: PolicyDocument): number {
  return compact(text).length;
}
