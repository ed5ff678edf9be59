import { createServer, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { type HealthServer, listen, serveHealth } from './server.ts';

let server: HealthServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

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

const ALIVE = { livez: () => [], readyz: () => [] };
const LOOPBACKS = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .flatMap(({ address }) => (address === '127.0.0.1' || address === '::1' ? [address] : []));

describe('by default it answers', () => {
  for (const address of LOOPBACKS)
    test(`on ${address}`, async () => {
      server = await serveHealth({ host: '::', port: 0 }, new Registry(), ALIVE);
      const host = address.includes(':') ? `[${address}]` : address;
      expect((await fetch(`http://${host}:${server.port}/livez`)).status).toBe(200);
    });
});

/** A server on a machine where listening on these hosts fails with this code. */
class Refusing extends Server {
  readonly asked: string[] = [];
  readonly #hosts: readonly string[];
  readonly #code: string;

  constructor(hosts: readonly string[], code: string) {
    super();
    this.#hosts = hosts;
    this.#code = code;
  }

  override listen(...args: unknown[]): this {
    const [port, host] = args as [number, string];
    this.asked.push(host);
    if (!this.#hosts.includes(host)) return super.listen(port, '127.0.0.1');
    process.nextTick(() => this.emit('error', Object.assign(new Error(`listen ${this.#code}`), { code: this.#code })));
    return this;
  }
}

const refusals: Record<string, { hosts: string[]; code: string; wanted: string; asked: string[]; error?: string }> = {
  'no IPv6 in the kernel: IPv4': { hosts: ['::'], code: 'EAFNOSUPPORT', wanted: '::', asked: ['::', '0.0.0.0'] },
  'no address of IPv6: IPv4': { hosts: ['::'], code: 'EADDRNOTAVAIL', wanted: '::', asked: ['::', '0.0.0.0'] },
  'neither: the second refusal is told': {
    hosts: ['::', '0.0.0.0'],
    code: 'EADDRNOTAVAIL',
    wanted: '::',
    asked: ['::', '0.0.0.0'],
    error: 'listen EADDRNOTAVAIL',
  },
  'a port that is taken is told': { hosts: ['::'], code: 'EADDRINUSE', wanted: '::', asked: ['::'], error: 'listen EADDRINUSE' },
  'a port that is not allowed is told': { hosts: ['::'], code: 'EACCES', wanted: '::', asked: ['::'], error: 'listen EACCES' },
  'an address that was chosen is not replaced by every address': {
    hosts: ['::1'],
    code: 'EADDRNOTAVAIL',
    wanted: '::1',
    asked: ['::1'],
    error: 'listen EADDRNOTAVAIL',
  },
  'nothing is refused: nothing else is asked': { hosts: [], code: '', wanted: '::', asked: ['::'] },
  'IPv4 alone was chosen': { hosts: ['::'], code: 'EAFNOSUPPORT', wanted: '0.0.0.0', asked: ['0.0.0.0'] },
};
describe('where a machine refuses to listen', () => {
  for (const [sentence, { hosts, code, wanted, asked, error }] of Object.entries(refusals))
    test(sentence, async () => {
      const refusing = new Refusing(hosts, code);
      const told = await listen(refusing, { host: wanted, port: 0 }).then(
        () => undefined,
        (reason: Error) => reason.message,
      );
      expect({ asked: refusing.asked, told, listening: refusing.listening }).toEqual({
        asked,
        told: error,
        listening: error === undefined,
      });
      refusing.close();
    });
});

test('a port that another server has is told', async () => {
  const other = createServer();
  await listen(other, { host: '::', port: 0 });
  const { port } = other.address() as AddressInfo;
  await expect(serveHealth({ host: '::', port }, new Registry(), ALIVE)).rejects.toThrow('EADDRINUSE');
  other.close();
});
