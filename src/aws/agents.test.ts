import { once } from 'node:events';
import { createServer as createProxy, type Server as HttpServer } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { GetRoleCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { makeAuthority, makeServerIdentity } from '@irsa-operator/testbed';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Fault } from '../api/fault.ts';
import { systemClock } from '../runtime/clock.ts';
import type { ProxyVariables } from './agents.ts';
import { awsCalls } from './calls.ts';
import { awsClients } from './clients.ts';

const never = new AbortController().signal;
const write = () => new UpdateAssumeRolePolicyCommand({ RoleName: 'x', PolicyDocument: '{}' });
const ANSWER = '<GetRoleResponse><GetRoleResult/></GetRoleResponse>';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
  vi.unstubAllEnvs();
});

const portOf = (server: Pick<Server, 'address'>) => (server.address() as AddressInfo).port;

/** IAM, and clients of it that ask `state` before they send what writes. */
async function iam(proxy: ProxyVariables = {}) {
  const asked: string[] = [];
  const authority = await makeAuthority('test-ca');
  const { certificate: cert, key } = await makeServerIdentity(authority, 'iam', ['127.0.0.1']);
  const server = createServer({ cert, key }, (request, response) => {
    request.on('data', (chunk) => asked.push(/Action=(\w+)/.exec(String(chunk))?.[1] ?? '')).on('end', () => response.end(ANSWER));
  }).listen(0, '127.0.0.1');
  // On the way to it a connection can be held before its TLS handshake, as by a slow network.
  const gate = { isOpen: Promise.resolve(), reached: Promise.withResolvers<void>() };
  const way = createTcpServer(async (near) => {
    gate.reached.resolve();
    await gate.isOpen;
    const far = connect(portOf(server), '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => near.destroy()).on('error', () => far.destroy());
  }).listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(way, 'listening')]);
  const port = portOf(way);
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0'); // the certificate is of an authority of our own
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_ENDPOINT_URL_IAM', `https://127.0.0.1:${port}`);
  const state = { leads: true };
  const clients = awsClients('1.2.3', undefined, proxy, () => {
    if (!state.leads) throw new Fault('transient', 'not the leader');
  });
  const close = () => {
    for (const client of [clients.iam, clients.iamWrites]) client.destroy();
    server.close();
    server.closeAllConnections();
    way.close();
  };
  open.push(close);
  return { asked, state, clients, gate, port, close };
}

/** How it ended, in the product's words. */
const call = awsCalls({ requested: () => {} }, systemClock);
const ends = (send: (options: { abortSignal: AbortSignal }) => Promise<unknown>) =>
  call({ service: 'iam', operation: 'UpdateAssumeRolePolicy', of: 'role "x"', signal: never, send }).then(
    () => 'done',
    (error: unknown) => (error instanceof Fault ? `${error.kind}: ${error.message}` : String(error)),
  );

test('a write goes out while the lease is held, and the next one on the same connection', async () => {
  const { asked, clients } = await iam();
  for (let n = 0; n < 2; n += 1) expect(await ends((options) => clients.iamWrites.send(write(), options))).toBe('done');
  expect(asked).toEqual(['UpdateAssumeRolePolicy', 'UpdateAssumeRolePolicy']);
});

// Contract: two-leaders
test('a write that waited for its connection is not sent by one who leads no more', async () => {
  const { asked, state, clients, gate } = await iam();
  const through = Promise.withResolvers<void>();
  gate.isOpen = through.promise;
  const ended = ends((options) => clients.iamWrites.send(write(), options));
  await gate.reached.promise; // the request is made, and waits for TLS
  state.leads = false;
  through.resolve();
  expect(await ended).toBe('transient: not the leader');
  expect(asked).toEqual([]);
});

test('nor on a connection that is there already', async () => {
  const { asked, state, clients } = await iam();
  await ends((options) => clients.iamWrites.send(write(), options));
  state.leads = false;
  expect(await ends((options) => clients.iamWrites.send(write(), options))).toBe('transient: not the leader');
  expect(asked).toEqual(['UpdateAssumeRolePolicy']);
});

test('the next leader’s turn is as good as the first one’s: a refusal leaves nothing behind', async () => {
  const { asked, state, clients } = await iam();
  state.leads = false;
  await ends((options) => clients.iamWrites.send(write(), options));
  state.leads = true;
  expect(await ends((options) => clients.iamWrites.send(write(), options))).toBe('done');
  expect(asked).toEqual(['UpdateAssumeRolePolicy']);
});

test('reads pass', async () => {
  const { asked, state, clients } = await iam();
  state.leads = false;
  expect(await ends((options) => clients.iam.send(new GetRoleCommand({ RoleName: 'x' }), options))).toBe('done');
  expect(asked).toEqual(['GetRole']);
});

test('no connection at all is told as it is', async () => {
  const { clients, port, close } = await iam();
  close();
  expect(await ends((options) => clients.iamWrites.send(write(), options))).toBe(
    `transient: iam:UpdateAssumeRolePolicy of role "x": ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:${port}`,
  );
});

