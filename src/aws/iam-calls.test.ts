import { expect, test } from 'vitest';
import { Fault } from '../api/fault.ts';
import { Limiter } from '../runtime/limiter.ts';
import { ManualClock, settle } from '../runtime/manual-clock.ts';
import { awsCalls, CALL_DEADLINE_MS } from './calls.ts';
import { iamCalls } from './iam-calls.ts';

const never = new AbortController().signal;
const request = { operation: 'GetRole', of: 'role "x"', urgency: 'drift', signal: never } as const;
const awsError = (name: string, message = 'told') => Object.assign(new Error(message), { name });
const throttling = awsError('Throttling', 'Rate exceeded');

/** IAM that gives these answers, one after the other; an error is thrown, `hang` never comes. */
function iam(answers: readonly unknown[], { readsPerSecond = 10, writesPerSecond = 5, writeMs = CALL_DEADLINE_MS } = {}) {
  const clock = new ManualClock();
  const sent: number[] = [];
  const counted: string[] = [];
  const fences: number[] = [];
  const granted: number[] = [];
  const state = { leads: true };
  const limiter = (perSecond: number) => new Limiter({ perSecond, clock, waited: () => {} });
  const [reads, writes] = [limiter(readsPerSecond), limiter(writesPerSecond)];
  const call = awsCalls({ requested: (_, operation, code, seconds) => counted.push(`${operation} ${code} ${seconds}`) }, clock);
  const fence = (deadlineMs: number) => {
    fences.push(clock.monotonic());
    granted.push(deadlineMs);
    if (!state.leads) throw new Fault('transient', 'not the leader');
  };
  const calls = iamCalls({ call, reads, writes, fence, writeMs, clock, random: () => 0.5 });
  const left = [...answers];
  const sender = async ({ abortSignal }: { abortSignal: AbortSignal }): Promise<unknown> => {
    sent.push(clock.monotonic());
    const answer = left.length > 1 ? left.shift() : left[0];
    if (answer === 'hang') await new Promise((_, reject) => abortSignal.addEventListener('abort', () => reject(awsError('AbortError'))));
    if (answer instanceof Error) throw answer;
    return answer;
  };
  /** How it ended, once it has. */
  const end = (promise: Promise<unknown>) => {
    const ended: { value?: unknown; fault?: string } = {};
    promise.then(
      (value) => Object.assign(ended, { value }),
      (error) => Object.assign(ended, { fault: error instanceof Fault ? `${error.kind}: ${error.message}` : String(error) }),
    );
    return ended;
  };
  return { clock, calls, sender, sent, counted, fences, granted, state, reads, writes, end };
}

async function empty(limiter: Limiter): Promise<void> {
  for (let full = limiter.perSecond; full > 0; full -= 1) await limiter.take('change', never);
}

test('a read that was throttled is sent again in a new turn, and the rate is halved', async () => {
  const { clock, calls, sender, sent, reads, end } = iam([throttling, 'role']);
  const ended = end(calls.read(request, sender));
  await clock.advance(500);
  expect([ended, sent]).toEqual([{ value: 'role' }, [0, 500]]);
  expect(reads.perSecond).toBeLessThan(5.1);
});

test('a read without an answer is sent three times, each time with its own deadline', async () => {
  const { clock, calls, sender, sent, counted, end } = iam(['hang']);
  const ended = end(calls.read(request, sender));
  await clock.advance(4 * CALL_DEADLINE_MS);
  expect(ended).toEqual({ fault: 'transient: iam:GetRole of role "x": no answer within 10 s' });
  expect([sent, counted]).toEqual([[0, 10_500, 21_000], Array(3).fill('GetRole NoAnswer 10')]);
  expect(clock.sleeping).toBe(0);
});

test('a read that was answered is not sent again, whatever the answer is', async () => {
  for (const name of ['NoSuchEntityException', 'AccessDenied', 'InvalidInputException']) {
    const { clock, calls, sender, sent, end } = iam([awsError(name)]);
    const ended = end(calls.read(request, sender));
    await clock.advance(5_000);
    expect([ended.fault, sent.length]).toEqual([expect.stringContaining(name.replace('Exception', '')), 1]);
  }
});

test('a read that is broken off is not sent again', async () => {
  const { clock, calls, sender, sent, end } = iam([awsError('ServiceFailureException')]);
  const stop = new AbortController();
  const ended = end(calls.read({ ...request, signal: stop.signal }, sender));
  await settle();
  stop.abort();
  await clock.advance(5_000);
  expect([ended, sent.length]).toEqual([{ fault: 'transient: iam:GetRole of role "x": ServiceFailure: told' }, 1]);
});

// Contract: fair-turns
test('calls have the turns of those for whom they are', async () => {
  const { clock, calls, reads } = iam([], { readsPerSecond: 1 });
  await empty(reads);
  const order: string[] = [];
  const read = (name: string) =>
    calls.read({ ...request, tenants: [name.charAt(0)] }, async () => {
      order.push(name);
    });
  const all = Promise.all(['a1', 'a2', 'b1'].map(read));
  await clock.advance(3_000);
  await all;
  expect(order).toEqual(['a1', 'b1', 'a2']);
});

test('the deadline of a call does not begin before its turn', async () => {
  const { clock, calls, sender, reads, counted, end } = iam(['role'], { readsPerSecond: 0.05 });
  await reads.take('change', never);
  const ended = end(calls.read(request, sender));
  await clock.advance(2 * CALL_DEADLINE_MS);
  expect([ended, counted]).toEqual([{ value: 'role' }, ['GetRole ok 0']]);
});

