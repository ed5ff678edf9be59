import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { makeAuthority, makeClientIdentity, makeServerIdentity } from './certificate.ts';
import { integer, objectIdentifier, utcTime } from './der.ts';

const derCases: Record<string, { element: Buffer; hex: string }> = {
  'an object identifier with a number of several bytes': { element: objectIdentifier('1.2.840.10045.4.3.2'), hex: '06082a8648ce3d040302' },
  'an integer whose first bit is one gets a zero byte, or it would be negative': { element: integer(Buffer.of(0x80)), hex: '02020080' },
  'leading zero bytes of an integer are dropped': { element: integer(Buffer.of(0, 0, 5)), hex: '020105' },
  'zero is one byte': { element: integer(Buffer.of(0)), hex: '020100' },
  'a time has two digits of the year': {
    element: utcTime(new Date('2026-11-24T03:57:48Z')),
    hex: `170d${Buffer.from('261124035748Z').toString('hex')}`,
  },
};
for (const [sentence, { element, hex }] of Object.entries(derCases)) test(sentence, () => expect(element.toString('hex')).toBe(hex));

test('a certificate names its subject and its hosts, is signed by the authority, and fits its key', () => {
  const authority = makeAuthority('test-ca');
  const { certificate, key } = makeServerIdentity(authority, 'server', ['127.0.0.1', 'localhost']);
  const parsed = new X509Certificate(certificate);
  const root = new X509Certificate(authority.certificate);
  expect({
    subject: parsed.subject,
    issuer: parsed.issuer,
    hosts: parsed.subjectAltName,
    signed: parsed.verify(root.publicKey) && parsed.checkIssued(root),
    fits: parsed.checkPrivateKey(createPrivateKey(key)),
    isAuthority: [parsed.ca, root.ca],
  }).toEqual({
    subject: 'CN=server',
    issuer: 'CN=test-ca',
    hosts: 'IP Address:127.0.0.1, DNS:localhost',
    signed: true,
    fits: true,
    isAuthority: [false, true],
  });
});

test('both sides of a TLS connection accept each other, and the server reads user and group', async () => {
  const authority = makeAuthority('test-ca');
  const server = makeServerIdentity(authority, 'server', ['127.0.0.1']);
  const admin = makeClientIdentity(authority, { commonName: 'admin', organization: 'system:masters' });
  const listener = createServer({ cert: server.certificate, key: server.key, ca: authority.certificate, requestCert: true }, (req, res) => {
    const { subject } = req.socket instanceof TLSSocket ? req.socket.getPeerCertificate() : { subject: {} };
    res.end(JSON.stringify(subject));
  });
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  try {
    const { port } = listener.address() as AddressInfo;
    const call = request({
      host: '127.0.0.1',
      port,
      ca: authority.certificate,
      cert: admin.certificate,
      key: admin.key,
      agent: false,
    }).end();
    const [response] = await once(call, 'response');
    expect(await json(response)).toEqual({ O: 'system:masters', CN: 'admin' });
  } finally {
    listener.close();
  }
});
