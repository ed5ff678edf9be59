import { describe, expect, test } from 'vitest';
import { systemClock } from '../runtime/clock.ts';
import { type HealthChecks, serveHealth, serveMetrics } from './server.ts';

const ANY = { host: '127.0.0.1', port: 0 };

async function answer(
  server: { port: number; close(): Promise<void> },
  path: string,
): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  const text = await response.text();
  await server.close();
  return { status: response.status, type: response.headers.get('content-type'), text };
}

describe('the port of the probes', () => {
  const checks = (livez: string[], readyz: string[]): HealthChecks => ({ livez: () => livez, readyz: () => readyz });
  const cases: Record<string, { checks: HealthChecks; path: string; status: number; text: string }> = {
    'says alive without a trouble': { checks: checks([], ['Pod: not listed']), path: '/livez', status: 200, text: 'ok\n' },
    'says not ready, and why': { checks: checks([], ['Pod: not listed']), path: '/readyz', status: 503, text: 'Pod: not listed\n' },
    'says not alive, and why': { checks: checks(['wedged'], []), path: '/livez?verbose', status: 503, text: 'wedged\n' },
    'has no metrics': { checks: checks([], []), path: '/metrics', status: 404, text: 'there is /livez and /readyz\n' },
    'tells a check that fails': {
      checks: { livez: () => [], readyz: () => expect.fail('no store') },
      path: '/readyz',
      status: 500,
      text: 'no store\n',
    },
  };
  for (const [sentence, { checks: given, path, ...expected }] of Object.entries(cases))
    test(sentence, async () =>
      expect(await answer(await serveHealth(ANY, given, systemClock), path)).toEqual({ ...expected, type: 'text/plain' }),
    );
});

describe('the port of the metrics', () => {
  const page = { contentType: 'text/plain; version=0.0.4', page: () => ['one 1\n', '', Promise.resolve('two 2\n')] };
  const cases: Record<string, { path: string; status: number; type: string; text: string }> = {
    'has the page': { path: '/metrics', status: 200, type: 'text/plain; version=0.0.4', text: 'one 1\ntwo 2\n' },
    'has the page, whatever else is asked': {
      path: '/metrics?name[]=one',
      status: 200,
      type: 'text/plain; version=0.0.4',
      text: 'one 1\ntwo 2\n',
    },
    'has no probes': { path: '/livez', status: 404, type: 'text/plain', text: 'there is /metrics\n' },
  };
  for (const [sentence, { path, ...expected }] of Object.entries(cases))
    test(sentence, async () => expect(await answer(await serveMetrics(ANY, page, systemClock), path)).toEqual(expected));
});
