import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ManualClock } from '../runtime/manual-clock.ts';
import { connect, impersonating } from './config.ts';
import { connectionTo, transportTo } from './test-server.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'irsa-operator-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const base64 = (text: string) => Buffer.from(text).toString('base64');

function file(name: string, content: string | object): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : stringify(content));
  return path;
}

function kubeconfig(user: object, cluster: object = {}, name = 'one'): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server: `https://${name}.example:6443/`, ...cluster } }],
    users: [{ name, user }],
  };
}

describe('the cluster is', () => {
  test('the one of KUBECONFIG, with its certificates', async () => {
    const user = { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') };
    const cluster = { 'certificate-authority-data': base64('CA'), 'tls-server-name': 'api.internal', 'proxy-url': 'http://proxy:3128' };
    const connection = connect({ kubeconfig: file('config', kubeconfig(user, cluster)), clock: new ManualClock() });
    expect(await connection.endpoint()).toEqual({
      url: 'https://one.example:6443',
      headers: {},
      tls: { ca: 'CA', cert: 'CERT', key: 'KEY', servername: 'api.internal' },
      proxy: 'http://proxy:3128',
    });
  });

  test('the one of KUBECONFIG in a pod too: whoever says it means it', async () => {
    const connection = connect({
      kubeconfig: file('config', kubeconfig({ token: 'abc' })),
      serviceHost: '10.0.0.1',
      clock: new ManualClock(),
    });
    expect(await connection.endpoint()).toEqual({ url: 'https://one.example:6443', headers: { Authorization: 'Bearer abc' }, tls: {} });
  });

  test('merged from several files as kubectl does: the first that names something counts, missing files are left out', async () => {
    const first = file('first', { ...kubeconfig({ token: 'first' }, {}, 'a'), 'current-context': 'b' });
    const second = file('second', kubeconfig({ token: 'second' }, {}, 'b'));
    const third = file('third', kubeconfig({ token: 'third' }, {}, 'b'));
    const files = [first, join(folder, 'absent'), second, third].join(delimiter);
    const connection = connect({ kubeconfig: files, clock: new ManualClock() });
    expect(await connection.endpoint()).toEqual({ url: 'https://b.example:6443', headers: { Authorization: 'Bearer second' }, tls: {} });
    const other = connect({ kubeconfig: files, context: 'a', clock: new ManualClock() });
    expect((await other.endpoint()).url).toBe('https://a.example:6443');
  });

  test("the pod's own, with its service account, where KUBECONFIG says nothing", async () => {
    file('ca.crt', 'CA');
    file('token', 'abc\n');
    for (const [serviceHost, url] of [
      ['10.0.0.1', 'https://10.0.0.1:8443'],
      ['fd00::1', 'https://[fd00::1]:8443'],
    ]) {
      const connection = connect({
        kubeconfig: '',
        serviceHost,
        servicePort: '8443',
        serviceAccountFolder: folder,
        home: folder,
        clock: new ManualClock(),
      });
      expect(await connection.endpoint()).toEqual({
        url,
        headers: { Authorization: 'Bearer abc' },
        tls: { ca: 'CA' },
      });
    }
  });

  test('never a guess: without any of them one is told what is missing', () => {
    expect(() => connect({ home: folder, clock: new ManualClock() })).toThrow(
      `no cluster is configured: KUBECONFIG is not set, this is not a pod (KUBERNETES_SERVICE_HOST is not set), and "${join(folder, '.kube', 'config')}" does not exist. Set KUBECONFIG`,
    );
    // Only that there is none at all, not that one is wrong: who may do without a cluster can tell.
    expect(() => connect({ home: folder, clock: new ManualClock() })).toThrow(expect.objectContaining({ kind: 'notFound' }));
    expect(() => connect({ kubeconfig: join(folder, 'absent'), clock: new ManualClock() })).toThrow(
      /names ".*absent", and no such file exists/,
    );
    const path = file('config', kubeconfig({}));
    expect(() => connect({ kubeconfig: path, context: 'two', clock: new ManualClock() })).toThrow(
      `kubeconfig "${path}": there is no context "two"`,
    );
  });

  test('never one without encryption', async () => {
    const connection = connect({
      kubeconfig: file('config', kubeconfig({ token: 'a' }, { server: 'http://one.example' })),
      clock: new ManualClock(),
    });
    await expect(connection.endpoint()).rejects.toThrow(/HTTP protocol is not allowed/);
  });
});

describe('a token file', () => {
  test('is read again when a minute has passed, and at once after it was refused', async () => {
    const clock = new ManualClock();
    file('token', 'first\n');
    const connection = connect({ kubeconfig: file('config', kubeconfig({ tokenFile: 'token' })), clock });
    const token = async () => (await connection.endpoint()).headers['Authorization'];
    expect(await token()).toBe('Bearer first');
    file('token', 'second\n');
    clock.freeze(59_999);
    expect(await token()).toBe('Bearer first');
    clock.freeze(1);
    expect(await token()).toBe('Bearer second');
    file('token', 'third\n');
    connection.refresh();
    expect(await token()).toBe('Bearer third');
  });

  test('that is being replaced does not interrupt: what was read last is used', async () => {
    const clock = new ManualClock();
    file('token', 'first');
    const connection = connect({ kubeconfig: file('config', kubeconfig({ tokenFile: join(folder, 'token') })), clock });
    await connection.endpoint();
    rmSync(join(folder, 'token'));
    clock.freeze(60_000);
    expect((await connection.endpoint()).headers).toEqual({ Authorization: 'Bearer first' });
    connection.refresh();
    await expect(connection.endpoint()).rejects.toThrow(/ENOENT/);
    file('token', 'second');
    expect((await connection.endpoint()).headers).toEqual({ Authorization: 'Bearer second' });
  });

  test('counts more than a token beside it (kubeconfig API)', async () => {
    const connection = connect({
      kubeconfig: file('config', kubeconfig({ token: 'inline', tokenFile: file('token', 'from the file') })),
      clock: new ManualClock(),
    });
    expect((await connection.endpoint()).headers).toEqual({ Authorization: 'Bearer from the file' });
  });
});

test('a kubeconfig whose certificates change is read again after a refusal', async () => {
  const path = file('config', kubeconfig({ token: 'a' }, { 'certificate-authority': file('ca', 'OLD') }));
  const clock = new ManualClock();
  const connection = connect({ kubeconfig: path, clock });
  expect((await connection.endpoint()).tls).toEqual({ ca: 'OLD' });
  file('ca', 'NEW');
  clock.freeze(60_000);
  expect((await connection.endpoint()).tls).toEqual({ ca: 'NEW' });
  file('config', kubeconfig({ token: 'b' }));
  connection.refresh();
  expect(await connection.endpoint()).toEqual({ url: 'https://one.example:6443', headers: { Authorization: 'Bearer b' }, tls: {} });
});

test('an exec plugin is run for its token, and again after a refusal', async () => {
  const script = file(
    'plugin.mjs',
    'import { appendFileSync, readFileSync } from "node:fs"; const f = process.argv[2]; appendFileSync(f, "x"); console.log(JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token: "run-" + readFileSync(f).length } }));',
  );
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [script, join(folder, 'runs')] };
  const connection = connect({ kubeconfig: file('config', kubeconfig({ exec })), clock: new ManualClock() });
  expect((await connection.endpoint()).headers).toEqual({ Authorization: 'Bearer run-1' });
  expect((await connection.endpoint()).headers).toEqual({ Authorization: 'Bearer run-1' });
  connection.refresh();
  expect((await connection.endpoint()).headers).toEqual({ Authorization: 'Bearer run-2' });
});

test('each group of --as-group is a header of its own: the API server takes no list', async () => {
  const raw: string[][] = [];
  const server = createServer((request, response) => {
    raw.push(request.rawHeaders);
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const own = connectionTo(() => ({ url: `http://127.0.0.1:${port}`, headers: {}, tls: {} }));
  const transport = transportTo('', { connection: impersonating(own, 'jane', ['a', 'b,c']) });
  await transport.request({ method: 'GET', path: '/api' }, new AbortController().signal);
  const [headers = []] = raw;
  const values = headers.flatMap((name, at) => (at % 2 === 0 && name.toLowerCase() === 'impersonate-group' ? [headers[at + 1]] : []));
  expect([values, headers.includes('jane')]).toEqual([['a', 'b,c'], true]);
  await transport.close();
  await new Promise((resolve) => server.close(resolve));
});
