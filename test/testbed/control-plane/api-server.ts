import { join } from 'node:path';
import type { Pki } from '../pki/index.ts';
import type { Launch } from './component.ts';
import { httpsStatus } from './https-status.ts';

/** Megabytes. The log is not to be rotated away while a test reads it; a benchmark writes a few hundred. */
const AUDIT_LOG_MAX_SIZE = '2000';

/** As whom certificates must name the server: 10.0.0.1 is the first address of the service range. */
export const API_SERVER_HOSTS = ['127.0.0.1', 'localhost', 'kubernetes.default.svc', '10.0.0.1'];
const SERVICE_RANGE = '10.0.0.0/24';

/** EKS caps a projected token at a day as well. */
const MAX_TOKEN_LIFE = '24h';

export interface ApiServerSettings {
  etcdPort: number;
  issuer: string;
  pki: Pki;
  auditPolicy: string;
  auditLog: string;
  extraArgs: readonly string[];
}

export function apiServer(binary: string, folder: string, settings: ApiServerSettings): Launch<'secure'> {
  const { etcdPort, issuer, pki, auditPolicy, auditLog, extraArgs } = settings;
  return {
    name: 'kube-apiserver',
    binary,
    ports: ['secure'],
    args: ({ secure }) => [
      ...['--etcd-servers', `http://127.0.0.1:${etcdPort}`],
      ...['--bind-address', '127.0.0.1', '--advertise-address', '127.0.0.1', '--secure-port', `${secure}`],
      ...['--cert-dir', join(folder, 'pki'), '--tls-cert-file', pki.apiServer.certificate, '--tls-private-key-file', pki.apiServer.key],
      ...['--client-ca-file', pki.authorityFile, '--authorization-mode', 'RBAC', '--allow-privileged=true', '--profiling=false'],
      ...['--service-cluster-ip-range', SERVICE_RANGE, '--endpoint-reconciler-type', 'none'],
      ...['--service-account-issuer', issuer, '--service-account-jwks-uri', `https://127.0.0.1:${secure}/openid/v1/jwks`],
      ...['--service-account-signing-key-file', pki.serviceAccountKey, '--service-account-key-file', pki.serviceAccountPublicKey],
      ...['--service-account-max-token-expiration', MAX_TOKEN_LIFE, '--service-account-extend-token-expiration=false'],
      ...['--api-audiences', 'https://kubernetes.default.svc'], // without it a token for any audience of the issuer would be the API server's
      ...['--audit-policy-file', auditPolicy, '--audit-log-path', auditLog, '--audit-log-maxsize', AUDIT_LOG_MAX_SIZE],
      ...extraArgs,
    ],
    // Up, not ready: the other components can start meanwhile.
    isUp: async ({ secure }, signal) =>
      (await httpsStatus(`https://127.0.0.1:${secure}/livez`, pki.authority.certificate, signal)) !== undefined,
  };
}
