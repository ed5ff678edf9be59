import { afterEach, describe, expect, test } from 'vitest';
import { TARGET_KINDS } from '../ports/read-cluster.ts';
import { readCluster } from './read-cluster.ts';
import { connectionTo, reply, status, testServer, transportTo } from './test-server.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const never = new AbortController().signal;
const KEEP = { labels: ['kept'], annotations: () => ['kept'] };
const app = { namespace: 'shop', name: 'app' };
const RULES = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations?limit=500';

/** An API server that answers by URL; everything else is not found. */
async function against(answers: Readonly<Record<string, unknown>>) {
  const server = await testServer((request, response) => {
    const answer = answers[request.url] as { code?: number } | string | undefined;
    if (answer === undefined) reply(response, 404, status(404, 'NotFound', 'not found'));
    else reply(response, typeof answer === 'object' && answer.code ? answer.code : 200, answer);
  });
  const transport = transportTo(server.url);
  open.push(server, transport);
  const connection = connectionTo(() => ({ url: server.url, headers: {}, tls: {} }));
  return { cluster: readCluster(transport, connection, KEEP), urls: () => server.seen.map(({ url }) => url) };
}
const list = (kind: string, ...items: readonly object[]) => ({ kind: `${kind}List`, metadata: { resourceVersion: '9' }, items });
const forbidden = status(403, 'Forbidden', 'no');

describe('an object', () => {
  test('is read', async () => {
    const { cluster } = await against({
      '/api/v1/namespaces/shop': { metadata: { name: 'shop', labels: { team: 'a' } } },
      '/api/v1/namespaces/shop/serviceaccounts/app': {
        metadata: { ...app, annotations: { 'eks.amazonaws.com/role-arn': 'x', other: 'y' } },
      },
    });
    expect(await cluster.namespace('shop', never)).toEqual({ name: 'shop', labels: { team: 'a' } });
    expect(await cluster.serviceAccount(app, never)).toMatchObject({ ...app, annotations: { 'eks.amazonaws.com/role-arn': 'x' } });
  });
  test('that is not there is undefined', async () => {
    const { cluster } = await against({});
    expect([
      await cluster.namespace('shop', never),
      await cluster.serviceAccount(app, never),
      await cluster.serviceAccountNameOf('deployments', app, never),
    ]).toEqual([undefined, undefined, undefined]);
  });
  test('that may not be read is a fault', async () => {
    const { cluster } = await against({ '/api/v1/namespaces/shop/serviceaccounts/app': forbidden });
    await expect(cluster.serviceAccount(app, never)).rejects.toMatchObject({ kind: 'denied' });
  });
  test('of an odd name leads to no other path', async () => {
    const { cluster, urls } = await against({});
    await cluster.serviceAccountNameOf('deployments', { namespace: 'shop', name: '../../secrets/x' }, never);
    expect(urls()).toEqual(['/apis/apps/v1/namespaces/shop/deployments/..%2F..%2Fsecrets%2Fx']);
  });
});

describe('the ServiceAccount of what runs pods', () => {
  const podSpec = { serviceAccountName: 'web' };
  const spec = (kind: string) => {
    if (kind === 'pods') return podSpec;
    const template = { template: { spec: podSpec } };
    return kind === 'cronjobs' ? { jobTemplate: { spec: template } } : template;
  };
  const groups: Record<string, string> = { jobs: '/apis/batch/v1', cronjobs: '/apis/batch/v1', pods: '/api/v1' };
  for (const kind of TARGET_KINDS)
    test(`of ${kind}`, async () => {
      const path = `${groups[kind] ?? '/apis/apps/v1'}/namespaces/shop/${kind}/app`;
      const { cluster } = await against({ [path]: { metadata: app, spec: spec(kind) } });
      expect(await cluster.serviceAccountNameOf(kind, app, never)).toBe('web');
    });
  test('is "default" where none is named', async () => {
    const { cluster } = await against({ '/apis/apps/v1/namespaces/shop/deployments/app': { spec: { template: { spec: {} } } } });
    expect(await cluster.serviceAccountNameOf('deployments', app, never)).toBe('default');
  });
  test('is "default" of an object without a spec', async () => {
    const { cluster } = await against({ '/apis/batch/v1/namespaces/shop/cronjobs/app': {} });
    expect(await cluster.serviceAccountNameOf('cronjobs', app, never)).toBe('default');
  });
});

