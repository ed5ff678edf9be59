import { createServer, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { listen } from './listen.ts';

const LOOPBACKS = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .flatMap(({ address }) => (address === '127.0.0.1' || address === '::1' ? [address] : []));

describe('every address answers', () => {
  for (const address of LOOPBACKS)
    test(`on ${address}`, async () => {
      const server = createServer((_, response) => response.end());
      await listen(server, { host: '::', port: 0 });
      const host = address.includes(':') ? `[${address}]` : address;
      expect((await fetch(`http://${host}:${(server.address() as AddressInfo).port}/`)).status).toBe(200);
      server.closeAllConnections();
      server.close();
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
  await expect(listen(createServer(), { host: '::', port })).rejects.toThrow('EADDRINUSE');
  other.close();
});
