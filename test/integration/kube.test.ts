import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTestbed, type Testbed, until as untilTrue } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { ServiceAccount } from '../../src/api/cluster.ts';
import { EKS_WEBHOOK } from '../../src/api/webhook.ts';
import { apply, mergePatch, read, type Target } from '../../src/kube/apply.ts';
import { connect } from '../../src/kube/config.ts';
import type { Connection } from '../../src/kube/connection.ts';
import { EventRecorder } from '../../src/kube/events.ts';
import { deletePod, evict } from '../../src/kube/evict.ts';
import { readIssuer } from '../../src/kube/issuer.ts';
import { leaseLock } from '../../src/kube/lease.ts';
import { listWatch } from '../../src/kube/list-watch.ts';
import { noKubeMetrics } from '../../src/kube/metrics.ts';
import { metaOf } from '../../src/kube/objects.ts';
import { collectionPath, objectPath, type ResourceType } from '../../src/kube/paths.ts';
import { EVENT, NAMESPACE, POD, SERVICE_ACCOUNT } from '../../src/kube/resource-types.ts';
import { serviceAccounts } from '../../src/kube/resources.ts';
import { Transport } from '../../src/kube/transport.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Elector } from '../../src/runtime/elector.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { noMetrics } from '../../src/runtime/metrics.ts';
import { REFLECTOR_LIMITS, Reflector } from '../../src/runtime/reflector.ts';
import { Store } from '../../src/runtime/store.ts';

const never = new AbortController().signal;
const namespace = `kube-test-${randomBytes(4).toString('hex')}`;
let testbed: Testbed;
let kubeconfig: string;
let folder: string;
let transport: Transport;

function transportOver(connection: Connection): Transport {
  return new Transport({ connection, userAgent: 'irsa-operator/test', clock: systemClock, random: Math.random, metrics: noKubeMetrics });
}

beforeAll(async () => {
  testbed = await startTestbed();
  ({ kubeconfig, folder } = testbed);
  transport = transportOver(connect({ kubeconfig, clock: systemClock }));
  await create(NAMESPACE, { metadata: { name: namespace } });
});
afterAll(async () => {
  await remove(NAMESPACE, namespace);
  await transport.close();
  await testbed.stop();
});

async function create(
  type: ResourceType,
  object: { metadata: { name: string; namespace?: string } },
): Promise<{ uid: string; resourceVersion: string }> {
  return metaOf(await transport.request({ method: 'POST', path: collectionPath(type, object.metadata.namespace), body: object }, never));
}

async function remove(type: ResourceType, name: string, inNamespace?: string): Promise<void> {
  const at = inNamespace === undefined ? { name } : { name, namespace: inNamespace };
  await transport.exchange({ method: 'DELETE', path: objectPath(type, at) }, never);
}

/** Everything here takes milliseconds; an API server that shares two cores with a build takes seconds. */
const PATIENCE = { timeoutMs: 15_000 };
const until = <T>(what: string, probe: () => T | Promise<T>) => untilTrue(what, probe, PATIENCE);

const account = (name: string, annotations: Record<string, string> = {}) => ({ metadata: { name, namespace, annotations } });
const accountTarget = (name: string, more: Partial<Target> = {}): Target => ({ type: SERVICE_ACCOUNT, namespace, name, ...more });
const KEY = 'eks.amazonaws.com/role-arn';

describe('a reflector', () => {
  test('lists in pages, then sees what is added, changed, deleted, and made again under its name', async () => {
    for (const name of ['one', 'two', 'three']) await create(SERVICE_ACCOUNT, account(name));
    const store = new Store<ServiceAccount>({
      kind: 'ServiceAccount',
      keyOf: (one) => `${one.namespace}/${one.name}`,
      log: silentLog,
    });
    const seen: string[] = [];
    store.onChange((previous, next) => {
      const one = next ?? previous;
      if (one?.namespace !== namespace || one.name === 'default') return;
      seen.push(`${one.name}: ${previous?.annotations[KEY] ?? (previous && '-')} > ${next?.annotations[KEY] ?? (next && '-')}`);
    });
    const stop = new AbortController();
    const source = listWatch(transport, serviceAccounts(EKS_WEBHOOK));
    const limits = { ...REFLECTOR_LIMITS, pageSize: 2 };
    const running = new Reflector({
      source,
      store,
      clock: systemClock,
      random: Math.random,
      log: silentLog,
      metrics: noMetrics,
      limits,
    }).run(stop.signal);
    await store.synced(AbortSignal.timeout(10_000));
    expect(seen.toSorted()).toEqual(['one: undefined > -', 'three: undefined > -', 'two: undefined > -']);
    seen.length = 0;

    await create(SERVICE_ACCOUNT, account('four', { [KEY]: 'a' }));
    await mergePatch(transport, accountTarget('four'), { metadata: { annotations: { [KEY]: 'b' } } }, { manager: 'somebody' }, never);
    await until('the change is seen', () => store.get(`${namespace}/four`)?.annotations[KEY] === 'b');
    expect(store.get(`${namespace}/four`)?.writers[KEY]).toEqual([{ manager: 'somebody', at: expect.any(Number) }]);
    const first = store.get(`${namespace}/four`)?.uid;
    await remove(SERVICE_ACCOUNT, 'four', namespace);
    await create(SERVICE_ACCOUNT, account('four', { [KEY]: 'c' }));
    await until('its successor is seen', () => store.get(`${namespace}/four`)?.annotations[KEY] === 'c');
    expect(store.get(`${namespace}/four`)?.uid).not.toBe(first);
    await remove(SERVICE_ACCOUNT, 'one', namespace);
    await until('the deletion is seen', () => !store.has(`${namespace}/one`));
    expect(seen).toEqual(['four: undefined > a', 'four: a > b', 'four: b > undefined', 'four: undefined > c', 'one: - > undefined']);
    stop.abort();
    await running;
  });
});