/** A proxy that makes tunnels, and what it was asked for; `answer` in place of a tunnel. */
async function proxy(answer?: string) {
  const asked: string[] = [];
  const gate = { isOpen: Promise.resolve(), reached: Promise.withResolvers<void>() };
  const server: HttpServer = createProxy((_request, response) => response.writeHead(400).end());
  server.on('connect', async ({ url = '', headers }, near) => {
    asked.push([url, ...(headers['proxy-authorization'] ?? [])].join(''));
    if (answer !== undefined) {
      near.end(`HTTP/1.1 ${answer}\r\n\r\n`);
      return;
    }
    gate.reached.resolve();
    await gate.isOpen;
    const far = connect(Number(url.split(':').at(-1)), '127.0.0.1', () => near.write('HTTP/1.1 200 Connection established\r\n\r\n'));
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => near.destroy()).on('error', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { asked, gate, url: `http://127.0.0.1:${portOf(server)}`, withPassword: `http://me:s3cret@127.0.0.1:${portOf(server)}` };
}

describe('through a proxy', () => {
  const read = () => new GetRoleCommand({ RoleName: 'x' });

  for (const name of ['HTTPS_PROXY', 'https_proxy'] as const)
    test(`of ${name} both what reads and what writes go, and the next call on the same tunnel`, async () => {
      const { url, asked: tunnels } = await proxy();
      const { asked, clients, port } = await iam({ [name]: url });
      for (let n = 0; n < 2; n += 1) {
        expect(await ends((options) => clients.iam.send(read(), options))).toBe('done');
        expect(await ends((options) => clients.iamWrites.send(write(), options))).toBe('done');
      }
      expect(tunnels).toEqual([`127.0.0.1:${port}`, `127.0.0.1:${port}`]);
      expect(asked).toEqual(['GetRole', 'UpdateAssumeRolePolicy', 'GetRole', 'UpdateAssumeRolePolicy']);
    });

  for (const [name, value] of [
    ['NO_PROXY', '127.0.0.1'],
    ['no_proxy', 'sts.amazonaws.com, 127.0.0.1'],
    ['NO_PROXY', '*'],
  ] as const)
    test(`nothing goes to a host of ${name}=${value}`, async () => {
      const { url, asked: tunnels } = await proxy();
      const { asked, clients } = await iam({ HTTPS_PROXY: url, [name]: value });
      expect(await ends((options) => clients.iamWrites.send(write(), options))).toBe('done');
      expect([tunnels, asked]).toEqual([[], ['UpdateAssumeRolePolicy']]);
    });

  test('nothing goes by the proxy of plain HTTP', async () => {
    const { url, asked: tunnels } = await proxy();
    const { clients } = await iam({ HTTP_PROXY: url });
    expect(await ends((options) => clients.iamWrites.send(write(), options))).toBe('done');
    expect(tunnels).toEqual([]);
  });

  // Contract: two-leaders
  test('a write that waited for its tunnel is not sent by one who leads no more', async () => {
    const { url, gate } = await proxy();
    const { asked, state, clients } = await iam({ HTTPS_PROXY: url });
    const through = Promise.withResolvers<void>();
    gate.isOpen = through.promise;
    const ended = ends((options) => clients.iamWrites.send(write(), options));
    await gate.reached.promise;
    state.leads = false;
    through.resolve();
    expect(await ended).toBe('transient: not the leader');
    expect(asked).toEqual([]);
  });

  // Contract: two-leaders
  test('nor one that waited for TLS in its tunnel, nor on a tunnel that is there already', async () => {
    const { url } = await proxy();
    const { asked, state, clients, gate } = await iam({ HTTPS_PROXY: url });
    const through = Promise.withResolvers<void>();
    gate.isOpen = through.promise;
    const ended = ends((options) => clients.iamWrites.send(write(), options));
    await gate.reached.promise;
    state.leads = false;
    through.resolve();
    expect(await ended).toBe('transient: not the leader');
    state.leads = true;
    expect(await ends((options) => clients.iamWrites.send(write(), options))).toBe('done');
    state.leads = false;
    expect(await ends((options) => clients.iamWrites.send(write(), options))).toBe('transient: not the leader');
    expect(asked).toEqual(['UpdateAssumeRolePolicy']);
  });

  test('that refuses, the refusal is told, and no password', async () => {
    const { withPassword, asked: tunnels } = await proxy('403 Forbidden');
    const { asked, clients } = await iam({ HTTPS_PROXY: withPassword });
    for (const client of [clients.iam, clients.iamWrites]) {
      const said = await ends((options) => client.send(write(), options));
      expect(said).toMatch(
        /^transient: .*ERR_PROXY_TUNNEL: Failed to establish tunnel to 127\.0\.0\.1:\d+ via http:\/\/127.*403 Forbidden$/,
      );
      expect(said).not.toContain('s3cret');
    }
    expect([tunnels.every((one) => one.includes('Basic ')), asked]).toEqual([true, []]);
  });

  test('that is not there, the network is told', async () => {
    const { clients } = await iam({ HTTPS_PROXY: 'http://127.0.0.1:1' });
    for (const client of [clients.iam, clients.iamWrites])
      expect(await ends((options) => client.send(write(), options))).toBe(
        'transient: iam:UpdateAssumeRolePolicy of role "x": ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:1',
      );
  });

  test('STS is asked for our credentials on the same way', async () => {
    const { url, asked: tunnels } = await proxy('403 Forbidden');
    const { clients } = await iam({ HTTPS_PROXY: url });
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/absent');
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::111122223333:role/irsa-operator');
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', fileURLToPath(import.meta.url)); // any text
    for (const client of [clients.iam, clients.iamWrites]) await ends((options) => client.send(write(), options));
    expect(tunnels).toEqual(['sts.eu-central-1.amazonaws.com:443', 'sts.eu-central-1.amazonaws.com:443']);
  });
});
