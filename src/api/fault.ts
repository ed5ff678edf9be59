import { cut } from './cut.ts';

/** How a call that left the process can fail. An adapter classifies once; nothing else looks at the name of a foreign error. */
export const FAULT_KINDS = ['notFound', 'denied', 'throttled', 'conflict', 'invalid', 'transient'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultDetails {
  /** The other side's own code, for example `NoSuchEntity` or a Kubernetes `Status.reason`; for logs and finer messages only. */
  readonly code?: string;
  /** When the other side asked for a pause: milliseconds from now. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
  /** What tenants may read of it in a status, where that is not the message. */
  readonly told?: string;
}

/** The code of a write that was not sent: this replica might not lead any more when it were done. It tells nothing of the other side. */
export const LEASE_UNCERTAIN = 'LeaseUncertain';

/** The code where the AWS SDK finds no credentials, wherever it looks. */
export const NO_CREDENTIALS = 'CredentialsProviderError';

/** Of a write that was answered and changed nothing. No event need follow such an answer, so it is a failure, retried with back-off. */
export const ADMISSION_UNDID = 'A mutating webhook or policy undid the write within its request. Configure it to leave irsa-operator alone';

/** The other side may quote in its answer whatever a tenant wrote, and a fault is kept, logged and reported. */
const MAX_FAULT_MESSAGE = 2_048;

/** A failed call in the product's words. `message` is for logs and commands, `told` goes unedited into statuses: tenants read them. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly kind: FaultKind;
  readonly code: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly told: string;

  constructor(kind: FaultKind, message: string, details: FaultDetails = {}) {
    super(cut(message, MAX_FAULT_MESSAGE), details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.code = details.code;
    this.retryAfterMs = details.retryAfterMs;
    this.told = details.told ?? message;
  }
}

export function isFault(error: unknown, kind?: FaultKind): error is Fault {
  return error instanceof Fault && (kind === undefined || error.kind === kind);
}

/** The code where files were read in place of a cluster or an account, and none can say this. */
export const NOT_IN_FILES = 'NotInFiles';

export const notInFiles = (what: string): Fault => new Fault('invalid', what, { code: NOT_IN_FILES });