describe('server-side apply', () => {
  // Contract: annotate-uid
  test('with a uid never creates: not what was never there, not what is gone, not what was made again', async () => {
    const fields = { metadata: { annotations: { [KEY]: 'a' } } };
    const { uid } = await create(SERVICE_ACCOUNT, account('applied'));
    await expect(apply(transport, accountTarget('absent', { uid }), fields, { manager: 'irsa-operator' }, never)).rejects.toMatchObject({
      kind: 'conflict',
    });
    await remove(SERVICE_ACCOUNT, 'applied', namespace);
    await expect(apply(transport, accountTarget('applied', { uid }), fields, { manager: 'irsa-operator' }, never)).rejects.toMatchObject({
      kind: 'conflict',
    });
    await create(SERVICE_ACCOUNT, account('applied'));
    await expect(apply(transport, accountTarget('applied', { uid }), fields, { manager: 'irsa-operator' }, never)).rejects.toMatchObject({
      kind: 'conflict',
    });
    await expect(read(transport, accountTarget('absent'), never)).rejects.toMatchObject({ kind: 'notFound' });
    expect(metaOf(await read(transport, accountTarget('applied'), never)).annotations).toEqual({});
  });

  test("takes over another's value, and removes it when it is left out", async () => {
    const { uid } = await create(SERVICE_ACCOUNT, account('taken', { other: 'x' }));
    const target = accountTarget('taken', { uid });
    await mergePatch(transport, target, { metadata: { annotations: { [KEY]: 'theirs' } } }, { manager: 'somebody' }, never);
    await apply(transport, target, { metadata: { annotations: { [KEY]: 'ours' } } }, { manager: 'irsa-operator' }, never);
    expect(metaOf(await read(transport, target, never)).annotations).toEqual({ [KEY]: 'ours', other: 'x' });
    await apply(transport, target, { metadata: {} }, { manager: 'irsa-operator' }, never);
    expect(metaOf(await read(transport, target, never)).annotations).toEqual({ other: 'x' });
  });

  test('and merge patch at an old version are refused', async () => {
    const { resourceVersion } = await create(SERVICE_ACCOUNT, account('versioned'));
    const target = accountTarget('versioned', { resourceVersion });
    const patch = { metadata: { annotations: { [KEY]: 'a' } } };
    await mergePatch(transport, target, patch, { manager: 'm' }, never);
    await expect(
      mergePatch(transport, target, { metadata: { annotations: { [KEY]: 'b' } } }, { manager: 'm' }, never),
    ).rejects.toMatchObject({ kind: 'conflict' });
    await expect(apply(transport, target, { metadata: { annotations: { [KEY]: 'b' } } }, { manager: 'm' }, never)).rejects.toMatchObject({
      kind: 'conflict',
    });
  });
});

