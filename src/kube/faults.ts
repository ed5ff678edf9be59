import { Fault, type FaultKind } from '../api/fault.ts';

/** An answer of the API server, whatever its code. The body is what it sent, parsed and otherwise untouched. */
export interface Answer {
  readonly code: number;
  readonly body: unknown;
  readonly retryAfterMs: number | undefined;
}

/** The API server's account of a failure (`kind: Status`, meta/v1). */
export interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
    readonly retryAfterSeconds?: number;
  };
}

export function statusOf(body: unknown): Status {
  return typeof body === 'object' && body !== null ? (body as Status) : {};
}

/** HTTP codes that say more than their hundred. */
const KINDS: Readonly<Record<number, FaultKind>> = {
  401: 'denied',
  403: 'denied',
  404: 'notFound',
  408: 'transient',
  409: 'conflict',
  410: 'transient', // the resource version or continue token is too old: ask again without it
  429: 'throttled',
};

/** An answer that is not a success, in the product's words. `code` is the Status reason; the Status itself is the cause. */
export function faultOf(what: string, answer: Answer): Fault {
  const kind = KINDS[answer.code] ?? (answer.code >= 500 ? 'transient' : 'invalid');
  const status = statusOf(answer.body);
  const said =
    status.message ?? (typeof answer.body === 'string' && answer.body !== '' ? answer.body.slice(0, 200).trim() : 'no reason given');
  return new Fault(kind, `the API server answered ${answer.code} to ${what}: ${said}`, {
    ...(status.reason === undefined ? {} : { code: status.reason }),
    ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
    cause: answer.body,
  });
}

/** No answer at all: refused, reset, timed out, or a certificate that does not fit. */
export function unreachable(what: string, error: unknown): Fault {
  const { code, message } = error instanceof Error ? (error as Error & { code?: string }) : { code: undefined, message: String(error) };
  return new Fault('transient', `no answer from the API server to ${what}: ${message || code || 'the connection broke'}`, {
    ...(code === undefined ? {} : { code }),
    cause: error,
  });
}
