/** For a command that leaves nothing half done at any time: Ctrl-C ends it at once. */
export function stopBySignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop.abort(new DOMException(`received ${signal}`, 'AbortError')));
  return stop.signal;
}