describe('a pod', () => {
  const BUDGETS: ResourceType = { group: 'policy', version: 'v1', kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets' };
  /** No node: nobody but this test plays its kubelet. */
  async function runningPod(name: string, app: string, ready: 'True' | 'False' = 'True') {
    await until(
      'the default service account is there',
      async () =>
        (await transport.exchange({ method: 'GET', path: objectPath(SERVICE_ACCOUNT, { namespace, name: 'default' }) }, never)).code ===
        200,
    );
    const spec = { containers: [{ name: 'main', image: 'none' }], schedulerName: 'nobody' };
    const { uid } = await create(POD, { metadata: { name, namespace, labels: { app } }, spec } as Parameters<typeof create>[1]);
    await readiness({ name }, ready);
    return { namespace, name, uid };
  }
  async function readiness({ name }: { readonly name: string }, ready: 'True' | 'False') {
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: ready }] };
    await mergePatch(transport, { type: POD, namespace, name }, { status }, { manager: 'test', subresource: 'status' }, never);
  }
  async function budget(name: string, app: string) {
    await create(BUDGETS, { metadata: { name, namespace }, spec: { minAvailable: 1, selector: { matchLabels: { app } } } } as Parameters<
      typeof create
    >[1]);
    await until('the budget is computed', async () => {
      const { status } = (await read(transport, { type: BUDGETS, namespace, name }, never)) as { status?: { currentHealthy?: number } };
      return status?.currentHealthy === 1;
    });
  }

  // Contract: pods-uid
  test('is evicted only if it is the one that was meant', async () => {
    const pod = await runningPod('meant', 'meant');
    expect(await evict(transport, { ...pod, uid: '00000000-0000-0000-0000-000000000000' }, never)).toEqual({ kind: 'gone' });
    expect(metaOf(await read(transport, { type: POD, ...pod }, never)).deleting).toBe(false);
    expect(await evict(transport, pod, never)).toEqual({ kind: 'evicted' });
    await until('it is gone', async () => (await evict(transport, pod, never)).kind === 'gone');
  });

  // Contract: pods-budget
  test('that a budget protects is not evicted, and the budget says so', async () => {
    const pod = await runningPod('protected', 'protected');
    await budget('one', 'protected');
    const blocked = await evict(transport, pod, never);
    expect(blocked).toEqual({ kind: 'blocked', message: expect.stringContaining('disruption budget'), retryAfterMs: undefined });
    await budget('two', 'protected');
    expect(await evict(transport, pod, never)).toEqual({
      kind: 'ambiguous',
      message: expect.stringContaining('more than one PodDisruptionBudget'),
    });
  });

  // Contract: pods-unready-deleted
  test('is deleted past its budget only as it was looked at: one that became ready since then serves somebody', async () => {
    const pod = await runningPod('unready', 'unready', 'False');
    const now = async () => metaOf(await read(transport, { type: POD, ...pod }, never));
    const looked = { ...pod, resourceVersion: (await now()).resourceVersion };
    expect(await deletePod(transport, { ...looked, uid: '00000000-0000-0000-0000-000000000000' }, never)).toBe('gone');
    await readiness(pod, 'True');
    expect(await deletePod(transport, looked, never)).toBe('changed');
    expect((await now()).deleting).toBe(false);
    expect(await deletePod(transport, { ...pod, resourceVersion: (await now()).resourceVersion }, never)).toBe('deleted');
    await until('it is gone', async () => (await deletePod(transport, looked, never)) === 'gone');
  });
});

describe('the lease', () => {
  const record = (holderIdentity: string) => ({
    holderIdentity,
    leaseDurationSeconds: 15,
    acquireTimeMs: 1,
    renewTimeMs: 2,
    leaseTransitions: 0,
  });

  test('is made once and swapped by one of two', async () => {
    const at = { namespace, name: 'swapped' };
    const [a, b] = [leaseLock(transport, at, 10_000), leaseLock(transport, at, 10_000)];
    expect(await a.get(never)).toBeUndefined();
    const made = await a.create(record('a'), never);
    expect(made.record).toEqual(record('a'));
    await expect(b.create(record('b'), never)).rejects.toMatchObject({ kind: 'conflict' });
    const seen = await b.get(never);
    expect(seen).toEqual(made);
    const swapped = await a.update({ ...record('a'), renewTimeMs: 5_001 }, made.version, never);
    expect(swapped.record.renewTimeMs).toBe(5_001);
    await expect(b.update(record('b'), made.version, never)).rejects.toMatchObject({ kind: 'conflict' });
  });

  // Contract: two-leaders
  test('has one leader at a time, through stops and losses', async () => {
    const times = { leaseMs: 2_000, renewDeadlineMs: 1_400, retryMs: 200 };
    let leaders = 0;
    const terms: string[] = [];
    const start = (identity: string) => {
      const own = transportOver(connect({ kubeconfig, clock: systemClock }));
      const lock = leaseLock(own, { namespace, name: 'elected' }, times.renewDeadlineMs);
      let looks = 0;
      const get: typeof lock.get = (signal) => {
        looks += 1;
        return lock.get(signal);
      };
      const stop = new AbortController();
      const elector = new Elector({
        name: 'elected',
        identity,
        lock: { ...lock, get },
        clock: systemClock,
        random: Math.random,
        log: silentLog,
        metrics: noMetrics,
        times,
      });
      const ended = elector.lead(stop.signal, async (lost) => {
        leaders += 1;
        terms.push(identity);
        expect(leaders).toBe(1);
        const over = AbortSignal.any([lost, stop.signal]);
        await new Promise((resolve) => over.addEventListener('abort', resolve));
        leaders -= 1;
      });
      return { elector, stop, ended, own, looks: () => looks };
    };
    const a = start('a');
    await until('a leads', () => a.elector.leading);
    const b = start('b');
    await until('b has asked for the lease again and again', () => b.looks() >= 5);
    expect(b.elector.leading).toBe(false);

    const stopped = systemClock.monotonic();
    a.stop.abort();
    expect(await a.ended).toBe('stopped');
    await until('b leads', () => b.elector.leading);
    expect(systemClock.monotonic() - stopped).toBeLessThan(times.leaseMs); // given back, not expired

    const c = start('c');
    await b.own.close(); // from here on b cannot reach the API server
    expect(await b.ended).toBe('lost');
    await until('c leads', () => c.elector.leading);
    c.stop.abort();
    await c.ended;
    expect(terms).toEqual(['a', 'b', 'c']);
    for (const { own } of [a, c]) await own.close();
  });
});

