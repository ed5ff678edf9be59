import 'reflect-metadata'; // @peculiar/x509 resolves its algorithms through it
import { KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its key, both PEM. */
export interface Identity {
  certificate: string;
  key: string;
}

export interface Authority extends Identity {
  signingKey: webcrypto.CryptoKey;
  commonName: string;
}

/** Kubernetes reads a client certificate's common name as the user and its organization as the group. */
export interface Subject {
  commonName: string;
  organization?: string;
}

/** P-256 throughout: made in a millisecond, where RSA takes a hundred. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const DAY_MS = 24 * 60 * 60 * 1000;

/** Backdated, so that a clock that is set back a little during a run breaks nothing; long enough for a testbed that is left open for months. */
const VALID_BEFORE_MS = DAY_MS;
const VALID_FOR_MS = 365 * DAY_MS;

/** A self-signed root, good for one testbed. */
export async function makeAuthority(commonName: string): Promise<Authority> {
  const keys = await generateKeys();
  const extensions = [new BasicConstraintsExtension(true, undefined, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)];
  const issuer = { signingKey: keys.privateKey, commonName };
  return { ...issuer, ...(await identity(keys, { commonName }, extensions, issuer)) };
}

/** For a server on this machine. `hosts`: names and IP addresses, as clients will dial them. */
export async function makeServerIdentity(authority: Authority, commonName: string, hosts: readonly string[]): Promise<Identity> {
  const names = hosts.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }));
  const extensions = [...leaf(ExtendedKeyUsage.serverAuth), new SubjectAlternativeNameExtension(names)];
  return identity(await generateKeys(), { commonName }, extensions, authority);
}

export async function makeClientIdentity(authority: Authority, subject: Subject): Promise<Identity> {
  return identity(await generateKeys(), subject, leaf(ExtendedKeyUsage.clientAuth), authority);
}

function leaf(usage: ExtendedKeyUsage): Extension[] {
  return [new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true), new ExtendedKeyUsageExtension([usage])];
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function identity(
  { publicKey, privateKey }: webcrypto.CryptoKeyPair,
  subject: Subject,
  extensions: Extension[],
  issuer: Pick<Authority, 'signingKey' | 'commonName'>,
): Promise<Identity> {
  const now = Date.now();
  const certificate = await X509CertificateGenerator.create({
    subject: distinguishedName(subject),
    issuer: distinguishedName({ commonName: issuer.commonName }),
    notBefore: new Date(now - VALID_BEFORE_MS),
    notAfter: new Date(now + VALID_FOR_MS),
    publicKey,
    signingKey: issuer.signingKey,
    signingAlgorithm: ALGORITHM,
    extensions,
  });
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function distinguishedName({ organization, commonName }: Subject): { O?: string[]; CN?: string[] }[] {
  return [...(organization === undefined ? [] : [{ O: [organization] }]), { CN: [commonName] }];
}
