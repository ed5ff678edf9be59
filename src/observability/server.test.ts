import { Registry } from 'prom-client';
import { afterEach, expect, test } from 'vitest';
import { type HealthServer, serveHealth } from './server.ts';

let server: HealthServer | undefined;
afterEach(async () => server?.close());

async function answers(livez: string[], readyz: string[], path: string): Promise<{ status: number; text: string }> {
  server = await serveHealth({ host: '127.0.0.1', port: 0 }, new Registry(), { livez: () => livez, readyz: () => readyz });
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  return { status: response.status, text: await response.text() };
}

test('alive without a trouble', async () =>
  expect(await answers([], ['Pod: not listed'], '/livez')).toEqual({ status: 200, text: 'ok\n' }));
test('not ready, and why', async () =>
  expect(await answers([], ['Pod: not listed'], '/readyz')).toEqual({ status: 503, text: 'Pod: not listed\n' }));
test('not alive, and why', async () => expect(await answers(['wedged'], [], '/livez?verbose')).toEqual({ status: 503, text: 'wedged\n' }));
test('metrics are served', async () => expect((await answers([], [], '/metrics')).status).toBe(200));
test('there is nothing else', async () => expect((await answers([], [], '/')).status).toBe(404));
