import { join } from 'node:path';
import type { Launch } from './component.ts';

export function etcd(binary: string, folder: string): Launch<'client' | 'peer'> {
  const url = (port: number) => `http://127.0.0.1:${port}`;
  return {
    name: 'etcd',
    binary,
    ports: ['client', 'peer'],
    args: ({ client, peer }) => [
      ...['--data-dir', join(folder, 'etcd')],
      ...['--listen-client-urls', url(client), '--advertise-client-urls', url(client)],
      ...['--listen-peer-urls', url(peer), '--initial-advertise-peer-urls', url(peer)],
      ...['--initial-cluster', `default=${url(peer)}`],
      '--unsafe-no-fsync=true', // nothing in here outlives the process
    ],
    isUp: async ({ client }, signal) => (await fetch(`${url(client)}/health`, { signal })).ok,
  };
}
