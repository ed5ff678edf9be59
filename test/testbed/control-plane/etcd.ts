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

/** Drops the history up to the present revision. */
export async function compactEtcd(port: number, signal: AbortSignal): Promise<void> {
  const ask = async (path: string, body: object) => {
    const answer = await fetch(`http://127.0.0.1:${port}/v3/${path}`, { method: 'POST', body: JSON.stringify(body), signal });
    if (!answer.ok) throw new Error(`etcd answered ${answer.status} to ${path}: ${await answer.text()}`);
    return (await answer.json()) as { header: { revision: string } };
  };
  const { header } = await ask('maintenance/status', {});
  await ask('kv/compaction', { revision: header.revision, physical: true });
}