describe('the pods', () => {
  const URL = '/api/v1/namespaces/shop/pods?limit=500&fieldSelector=spec.serviceAccountName%3Dapp';
  test('of a ServiceAccount are selected by the API server, and keep the labels that decide', async () => {
    const pod = { metadata: { ...app, labels: { kept: '1', asked: '2', other: '3' }, annotations: { kept: '1', other: '2' } }, spec: {} };
    const { cluster, urls } = await against({ [URL]: list('Pod', pod) });
    const [one, ...more] = await cluster.pods(app, ['asked'], never);
    expect([one?.labels, one?.annotations, more]).toEqual([{ kept: '1', asked: '2' }, { kept: '1' }, []]);
    expect(urls()).toHaveLength(1);
  });
  test('without a name are all of the namespace', async () => {
    const { cluster } = await against({ '/api/v1/namespaces/shop/pods?limit=500': list('Pod', { metadata: app, spec: {} }) });
    expect((await cluster.pods({ namespace: 'shop' }, [], never)).map(({ name }) => name)).toEqual(['app']);
  });
  test('that may not be listed are a fault', async () => {
    const { cluster } = await against({ [URL]: forbidden });
    await expect(cluster.pods(app, [], never)).rejects.toMatchObject({ kind: 'denied' });
  });
});

describe('lists', () => {
  const named = (name: string) => ({ metadata: { namespace: 'shop', name } });
  test('of ServiceAccounts are those of a namespace, or of all', async () => {
    const { cluster } = await against({
      '/api/v1/namespaces/shop/serviceaccounts?limit=500': list('ServiceAccount', named('a')),
      '/api/v1/serviceaccounts?limit=500': list('ServiceAccount', named('a'), named('b')),
      '/api/v1/namespaces/shop/serviceaccounts?limit=500&labelSelector=team%3Dshop': list('ServiceAccount', named('b')),
    });
    expect((await cluster.serviceAccounts({ namespace: 'shop' }, never)).map(({ name }) => name)).toEqual(['a']);
    expect((await cluster.serviceAccounts({ namespace: undefined }, never)).map(({ name }) => name)).toEqual(['a', 'b']);
    const chosen = await cluster.serviceAccounts({ namespace: 'shop', selector: 'team=shop' }, never);
    expect(chosen.map(({ name }) => name)).toEqual(['b']);
  });
  const APPS = '/apis/apps/v1/namespaces/shop';
  const BATCH = '/apis/batch/v1/namespaces/shop';
  const workloads = {
    [`${APPS}/deployments?limit=500`]: list('Deployment', named('a')),
    [`${APPS}/statefulsets?limit=500`]: list('StatefulSet', named('b')),
    [`${APPS}/daemonsets?limit=500`]: list('DaemonSet'),
    [`${BATCH}/cronjobs?limit=500`]: list('CronJob', named('c')),
    [`${BATCH}/jobs?limit=500`]: list('Job', named('d')),
  };
  test('of workloads are those of all kinds', async () => {
    const { cluster } = await against(workloads);
    expect((await cluster.workloads('shop', never)).map(({ kind, name }) => `${kind} ${name}`)).toEqual(['Deployment a', 'StatefulSet b']);
    expect((await cluster.batchWorkloads('shop', never)).map(({ kind, name }) => `${kind} ${name}`)).toEqual(['CronJob c', 'Job d']);
  });
  test('of workloads are none where one kind may not be listed', async () => {
    const { cluster } = await against({ ...workloads, [`${APPS}/daemonsets?limit=500`]: forbidden });
    await expect(cluster.workloads('shop', never)).rejects.toMatchObject({ kind: 'denied' });
  });
});

