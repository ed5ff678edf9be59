import { Fault, isFault } from '../api/fault.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import type { Limiter } from '../runtime/limiter.ts';
import type { Urgency } from '../runtime/queue.ts';
import { type AwsCalls, CALL_DEADLINE_MS, type Fence, type Send } from './calls.ts';
import { faultOf } from './faults.ts';

/** A read that AWS had no answer for is asked this often; what fails then is retried by the queue, which others wait in too. */
const READ_ATTEMPTS = 3;
/** Apart by half of this to one and a half: time for a connection or a host to be replaced. */
const READ_PAUSE_MS = 500;

interface Request {
  readonly operation: string;
  /** What is asked, for the message: `role "arn:..."`. */
  readonly of: string;
  readonly urgency: Urgency;
  /** For whom: turns go round over them. Undefined: for nobody in particular. */
  readonly tenants?: Iterable<string> | undefined;
  readonly signal: AbortSignal;
}

export interface IamCallsOptions {
  readonly call: AwsCalls;
  /** The limits of one account: what its credentials reach. */
  readonly reads: Limiter;
  readonly writes: Limiter;
  readonly fence: Fence;
  /** How long a write may take: no longer than the lease can be held. */
  readonly writeMs?: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Calls of IAM, each in its turn. The SDK retries nothing: only so does the limiter see every call that is sent. Throws `Fault` and nothing else. */
export function iamCalls({ call, reads, writes, fence, writeMs = CALL_DEADLINE_MS, clock, random }: IamCallsOptions) {
  async function turn(limiter: Limiter, flag: string, { operation, of, urgency, tenants, signal }: Request): Promise<void> {
    try {
      await limiter.take(urgency, signal, tenants);
    } catch (error) {
      const what = `iam:${operation} of ${of}`;
      if (signal.aborted) throw faultOf(error, what);
      const rate = `${Number(limiter.perSecond.toFixed(2))}/s now (${flag}, halved when AWS throttles)`;
      throw new Fault('throttled', `${what}: not sent within 60 s: the rate is ${rate}, and other calls were first`);
    }
  }

  async function send<Output>(
    limiter: Limiter,
    { operation, of, signal }: Request,
    sender: Send<Output>,
    deadlineMs?: number,
  ): Promise<Output> {
    try {
      return await call({ service: 'iam', operation, of, signal, deadlineMs, send: sender });
    } catch (error) {
      if (isFault(error, 'throttled')) limiter.throttled();
      throw error;
    }
  }

  return {
    /** Each attempt waits for a turn of its own. */
    async read<Output>(request: Request, sender: Send<Output>): Promise<Output> {
      for (let attempt = 1; ; attempt += 1) {
        await turn(reads, '--iam-reads-per-second', request);
        try {
          return await send(reads, request, sender);
        } catch (error) {
          const mayPass = isFault(error, 'throttled') || isFault(error, 'transient');
          if (!mayPass || attempt >= READ_ATTEMPTS || request.signal.aborted) throw error;
          await clock.sleep(READ_PAUSE_MS * (0.5 + random()), request.signal).catch(() => Promise.reject(error));
        }
      }
    },

    /**
     * Waits for the turn of a write, then lets `act` look and send: what it reads is still fresh when it sends. Sent once at most, because
     * what came of a failed write is only known by reading again. A turn that is not used is given back.
     */
    async write<Result>(
      request: Request,
      act: (write: <Output>(sender: Send<Output>) => Promise<Output>) => Promise<Result>,
    ): Promise<Result> {
      await turn(writes, '--iam-writes-per-second', request);
      let used = false;
      try {
        return await act((sender) => {
          fence(writeMs);
          used = true;
          return send(writes, request, sender, writeMs);
        });
      } finally {
        if (!used) writes.giveBack();
      }
    },
  };
}

export type IamCalls = ReturnType<typeof iamCalls>;
