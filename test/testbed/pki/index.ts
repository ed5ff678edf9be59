import { generateKeyPair } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Authority, type Identity, makeAuthority, makeServerIdentity } from './certificate.ts';

/** Paths of a certificate and its key, as programs take them by flags. */
export interface IdentityFiles {
  certificate: string;
  key: string;
}

/** What a control plane is founded on: one authority for every certificate, and the pair of keys behind service account tokens. */
export interface Pki {
  authority: Authority;
  authorityFile: string;
  apiServer: IdentityFiles;
  webhook: IdentityFiles;
  serviceAccountKey: string;
  serviceAccountPublicKey: string;
}

/** EKS signs tokens with RS256; so does this API server. */
const TOKEN_KEY_BITS = 2048;

export async function makePki(folder: string, apiServerHosts: readonly string[]): Promise<Pki> {
  mkdirSync(folder);
  const write = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const writeIdentity = (name: string, { certificate, key }: Identity): IdentityFiles => ({
    certificate: write(`${name}.crt`, certificate),
    key: write(`${name}.key`, key),
  });
  const authority = await makeAuthority('irsa-operator-testbed');
  const [tokenKeys, apiServer, webhook] = await Promise.all([
    promisify(generateKeyPair)('rsa', { modulusLength: TOKEN_KEY_BITS }),
    makeServerIdentity(authority, 'kube-apiserver', apiServerHosts),
    makeServerIdentity(authority, 'pod-identity-webhook', ['127.0.0.1']),
  ]);
  return {
    authority,
    authorityFile: write('ca.crt', authority.certificate),
    apiServer: writeIdentity('apiserver', apiServer),
    webhook: writeIdentity('webhook', webhook),
    serviceAccountKey: write('sa.key', tokenKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
    serviceAccountPublicKey: write('sa.pub', tokenKeys.publicKey.export({ type: 'spki', format: 'pem' }).toString()),
  };
}
