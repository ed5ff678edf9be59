import { writeFileSync } from 'node:fs';
import type { Identity } from './pki/certificate.ts';

/** How to reach one API server and be sure that it is that one. */
export interface ClusterAddress {
  server: string;
  /** PEM of the authority that signed its certificate; absent where the system's roots do. */
  authority: string | undefined;
}

/** A user that shows a client certificate, or one whose token stands in a file that may be replaced at any time. */
export type Credentials = Identity | { tokenFile: string };

/** Where the token of a kubeconfig of ours stands. */
export function tokenFileOf(kubeconfig: string): string {
  return kubeconfig.replace(/\.kubeconfig$/, '.token');
}

/** Writes a kubeconfig with one cluster and one user, readable by its owner only. JSON is YAML. */
export function writeKubeconfig(path: string, { server, authority }: ClusterAddress, credentials: Credentials): void {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const user =
    'tokenFile' in credentials
      ? credentials
      : { 'client-certificate-data': base64(credentials.certificate), 'client-key-data': base64(credentials.key) };
  const cluster = authority === undefined ? { server } : { server, 'certificate-authority-data': base64(authority) };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'testbed', cluster }],
    users: [{ name: 'testbed', user }],
    contexts: [{ name: 'testbed', context: { cluster: 'testbed', user: 'testbed' } }],
    'current-context': 'testbed',
  };
  writeFileSync(path, JSON.stringify(config, undefined, 2), { mode: 0o600 });
}
