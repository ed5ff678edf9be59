import { once } from 'node:events';
import { createServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { GetRoleCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { makeAuthority, makeServerIdentity } from '@irsa-operator/testbed';
import { afterEach, expect, test, vi } from 'vitest';
import { Fault } from '../api/fault.ts';
import { systemClock } from '../runtime/clock.ts';
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

/** IAM, and clients of it that ask `state` before they send what writes. */
async function iam() {
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
    const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => near.destroy()).on('error', () => far.destroy());
  }).listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(way, 'listening')]);
  const { port } = way.address() as AddressInfo;
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0'); // the certificate is of an authority of our own
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_ENDPOINT_URL_IAM', `https://127.0.0.1:${port}`);
  const state = { leads: true };
  const clients = awsClients('1.2.3', undefined, () => {
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
