import type { Finding } from '../../api/finding.ts';

/** What the role controller found for one question (role, issuer, subject, audience). */
export type Verdict =
  | ({
      readonly kind: 'allowed';
      readonly managedBy: 'Operator' | 'Others';
      readonly message: string;
      readonly size: PolicySize;
      readonly findings: readonly Finding[];
    } & MayStand)
  /** Whether STS would allow it depends on something that we cannot see. */
  | ({ readonly kind: 'unknown'; readonly message: string; readonly size: PolicySize; readonly findings: readonly Finding[] } & MayStand)
  | ({
      readonly kind: 'refused';
      readonly finding: Finding;
      /** What the refusal is made of, the most telling first. */
      readonly findings: readonly Finding[];
      readonly size: PolicySize | undefined;
      /** Waits for a change; otherwise it is tried again. */
      readonly terminal: boolean;
      /** What would be written if the binding let us, in words. */
      readonly wouldWrite: string | undefined;
    } & MayStand)
  /** No binding asks for it any more, and nothing of it stands. */
  | { readonly kind: 'released' };

interface MayStand {
  /** Our statement names the subject, or may do so: an absence counts only when no stale read can show it, and no write may be under way. */
  readonly mayStand: boolean;
}

/** Whether the trust is certain to be gone. */
export const isReleased = (verdict: Verdict | undefined): boolean =>
  verdict !== undefined && (verdict.kind === 'released' || !verdict.mayStand);

export interface PolicySize {
  readonly characters: number;
  readonly quota: number;
}
