import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface HealthChecks {
  /** Sentences about what only a restart can mend; empty when alive. Never a broken watch: restarting in an outage helps nobody. */
  livez(): readonly string[];
  /** Sentences about what is not there yet; empty when ready. A standby with full caches is ready too. */
  readyz(): readonly string[];
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A scrape takes milliseconds; whoever is slower than this holds nothing open. */
const REQUEST_TIMEOUT_MS = 10_000;

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Every address of the machine: a socket of IPv6 that answers IPv4 too, as libuv opens it. */
const EVERY = '::';
const EVERY_IPV4 = '0.0.0.0';
/** The answers of a machine without IPv6. Other refusals (a port that is taken or not allowed) are the same for IPv4. */
const WITHOUT_IPV6: readonly unknown[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];

export async function listen(server: Server, { host, port }: Address): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (host !== EVERY || !WITHOUT_IPV6.includes(code)) throw error;
    await listen(server, { host: EVERY_IPV4, port });
  }
}

/** `/livez`, `/readyz` and `/metrics` on one port. */
export async function serveHealth(address: Address, registry: Registry, checks: HealthChecks): Promise<HealthServer> {
  const server: Server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    async (request, response) => {
      const answer = (code: number, type: string, body: string) => response.writeHead(code, { 'content-type': type }).end(body);
      const report = (troubles: readonly string[]) =>
        answer(troubles.length === 0 ? 200 : 503, 'text/plain', `${troubles.join('\n') || 'ok'}\n`);
      try {
        switch (request.url?.split('?')[0]) {
          case '/livez':
            return report(checks.livez());
          case '/readyz':
            return report(checks.readyz());
          case '/metrics':
            return answer(200, registry.contentType, await registry.metrics());
          default:
            return answer(404, 'text/plain', 'there is /livez, /readyz and /metrics\n');
        }
      } catch (error) {
        return answer(500, 'text/plain', `${error instanceof Error ? error.message : 'unknown error'}\n`);
      }
    },
  );
  await listen(server, address);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
