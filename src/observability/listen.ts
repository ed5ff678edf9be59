import { once } from 'node:events';
import type { Server } from 'node:http';

export interface Address {
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
