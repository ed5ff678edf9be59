import { faultOf } from './faults.ts';

/** What every client of the SDK has; the methods of its middleware stack are used for nothing but counting. */
export interface AwsMetrics {
  /** `code` is `ok` or AWS's error code. */
  requested(service: string, operation: string, code: string, seconds: number): void;
}

/** Asked right before each write: throws where the lease would not outlast the call. */
export type Fence = (deadlineMs: number) => void;

/** One call with the SDK's own retries inside. A write must end before another leader can begin (leader election: 15 s lease, renewed every 2 s). */
export const CALL_DEADLINE_MS = 10_000;

interface Call<Output> {
  readonly service: 'iam' | 'sts' | 'eks';
  readonly operation: string;
  /** What was asked, for the message: `role "arn:..."`. */
  readonly of: string;
  readonly signal: AbortSignal;
  readonly send: (options: { abortSignal: AbortSignal }) => Promise<Output>;
}

/** Every call to AWS goes through here: a deadline, the count, and errors in the product's words. Throws `Fault` and nothing else. */
export function awsCalls(metrics: AwsMetrics) {
  return async function call<Output>({ service, operation, of, signal, send }: Call<Output>): Promise<Output> {
    const started = performance.now();
    const done = (code: string) => metrics.requested(service, operation, code, (performance.now() - started) / 1000);
    try {
      const output = await send({ abortSignal: AbortSignal.any([signal, AbortSignal.timeout(CALL_DEADLINE_MS)]) });
      done('ok');
      return output;
    } catch (error) {
      const fault = faultOf(error, `${service}:${operation} of ${of}`);
      done(fault.code ?? 'unknown');
      throw fault;
    }
  };
}

export type AwsCalls = ReturnType<typeof awsCalls>;
