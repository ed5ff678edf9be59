import { Fault } from '../api/fault.ts';
import type { Clock } from '../runtime/clock.ts';
import { faultOf } from './faults.ts';

/** What calls to AWS are counted by; the methods of the SDK's middleware stack are used for nothing. */
export interface AwsMetrics {
  /** `code` is `ok` or AWS's error code. */
  requested(service: string, operation: string, code: string, seconds: number): void;
}

/** Asked right before each write: throws where the lease would not outlast the call. */
export type Fence = (deadlineMs: number) => void;

/** One call, waiting for its turn not included. A write must end before another leader can begin: with a short lease it gets less. */
export const CALL_DEADLINE_MS = 10_000;

interface Call<Output> {
  readonly service: 'iam' | 'sts' | 'eks';
  readonly operation: string;
  /** What was asked, for the message: `role "arn:..."`. */
  readonly of: string;
  readonly signal: AbortSignal;
  readonly deadlineMs?: number | undefined;
  readonly send: Send<Output>;
}

export type Send<Output> = (options: { abortSignal: AbortSignal }) => Promise<Output>;

/** Every call to AWS goes through here: a deadline, the count, and errors in the product's words. Throws `Fault` and nothing else. */
export function awsCalls(metrics: AwsMetrics, clock: Clock) {
  return async function call<Output>({
    service,
    operation,
    of,
    signal,
    deadlineMs = CALL_DEADLINE_MS,
    send,
  }: Call<Output>): Promise<Output> {
    const began = clock.monotonic();
    const done = (code: string) => metrics.requested(service, operation, code, (clock.monotonic() - began) / 1000);
    const what = `${service}:${operation} of ${of}`;
    const late = new AbortController();
    const over = new AbortController();
    clock.sleep(deadlineMs, over.signal).then(
      () => late.abort(),
      () => {}, // in time
    );
    try {
      const output = await send({ abortSignal: AbortSignal.any([signal, late.signal]) });
      done('ok');
      return output;
    } catch (error) {
      const fault = late.signal.aborted ? noAnswer(what, deadlineMs, error) : faultOf(error, what);
      done(fault.code ?? 'unknown');
      throw fault;
    } finally {
      over.abort('in time'); // without it an error is made for each call
    }
  };
}

function noAnswer(what: string, deadlineMs: number, cause: unknown): Fault {
  return new Fault('transient', `${what}: no answer within ${Number((deadlineMs / 1000).toFixed(1))} s`, { code: 'NoAnswer', cause });
}

export type AwsCalls = ReturnType<typeof awsCalls>;
