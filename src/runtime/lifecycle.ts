import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { orAborted, withDeadline } from './signals.ts';

/** Work under way may take this long to end after a stop (`afterAbort`); Kubernetes kills after 30 s and servers still have to close. */
export const DRAIN_MS = 10_000;
/** A part that takes longer to close is left to the end of the process. */
const CLOSE_MS = 5_000;

/** The part of Node's `process` that is needed here. */
export interface ProcessLike {
  on(event: 'SIGTERM' | 'SIGINT', listener: (signal: string) => void): unknown;
  on(event: 'unhandledRejection' | 'uncaughtException', listener: (error: unknown) => void): unknown;
  exit(code: number): void;
}

/** Shells report a process that a signal ended as 128 and the signal's number. */
const EXIT_CODES: Record<string, number> = { SIGINT: 130, SIGTERM: 143 };

/**
 * Runs `main` as the process: the first SIGTERM or SIGINT aborts `stop`, a second one exits at once. Exits with 0 when `main` returns and
 * with 1 when it throws, or when an error reached nobody: a state that nobody foresaw is left by a restart, not limped on with.
 */
export async function runProcess(process: ProcessLike, log: Log, main: (stop: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) {
        log.warn({ signal: name }, 'second signal, exiting now');
        process.exit(EXIT_CODES[name] ?? 1);
        return;
      }
      log.info({ signal: name }, 'stops');
      stop.abort(new DOMException(`received ${name}`, 'AbortError'));
    });
  }
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    process.on(event, (error) => {
      log.error({ err: error, event }, 'unhandled error, exiting to restart');
      process.exit(1);
    });
  }
  try {
    await main(stop.signal);
  } catch (error) {
    log.error({ err: error }, 'exited with an error');
    process.exit(1);
    return;
  }
  log.info({}, 'stopped');
  process.exit(0);
}

export interface Closing {
  readonly name: string;
  close(signal: AbortSignal): Promise<void>;
}

/** Closes one after the other, each bounded in time; one that fails or hangs does not keep the others open. */
export async function closeInOrder(parts: readonly Closing[], clock: Clock, log: Log): Promise<void> {
  for (const part of parts) {
    try {
      await withDeadline(CLOSE_MS, clock, (deadline) => orAborted(part.close(deadline), deadline));
    } catch (error) {
      log.warn({ part: part.name, err: error }, 'closing failed, continuing');
    }
  }
}