describe('the webhooks', () => {
  test('are those that inject roles, with their selectors', async () => {
    const selector = {
      matchLabels: { a: '1', odd: 2 },
      matchExpressions: [{ key: 'b', operator: 'In', values: ['x', 3] }, { key: 'c', operator: 'Exists' }, 'odd'],
    };
    const { cluster } = await against({
      [RULES]: list(
        'MutatingWebhookConfiguration',
        {
          metadata: { name: 'pod-identity-webhook' },
          webhooks: [
            { name: 'iam-for-pods.amazonaws.com', namespaceSelector: selector },
            { name: 'sidecar.example.com' },
            { name: 'pod-identity-webhook.amazonaws.com', objectSelector: { matchLabels: { d: '4' } } },
          ],
        },
        { metadata: { name: 'other' }, webhooks: [{ name: 'not-iam-for-pods.example.com' }] },
        { metadata: { name: 'empty' } },
      ),
    });
    const everything = { matchLabels: {}, matchExpressions: [] };
    const decoded = {
      matchLabels: { a: '1' },
      matchExpressions: [
        { key: 'b', operator: 'In', values: ['x'] },
        { key: 'c', operator: 'Exists', values: [] },
        { key: '', operator: '', values: [] },
      ],
    };
    expect(await cluster.webhooks(never)).toEqual([
      { configuration: 'pod-identity-webhook', namespaceSelector: decoded, objectSelector: everything },
      { configuration: 'pod-identity-webhook', namespaceSelector: everything, objectSelector: { ...everything, matchLabels: { d: '4' } } },
    ]);
  });
});

describe('the last words of a container', () => {
  const LOG = '/api/v1/namespaces/shop/pods/app/log?container=web&tailLines=200&limitBytes=262144&timestamps=true';
  const POD = '/api/v1/namespaces/shop/pods/app';
  const ended = (name: string, message?: string) => ({
    name,
    lastState: { terminated: { finishedAt: '2026-01-01T00:00:00Z', ...(message === undefined ? {} : { message }) } },
  });
  const podWith = (...containerStatuses: readonly object[]) => ({ metadata: app, status: { containerStatuses } });
  const said = async (answers: Readonly<Record<string, unknown>>) => {
    const { cluster, urls } = await against(answers);
    return [await cluster.lastWords(app, 'web', never), urls().length];
  };

  test('are what it said when it ended last, each line with its time', async () =>
    expect(await said({ [POD]: podWith(ended('proxy', 'no'), ended('web', 'one\ntwo')), [LOG]: 'log' })).toEqual([
      '2026-01-01T00:00:00Z one\n2026-01-01T00:00:00Z two',
      1,
    ]));
  const without: Record<string, object> = {
    'it never ended': podWith({ name: 'web', lastState: {} }),
    'it said nothing': podWith(ended('web')),
    'what it said is empty': podWith(ended('web', ' \n')),
    'another one ended': podWith(ended('proxy', 'no')),
    'it has no status': { metadata: app },
  };
  for (const [sentence, pod] of Object.entries(without))
    test(`are the end of its log, where ${sentence}`, async () =>
      expect(await said({ [POD]: pod, [LOG]: '2026-01-01T00:00:01Z line\n' })).toEqual(['2026-01-01T00:00:01Z line\n', 2]));
  test('are nothing, of an empty log', async () => expect(await said({ [POD]: podWith(), [LOG]: '' })).toEqual(['', 2]));
  test('may be JSON, without a time', async () => expect(await said({ [POD]: podWith(), [LOG]: '{"a": 1}' })).toEqual(['{"a":1}', 2]));
  test('are a fault where the log may not be read', async () => {
    const { cluster } = await against({ [POD]: podWith(), [LOG]: forbidden });
    await expect(cluster.lastWords(app, 'web', never)).rejects.toMatchObject({ kind: 'denied' });
  });
  test('are a fault of a pod that is gone', async () => {
    const { cluster } = await against({});
    await expect(cluster.lastWords(app, 'web', never)).rejects.toMatchObject({ kind: 'notFound' });
  });
});

test('the issuer is what the discovery document says', async () => {
  const { cluster } = await against({ '/.well-known/openid-configuration': { issuer: 'https://x.example.org' } });
  expect(await cluster.issuer(never)).toBe('https://x.example.org');
});
test('the audiences of the API server are the usual one, where nothing says more', async () =>
  expect(await (await against({})).cluster.apiAudiences(never)).toEqual(['https://kubernetes.default.svc']));
