import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** Answers each connection with its name; what the test writes to the returned socket, the client gets. */
async function stand(): Promise<{ proxy: TcpProxy; served: Promise<Socket>; port: number }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const served = once(server, 'connection').then(([socket]) => socket as Socket);
  const proxy = await startTcpProxy((server.address() as AddressInfo).port);
  over.push(
    () => proxy.stop(),
    () => server.close(),
  );
  return { proxy, served, port: proxy.port };
}

const over: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of over.splice(0)) await end();
});

test('half of a piece of a body passes before the end, and the head of an answer is left whole', async () => {
  const { proxy, served, port } = await stand();
  const client = connect(port, '127.0.0.1');
  const server = await served;
  proxy.cutInBody();
  server.write('HTTP/1.1 200 OK\r\n\r\n');
  const [head] = await once(client, 'data');
  server.write('0123456789');
  expect([String(head), await text(client)]).toEqual(['HTTP/1.1 200 OK\r\n\r\n', '01234']);
});

test('a frozen connection stays open and silent, and what was held back comes when it thaws', async () => {
  const { proxy, served, port } = await stand();
  const client = connect(port, '127.0.0.1');
  const server = await served;
  client.write('up');
  await once(server, 'data');
  proxy.freeze();
  const heard: string[] = [];
  client.on('data', (piece) => heard.push(String(piece)));
  server.write('late');
  await new Promise((done) => server.write('', done)); // it is out of the server's hands
  expect([heard, client.destroyed]).toEqual([[], false]);
  proxy.thaw();
  await once(client, 'data');
  expect(heard).toEqual(['late']);
});

test('without a port to lead to, a connection is ended at once', async () => {
  const { proxy, port } = await stand();
  proxy.redirect(undefined);
  const client = connect(port, '127.0.0.1');
  expect(await text(client)).toBe('');
  expect(proxy.accepted).toHaveLength(1);
});
