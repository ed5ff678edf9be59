import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { makeAuthority, makeClientIdentity, makeServerIdentity } from './certificate.ts';

test('a certificate names its subject and its hosts, is signed by the authority, and fits its key', async () => {
  const authority = await makeAuthority('test-ca');
  const { certificate, key } = await makeServerIdentity(authority, 'server', ['127.0.0.1', 'localhost']);
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
  const authority = await makeAuthority('test-ca');
  const server = await makeServerIdentity(authority, 'server', ['127.0.0.1']);
  const admin = await makeClientIdentity(authority, { commonName: 'admin', organization: 'system:masters' });
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
