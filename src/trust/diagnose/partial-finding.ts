import type { FindingCode } from '../../api/finding.ts';

/** A finding before it knows which role it is about. */
export interface PartialFinding {
  readonly code: FindingCode;
  /** Begins with what it is about, for example `statement 2`. */
  readonly text: string;
}
