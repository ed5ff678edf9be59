import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  utcTime,
  utf8String,
} from './der.ts';

/** A certificate and its key, both PEM. */
export interface Identity {
  certificate: string;
  key: string;
}

export interface Authority extends Identity {
  privateKey: KeyObject;
  commonName: string;
}

/** Kubernetes reads a client certificate's common name as the user and its organization as the group. */
export interface Subject {
  commonName: string;
  organization?: string;
}

const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
const COMMON_NAME = objectIdentifier('2.5.4.3');
const ORGANIZATION = objectIdentifier('2.5.4.10');
const SERVER_AUTH = objectIdentifier('1.3.6.1.5.5.7.3.1');
const CLIENT_AUTH = objectIdentifier('1.3.6.1.5.5.7.3.2');

/** Bits of `keyUsage`, most significant first: digitalSignature is bit 0, keyCertSign bit 5. */
const DIGITAL_SIGNATURE = bitString(Buffer.of(0b1000_0000), 7);
const KEY_CERT_SIGN = bitString(Buffer.of(0b0000_0100), 2);

const DAY_MS = 24 * 60 * 60 * 1000;

/** Backdated, so that a clock that is set back a little during a run breaks nothing; long enough for a testbed that is left open for months. */
const VALID_BEFORE_MS = DAY_MS;
const VALID_FOR_MS = 365 * DAY_MS;

/** 159 bits: random, positive, within the 20 bytes that RFC 5280 allows. */
const SERIAL_BYTES = 20;

/** A self-signed root, good for one testbed. P-256 throughout: made in a millisecond, where RSA takes a hundred. */
export function makeAuthority(commonName: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const extensions = [
    extension('2.5.29.19', sequence(boolean(true)), 'critical'), // basicConstraints: CA
    extension('2.5.29.15', KEY_CERT_SIGN, 'critical'),
  ];
  const certificate = signed({ commonName }, publicKey, extensions, { privateKey, commonName });
  return { certificate, key: pem(privateKey), privateKey, commonName };
}

/** For a server on this machine. `hosts`: names and IP addresses, as clients will dial them. */
export function makeServerIdentity(authority: Authority, commonName: string, hosts: readonly string[]): Identity {
  const names = hosts.map((host) =>
    isIP(host) === 4 ? implicit(7, Buffer.from(host.split('.').map(Number))) : implicit(2, Buffer.from(host)),
  );
  return makeIdentity(authority, { commonName }, [
    extension('2.5.29.37', sequence(SERVER_AUTH)),
    extension('2.5.29.17', sequence(...names)),
  ]);
}

export function makeClientIdentity(authority: Authority, subject: Subject): Identity {
  return makeIdentity(authority, subject, [extension('2.5.29.37', sequence(CLIENT_AUTH))]);
}

function makeIdentity(authority: Authority, subject: Subject, extensions: readonly Buffer[]): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const usage = extension('2.5.29.15', DIGITAL_SIGNATURE, 'critical');
  return { certificate: signed(subject, publicKey, [usage, ...extensions], authority), key: pem(privateKey) };
}

/** RFC 5280, 4.1: the part that is signed, the algorithm, the signature. Returns PEM. */
function signed(
  subject: Subject,
  publicKey: KeyObject,
  extensions: readonly Buffer[],
  issuer: Pick<Authority, 'privateKey' | 'commonName'>,
): string {
  const now = Date.now();
  const serial = randomBytes(SERIAL_BYTES);
  serial.writeUInt8(serial.readUInt8() & 0x7f);
  const body = sequence(
    explicit(0, integer(Buffer.of(2))), // version 3
    integer(serial),
    ECDSA_WITH_SHA256,
    distinguishedName({ commonName: issuer.commonName }),
    sequence(utcTime(new Date(now - VALID_BEFORE_MS)), utcTime(new Date(now + VALID_FOR_MS))),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions)),
  );
  return new X509Certificate(sequence(body, ECDSA_WITH_SHA256, bitString(sign('sha256', body, issuer.privateKey)))).toString();
}

function distinguishedName({ organization, commonName }: Subject): Buffer {
  const parts = organization === undefined ? [] : [set(sequence(ORGANIZATION, utf8String(organization)))];
  return sequence(...parts, set(sequence(COMMON_NAME, utf8String(commonName))));
}

function extension(id: string, value: Buffer, critical?: 'critical'): Buffer {
  return sequence(objectIdentifier(id), ...(critical === undefined ? [] : [boolean(true)]), octetString(value));
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
