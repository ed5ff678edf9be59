import { type Logger, pino } from 'pino';
import type { LogLevel } from './log-levels.ts';

/** Members of an error that tell a person something. Everything else that libraries hang on errors (requests, headers, bodies) may carry a token. */
interface SafeError {
  readonly type: string;
  readonly message: string;
  readonly kind?: string;
  readonly code?: string;
  readonly stack?: string;
}

/** JSON lines on standard output. An error is reduced to what is known to be harmless; its stack only where it is of no known kind. */
export function logger(level: LogLevel, version: string): Logger {
  return pino({
    level,
    base: { version },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: safeError },
  });
}

export function safeError(error: unknown): SafeError | string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : typeof error;
  const { kind, code, name, message, stack } = error as Error & { kind?: unknown; code?: unknown };
  const known = typeof kind === 'string';
  return {
    type: name,
    message,
    ...(known ? { kind } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    ...(known || stack === undefined ? {} : { stack }),
  };
}