describe('credentials', () => {
  test('in a token file are read again as soon as they are refused', async () => {
    const raw = parse(readFileSync(kubeconfig, 'utf8'));
    const { status } = (await transport.request(
      {
        method: 'POST',
        path: objectPath(SERVICE_ACCOUNT, { namespace, name: 'default' }, 'token'),
        body: { spec: { expirationSeconds: 600 } },
      },
      never,
    )) as { status: { token: string } };
    writeFileSync(join(folder, 'kube-test.token'), status.token);
    writeFileSync(
      join(folder, 'kube-test.config'),
      stringify({ ...raw, users: [{ name: raw.users[0].name, user: { tokenFile: 'kube-test.token' } }] }),
    );
    const own = transportOver(connect({ kubeconfig: join(folder, 'kube-test.config'), clock: systemClock }));
    const whoami = { method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body: {} } as const;
    expect(await own.request(whoami, never)).toMatchObject({
      status: { userInfo: { username: `system:serviceaccount:${namespace}:default` } },
    });
    writeFileSync(join(folder, 'kube-test.token'), 'expired');
    await own.request(whoami, never); // what was read a moment ago still serves
    const fresh = connect({ kubeconfig: join(folder, 'kube-test.config'), clock: systemClock });
    const other = transportOver(fresh);
    await expect(other.request(whoami, never)).rejects.toMatchObject({ kind: 'denied', code: 'Unauthorized' });
    writeFileSync(join(folder, 'kube-test.token'), `${status.token}\n`);
    expect(await other.request(whoami, never)).toMatchObject({
      status: { userInfo: { username: `system:serviceaccount:${namespace}:default` } },
    });
    await own.close();
    await other.close();
  });

  test('are shown to the right API server only', async () => {
    const raw = parse(readFileSync(kubeconfig, 'utf8'));
    const [{ name, cluster }] = raw.clusters;
    const path = join(folder, 'kube-test.other-ca');
    // No authority: the machine's own, which have not signed this API server.
    writeFileSync(path, stringify({ ...raw, clusters: [{ name, cluster: { server: cluster.server } }] }));
    const own = transportOver(connect({ kubeconfig: path, clock: systemClock }));
    await expect(own.request({ method: 'GET', path: '/version' }, never)).rejects.toMatchObject({
      kind: 'transient',
      message: expect.stringMatching(/^no answer from the API server to GET \/version: .*certificate/),
    });
    await own.close();
  });
});

// Contract: cluster-issuer
test('the issuer is the one that the API server puts into tokens', async () => {
  const issuer = await readIssuer(transport, never);
  const { status } = (await transport.request(
    {
      method: 'POST',
      path: objectPath(SERVICE_ACCOUNT, { namespace, name: 'default' }, 'token'),
      body: { spec: { expirationSeconds: 600 } },
    },
    never,
  )) as { status: { token: string } };
  expect(JSON.parse(Buffer.from(status.token.split('.')[1] ?? '', 'base64url').toString()).iss).toBe(issuer);
});

// Contract: report-events
test('an event and its repetition are one series', async () => {
  const { uid } = await create(SERVICE_ACCOUNT, account('regarded'));
  const events = new EventRecorder({
    transport,
    controller: 'irsa-operator.dev/test',
    instance: 'test',
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  });
  const event = {
    regarding: { type: SERVICE_ACCOUNT, namespace, name: 'regarded', uid },
    type: 'Normal',
    reason: 'Annotated',
    action: 'Annotate',
    note: 'ü'.repeat(1_000),
  } as const;
  events.record(event);
  await until('it is sent', () => events.idle);
  events.record(event);
  await events.flush(AbortSignal.timeout(10_000));
  const { items } = (await transport.request({ method: 'GET', path: collectionPath(EVENT, namespace) }, never)) as {
    items: { regarding: { uid: string }; series: { count: number } }[];
  };
  expect(items.filter(({ regarding }) => regarding.uid === uid).map(({ series }) => series.count)).toEqual([2]);
});
