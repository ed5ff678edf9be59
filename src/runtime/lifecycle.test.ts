import { describe, expect, test } from 'vitest';
import { closeInOrder, type ProcessLike, runProcess } from './lifecycle.ts';
import { type Log, silentLog } from './log.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { afterAbort, orAborted } from './signals.ts';

/** Node's process as far as it is used, without its power to end the test. */
class TestProcess implements ProcessLike {
  readonly exits: number[] = [];
  readonly #listeners = new Map<string, (argument: never) => void>();

  on(event: string, listener: (argument: never) => void): void {
    this.#listeners.set(event, listener);
  }

  emit(event: string, argument: unknown): void {
    this.#listeners.get(event)?.(argument as never);
  }

  exit(code: number): void {
    this.exits.push(code);
  }
}

describe('the process', () => {
  test('stops at the first signal in good order and exits with 0', async () => {
    const process = new TestProcess();
    const running = runProcess(process, silentLog, async (stop) => {
      await orAborted(new Promise(() => {}), stop).catch(() => {});
      expect(String(stop.reason)).toBe('AbortError: received SIGTERM');
      await settle();
    });
    process.emit('SIGTERM', 'SIGTERM');
    expect(process.exits).toEqual([]);
    await running;
    expect(process.exits).toEqual([0]);
  });

  test('exits at once at the second signal', async () => {
    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      const process = new TestProcess();
      void runProcess(process, silentLog, () => new Promise(() => {}));
      process.emit('SIGTERM', 'SIGTERM');
      process.emit(signal, signal);
      expect(process.exits).toEqual([code]);
    }
  });

  test('logs an error that nobody handled and exits with 1', async () => {
    for (const event of ['unhandledRejection', 'uncaughtException']) {
      const process = new TestProcess();
      const errors: object[] = [];
      const log: Log = { ...silentLog, error: (fields) => errors.push(fields) };
      void runProcess(process, log, () => new Promise(() => {}));
      const bug = new Error('a bug');
      process.emit(event, bug);
      expect([process.exits, errors]).toEqual([[1], [{ err: bug, event }]]);
    }
  });

  test('logs what ended it and exits with 1', async () => {
    const process = new TestProcess();
    const errors: object[] = [];
    const cause = new Error('the lease was lost');
    await runProcess(process, { ...silentLog, error: (fields) => errors.push(fields) }, () => Promise.reject(cause));
    expect([process.exits, errors]).toEqual([[1], [{ err: cause }]]);
  });
});

describe('closing', () => {
  test('goes in order, and on after a part that fails or hangs', async () => {
    const clock = new ManualClock();
    const closed: string[] = [];
    const warned: unknown[] = [];
    const log: Log = { ...silentLog, warn: (fields) => warned.push(String((fields as { err: unknown }).err)) };
    const closing = closeInOrder(
      [
        { name: 'first', close: async () => void closed.push('first') },
        { name: 'fails', close: () => Promise.reject(new Error('no')) },
        { name: 'hangs', close: () => new Promise(() => {}) },
        { name: 'last', close: async () => void closed.push('last') },
      ],
      clock,
      log,
    );
    await clock.advance(4_999);
    expect([closed, warned]).toEqual([['first'], ['Error: no']]);
    await clock.advance(1);
    await closing;
    expect([closed, warned, clock.sleeping]).toEqual([['first', 'last'], ['Error: no', 'TimeoutError: not done after 5 s'], 0]);
  });
});

describe('patience', () => {
  test('begins with the stop and ends after its time', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const late = afterAbort(stop.signal, 10_000, clock);
    await clock.advance(60_000);
    expect(late.aborted).toBe(false);
    stop.abort();
    await clock.advance(9_999);
    expect(late.aborted).toBe(false);
    await clock.advance(1);
    expect(String(late.reason)).toBe('TimeoutError: still running 10 s after it had to end');
  });

  test('that is asked for after the stop ends too', async () => {
    const clock = new ManualClock();
    const late = afterAbort(AbortSignal.abort(), 1, clock);
    await clock.advance(1);
    expect(late.aborted).toBe(true);
  });
});
