import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { createServer as createTlsServer, connect as dialTls } from 'node:tls';

/** Makes a proxy that ends TLS on both sides, so that faults can be placed in what is said, not only in what is sent. Paths of PEM files. */
export interface TcpProxyTls {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** A way between a client and one server on 127.0.0.1 that breaks when it is told to. It passes bytes on and knows no protocol. */
export interface TcpProxy {
  readonly port: number;
  /** When each connection was accepted: milliseconds of `performance.now()`. */
  readonly accepted: readonly number[];
  /** Ends what is open, and leads what comes to this port; undefined: ends that at once too. */
  redirect(port: number | undefined): void;
  /** Ends every open connection. */
  cut(): void;
  /** Lets half of the server's next piece pass, then ends that connection. An HTTP answer's head is not counted: what breaks is a body. */
  cutInBody(): void;
  /** Nothing passes any more on the connections that are open now, and nobody is told: so a NAT forgets them. New ones work. */
  freeze(): void;
  /** What was held back passes, late. */
  thaw(): void;
  stop(): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** Resolved while bytes may pass. */
  held: Promise<void>;
}

export async function startTcpProxy(port: number, tls?: TcpProxyTls): Promise<TcpProxy> {
  const links = new Set<Link>();
  const accepted: number[] = [];
  let target: number | undefined = port;
  let cutsDue = 0;
  let frozen = Promise.withResolvers<void>();

  const end = (link: Link) => {
    links.delete(link);
    link.client.destroy();
    link.server.destroy();
  };
  const cut = () => {
    for (const link of links) end(link);
  };
  const gate = (link: Link, breaks: boolean) =>
    new Transform({
      async transform(piece: Buffer, _encoding, done) {
        await link.held;
        if (!breaks || cutsDue === 0 || piece.subarray(0, 5).toString() === 'HTTP/') return done(null, piece);
        cutsDue -= 1;
        // Half of it and the end; whatever the server says after that is dropped with the connection.
        link.client.once('finish', () => end(link));
        this.push(piece.subarray(0, piece.length >> 1));
        this.push(null);
      },
    });
  const accept = (client: Socket) => {
    accepted.push(performance.now());
    client.on('error', () => {}); // its end is told by `close`
    if (target === undefined) {
      client.destroy();
      return;
    }
    const server =
      tls === undefined ? dial(target, '127.0.0.1') : dialTls({ port: target, host: '127.0.0.1', ca: readFileSync(tls.authority) });
    server.on('error', () => {});
    const link: Link = { client, server, held: Promise.resolve() };
    links.add(link);
    for (const socket of [client, server]) socket.once('close', () => end(link));
    client.pipe(gate(link, false)).pipe(server);
    server.pipe(gate(link, true)).pipe(client);
  };

  const listener =
    tls === undefined ? createServer(accept) : createTlsServer({ cert: readFileSync(tls.certificate), key: readFileSync(tls.key) }, accept);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');

  return {
    port: (listener.address() as AddressInfo).port,
    accepted,
    cut,
    redirect(to) {
      target = to;
      cut();
    },
    cutInBody() {
      cutsDue += 1;
    },
    freeze() {
      for (const link of links) link.held = frozen.promise;
    },
    thaw() {
      frozen.resolve();
      frozen = Promise.withResolvers();
    },
    async stop() {
      listener.close();
      cut();
      await once(listener, 'close');
    },
  };
}
