import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/**
 * As many ports as there are names, free a moment ago: nothing holds them until the component binds them, so the caller must be
 * ready to ask again. All are open at the same time, hence different.
 */
export async function freePorts<Name extends string>(names: readonly Name[]): Promise<Record<Name, number>> {
  const servers = names.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return Object.fromEntries(names.map((name, i) => [name, ports[i]])) as Record<Name, number>;
}