test('whose turn does not come within a minute is told so', async () => {
  const { clock, calls, sender, reads, sent, end } = iam(['role'], { readsPerSecond: 0.01 });
  await reads.take('change', never);
  const ended = end(calls.read(request, sender));
  await clock.advance(60_000);
  expect(ended.fault).toBe(
    'throttled: iam:GetRole of role "x": not sent within 60 s: the rate is 0.01/s now (--iam-reads-per-second, halved when AWS throttles), and other calls were first',
  );
  expect(sent).toEqual([]);
});

test('who is told to stop waits for no turn', async () => {
  const { calls, sender, sent, end } = iam(['role']);
  const ended = end(calls.read({ ...request, signal: AbortSignal.abort(awsError('AbortError')) }, sender));
  await settle();
  expect([ended, sent]).toEqual([{ fault: 'transient: iam:GetRole of role "x": AbortError: told' }, []]);
});

test('a write waits for its turn first, so that what it looks at is fresh; the fence is asked last', async () => {
  const { clock, calls, sender, sent, fences, writes, end } = iam(['done']);
  await empty(writes);
  const looked: number[] = [];
  const ended = end(
    calls.write(request, (write) => {
      looked.push(clock.monotonic());
      return write(sender);
    }),
  );
  await clock.advance(200);
  expect([ended, looked, fences, sent]).toEqual([{ value: 'done' }, [200], [200], [200]]);
});

test('a write is sent once, whatever comes of it', async () => {
  for (const answer of [throttling, 'hang', awsError('ServiceFailureException')]) {
    const { clock, calls, sender, sent, end } = iam([answer]);
    const ended = end(calls.write(request, (write) => write(sender)));
    await clock.advance(60_000);
    expect([sent.length, ended.fault !== undefined]).toEqual([1, true]);
  }
});

test('a write ends when a short lease could, and a read has its usual time', async () => {
  const { clock, calls, sender, counted, granted, end } = iam(['hang'], { writeMs: 1_300 });
  const ended = end(calls.write(request, (write) => write(sender)));
  end(calls.read({ ...request, operation: 'ListRoles' }, sender));
  await clock.advance(CALL_DEADLINE_MS);
  expect([ended, granted, counted]).toEqual([
    { fault: 'transient: iam:GetRole of role "x": no answer within 1.3 s' },
    [1_300],
    ['GetRole NoAnswer 1.3', 'ListRoles NoAnswer 10'],
  ]);
});

test('a write that was throttled halves the rate of writes, and that of reads not', async () => {
  const { calls, sender, reads, writes } = iam([throttling]);
  await calls.write(request, (write) => write(sender)).catch(() => {});
  expect([reads.perSecond, writes.perSecond]).toEqual([10, 2.5]);
});

test('the turn of a write that was decided against, fenced off, or never came to it is the next one’s', async () => {
  const { calls, sender, state, writes, sent, end, clock } = iam(['done']);
  await empty(writes);
  writes.giveBack();
  await calls.write(request, async () => undefined);
  await calls.write(request, () => Promise.reject(new Fault('notFound', 'no such role'))).catch(() => {});
  state.leads = false;
  const fenced = end(calls.write(request, (write) => write(sender)));
  await settle();
  state.leads = true;
  const ended = end(calls.write(request, (write) => write(sender)));
  await settle();
  expect([fenced, ended, sent]).toEqual([{ fault: 'transient: not the leader' }, { value: 'done' }, [clock.monotonic()]]);
});

/** As many roles as the bars name, written by as many workers as the operator has; IAM throttles above a rate of its own. */
const ROLES = 1_000;
const WORKERS = 8;
const READ_MS = 100;
const WRITE_MS = 150;

async function writeEveryRole(iamAllowsPerSecond: number) {
  const { clock, calls } = iam([]);
  // IAM's own bucket: what is above it is refused.
  let [tokens, at] = [iamAllowsPerSecond, 0];
  const bucket = () => {
    tokens = Math.min(iamAllowsPerSecond, tokens + ((clock.monotonic() - at) / 1_000) * iamAllowsPerSecond);
    at = clock.monotonic();
    if (tokens < 1 - 1e-9) throw throttling;
    tokens -= 1;
  };
  const found = { sent: 0, throttled: 0, written: 0, ms: 0 };
  const left = Array.from({ length: ROLES }, (_, role) => role);
  const worker = async () => {
    for (let role = left.shift(); role !== undefined; role = left.shift()) {
      try {
        await calls.write(request, async (write) => {
          await calls.read(request, () => clock.sleep(READ_MS, never));
          await write(async () => {
            found.sent += 1;
            bucket();
            await clock.sleep(WRITE_MS, never);
          });
        });
        found.written += 1;
        found.ms = clock.monotonic();
      } catch {
        found.throttled += 1;
        left.push(role); // as the queue does
      }
    }
  };
  const all = Promise.all(Array.from({ length: WORKERS }, worker));
  await clock.advance(1_200_000);
  await all;
  return found;
}

test('1,000 roles are written within 1.05 of what the bucket allows, each once, and nothing is throttled', async () => {
  const { ms, ...found } = await writeEveryRole(5);
  expect(found).toEqual({ sent: ROLES, throttled: 0, written: ROLES });
  expect(ms / (((ROLES - 5) / 5) * 1_000)).toBeLessThan(1.05);
});

// Contract: drift-limit
test('where IAM allows less than the flag, one call in a hundred is throttled at most', async () => {
  const { sent, throttled, written } = await writeEveryRole(3);
  expect([written, sent - written]).toEqual([ROLES, throttled]);
  expect(throttled / sent).toBeLessThan(0.01);
  expect(throttled).toBeGreaterThan(0);
});
