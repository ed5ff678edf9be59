import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer, request as secureRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Testbed } from '@irsa-operator/testbed';

/** A way to the API server that knows what is asked on it. */
export interface CountingProxy {
  readonly port: number;
  /** `GET /api/v1/namespaces`, since the last time that this was asked. */
  asked(): string[];
  stop(): Promise<void>;
}

/** It shows the certificate of the API server, and passes on the token of the client: one with a certificate is nobody behind it. */
export async function countingProxy({ server: target, controlPlane }: Testbed): Promise<CountingProxy> {
  if (controlPlane === undefined) throw new Error('a proxy shows the certificate of the API server, which only a cluster of our own lends');
  const { apiServer, authorityFile } = controlPlane.pki;
  const ca = readFileSync(authorityFile);
  let asked: string[] = [];
  const server = createServer({ cert: readFileSync(apiServer.certificate), key: readFileSync(apiServer.key) }, (incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    asked.push(`${method} ${url.split('?')[0]}`);
    const onward = secureRequest(new URL(url, target), { method, headers, ca }, (answer: IncomingMessage) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', (error) => outgoing.destroy(error));
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked() {
      const found = asked;
      asked = [];
      return found;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
