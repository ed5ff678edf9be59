import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import type { Workload } from '../api/cluster.ts';
import type { LeaseRecord } from '../runtime/elector.ts';
import { apply, mergePatch, read } from './apply.ts';
import { type Deletion, deletePod, type Eviction, evict } from './evict.ts';
import { fenced } from './fence.ts';
import { readIssuer } from './issuer.ts';
import { leaseLock } from './lease.ts';
import { microTime } from './micro-time.ts';
import { IRSA_BINDING, SERVICE_ACCOUNT } from './resource-types.ts';
import { rollOut } from './roll-out.ts';
import { reply, type Seen, status, testServer, transportTo } from './test-server.ts';
import { requestToken } from './token.ts';
import type { KubeRequest } from './transport.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const never = new AbortController().signal;

async function against(answer: (request: Seen, response: ServerResponse) => void) {
  const server = await testServer(answer);
  const transport = transportTo(server.url);
  open.push(server, transport);
  return {
    transport,
    asked: () => server.seen.map(({ method, url, headers, body }) => ({ method, url, type: headers['content-type'], body })),
  };
}

describe('a write', () => {
  test('by apply says whose fields these are, and of which object', async () => {
    const { transport, asked } = await against((_request, response) => reply(response, 200, { kind: 'ServiceAccount' }));
    const target = { type: SERVICE_ACCOUNT, namespace: 'ns', name: 'a', uid: 'u-1' };
    const fields = { metadata: { annotations: { 'eks.amazonaws.com/role-arn': 'arn' } } };
    expect(await apply(transport, target, fields, { manager: 'irsa-operator' }, never)).toEqual({ kind: 'ServiceAccount' });
    expect(asked()).toEqual([
      {
        method: 'PATCH',
        url: '/api/v1/namespaces/ns/serviceaccounts/a?fieldManager=irsa-operator&force=true',
        type: 'application/apply-patch+yaml',
        body: {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { annotations: { 'eks.amazonaws.com/role-arn': 'arn' }, name: 'a', namespace: 'ns', uid: 'u-1' },
        },
      },
    ]);
  });

  test('of a status goes to the subresource, and can insist on a version', async () => {
    const { transport, asked } = await against((_request, response) => reply(response, 200, {}));
    const target = { type: IRSA_BINDING, namespace: 'ns', name: 'b', resourceVersion: '7' };
    await apply(transport, target, { status: { observedGeneration: 1 } }, { manager: 'm', subresource: 'status' }, never);
    expect(asked()).toEqual([
      {
        method: 'PATCH',
        url: '/apis/irsa-operator.dev/v1alpha1/namespaces/ns/irsabindings/b/status?fieldManager=m&force=true',
        type: 'application/apply-patch+yaml',
        body: {
          apiVersion: 'irsa-operator.dev/v1alpha1',
          kind: 'IrsaBinding',
          status: { observedGeneration: 1 },
          metadata: { name: 'b', namespace: 'ns', resourceVersion: '7' },
        },
      },
    ]);
  });

  test('by merge patch is not forced, and can remove', async () => {
    const { transport, asked } = await against((_request, response) => reply(response, 200, {}));
    const target = { type: IRSA_BINDING, namespace: 'ns', name: 'b', resourceVersion: '7' };
    await mergePatch(transport, target, { metadata: { finalizers: null } }, { manager: 'm' }, never);
    expect(asked()).toEqual([
      {
        method: 'PATCH',
        url: '/apis/irsa-operator.dev/v1alpha1/namespaces/ns/irsabindings/b?fieldManager=m',
        type: 'application/merge-patch+json',
        body: { metadata: { finalizers: null, name: 'b', namespace: 'ns', resourceVersion: '7' } },
      },
    ]);
  });

  test('to an object whose successor has its name is a conflict, as to one that is gone', async () => {
    const causes = [{ reason: 'FieldValueInvalid', message: 'Invalid value: "u-1": field is immutable', field: 'metadata.uid' }];
    const { transport } = await against((_request, response) =>
      reply(response, 422, status(422, 'Invalid', 'metadata.uid: field is immutable', { causes })),
    );
    const target = { type: SERVICE_ACCOUNT, namespace: 'ns', name: 'a', uid: 'u-1' };
    const conflict = { kind: 'conflict', message: expect.stringMatching(/another object has taken the name/) };
    await expect(apply(transport, target, {}, { manager: 'm' }, never)).rejects.toMatchObject(conflict);
    await expect(mergePatch(transport, target, {}, { manager: 'm' }, never)).rejects.toMatchObject(conflict);
  });

  test('names are escaped in paths', async () => {
    const { transport, asked } = await against((_request, response) => reply(response, 200, {}));
    await read(transport, { type: SERVICE_ACCOUNT, namespace: 'a/../b', name: 'c?d' }, never);
    expect(asked()[0]?.url).toBe('/api/v1/namespaces/a%2F..%2Fb/serviceaccounts/c%3Fd');
  });
});

describe('an eviction', () => {
  const pod = { namespace: 'ns', name: 'p', uid: 'u-1' };
  const budget = { causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget p needs 1 healthy pods and has 1 currently' }] };
  const cases: Record<string, { code: number; body: object; headers?: Record<string, string>; outcome: Eviction }> = {
    'that is granted has evicted': { code: 201, body: status(201, 'Success', ''), outcome: { kind: 'evicted' } },
    'of a pod that is gone': { code: 404, body: status(404, 'NotFound', 'pods "p" not found'), outcome: { kind: 'gone' } },
    'of a pod whose successor has its name': {
      code: 409,
      body: status(409, 'Conflict', 'the UID in the precondition (u-1) does not match the UID in record (u-2)'),
      outcome: { kind: 'gone' },
    },
    'that the budget does not allow now is blocked, with the budget in words': {
      code: 429,
      body: status(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", budget),
      headers: { 'retry-after': '1' },
      outcome: { kind: 'blocked', message: "Cannot evict pod as it would violate the pod's disruption budget.", retryAfterMs: 1_000 },
    },
    // Contract: bad-size
    'that the budget does not allow is blocked in a thousand characters, whatever the answer quotes': {
      code: 429,
      body: status(429, 'TooManyRequests', 'x'.repeat(2 ** 20), budget),
      outcome: { kind: 'blocked', message: `${'x'.repeat(1_023)}…`, retryAfterMs: undefined },
    },
    'under two budgets is never granted': {
      code: 500,
      body: status(
        500,
        'InternalError',
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      ),
      outcome: {
        kind: 'ambiguous',
        message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      },
    },
  };
  for (const [sentence, { code, body, headers, outcome }] of Object.entries(cases)) {
    test(sentence, async () => {
      const { transport, asked } = await against((_request, response) => reply(response, code, body, headers));
      expect(await evict(transport, pod, never)).toEqual(outcome);
      expect(asked()).toEqual([
        {
          method: 'POST',
          url: '/api/v1/namespaces/ns/pods/p/eviction',
          type: 'application/json',
          body: {
            apiVersion: 'policy/v1',
            kind: 'Eviction',
            metadata: { name: 'p', namespace: 'ns' },
            deleteOptions: { preconditions: { uid: 'u-1' } },
          },
        },
      ]);
    });
  }

  const faults: Record<string, { code: number; body: object; kind: string }> = {
    'that the API server is too busy for is throttled, not blocked': {
      code: 429,
      body: status(429, 'TooManyRequests', 'too many requests'),
      kind: 'throttled',
    },
    'that conflicts for another reason is a conflict': {
      code: 409,
      body: status(409, 'Conflict', 'please apply your changes to the latest version'),
      kind: 'conflict',
    },
    'that fails otherwise is transient': { code: 500, body: status(500, 'InternalError', 'etcd'), kind: 'transient' },
    'that is not allowed is denied': { code: 403, body: status(403, 'Forbidden', 'no'), kind: 'denied' },
  };
  for (const [sentence, { code, body, kind }] of Object.entries(faults)) {
    test(sentence, async () => {
      const { transport } = await against((_request, response) => reply(response, code, body));
      await expect(evict(transport, pod, never)).rejects.toMatchObject({ name: 'Fault', kind });
    });
  }

  test('of a pod that is called like its uid is no less a conflict for that', async () => {
    const message = 'Operation cannot be fulfilled on pods "druid-0": the object has been modified; please apply your changes';
    const { transport } = await against((_request, response) => reply(response, 409, status(409, 'Conflict', message)));
    await expect(evict(transport, { ...pod, name: 'druid-0' }, never)).rejects.toMatchObject({ name: 'Fault', kind: 'conflict' });
  });
});

describe('a deletion of a pod, which no budget holds', () => {
  const pod = { namespace: 'ns', name: 'druid-0', uid: 'u-1', resourceVersion: '7' };
  const conflict = (reason: string) => status(409, 'Conflict', `Operation cannot be fulfilled on Pod "druid-0": ${reason}`);
  const cases: Record<string, { code: number; body: object; outcome: Deletion }> = {
    'that is granted has deleted': { code: 200, body: {}, outcome: 'deleted' },
    'of a pod that is gone': { code: 404, body: status(404, 'NotFound', 'pods "druid-0" not found'), outcome: 'gone' },
    'of a pod whose successor has its name': {
      code: 409,
      body: conflict('the UID in the precondition (u-1) does not match the UID in record (u-2). The object might have been deleted'),
      outcome: 'gone',
    },
    'of a pod that changed since it was looked at': {
      code: 409,
      body: conflict('the ResourceVersion in the precondition (7) does not match the ResourceVersion in record (8)'),
      outcome: 'changed',
    },
    'of a pod that changed in the moment of the deletion': {
      code: 409,
      body: status(409, 'Conflict', 'Precondition failed: ResourceVersion in precondition: 7, ResourceVersion in object meta: 8'),
      outcome: 'changed',
    },
  };
  for (const [sentence, { code, body, outcome }] of Object.entries(cases)) {
    test(sentence, async () => {
      const { transport, asked } = await against((_request, response) => reply(response, code, body));
      expect(await deletePod(transport, pod, never)).toBe(outcome);
      expect(asked()).toEqual([
        {
          method: 'DELETE',
          url: '/api/v1/namespaces/ns/pods/druid-0',
          type: 'application/json',
          body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'u-1', resourceVersion: '7' } },
        },
      ]);
    });
  }

  test('that conflicts for another reason is a conflict', async () => {
    const { transport } = await against((_request, response) => reply(response, 409, conflict('the object has been modified')));
    await expect(deletePod(transport, pod, never)).rejects.toMatchObject({ name: 'Fault', kind: 'conflict' });
  });
});

describe('a rollout', () => {
  const workload: Workload = {
    kind: 'StatefulSet',
    namespace: 'ns',
    name: 'db',
    uid: 'u-1',
    serviceAccountName: 'sa',
    appName: undefined,
    template: { containers: [], hasTokenVolume: false },
    held: undefined,
    revision: undefined,
    outdated: false,
    replicas: 1,
    restartedAt: undefined,
  };

  test('sets one annotation of the template, and nothing else', async () => {
    const { transport, asked } = await against((_request, response) => reply(response, 200, {}));
    expect(await rollOut(transport, workload, '2026-01-01T00:00:00Z', never)).toEqual({ kind: 'gone' });
    expect(asked()).toEqual([
      {
        method: 'PATCH',
        url: '/apis/apps/v1/namespaces/ns/statefulsets/db?fieldManager=irsa-operator',
        type: 'application/merge-patch+json',
        body: {
          metadata: { namespace: 'ns', name: 'db', uid: 'u-1' },
          spec: { template: { metadata: { annotations: { 'irsa-operator.dev/restarted-at': '2026-01-01T00:00:00Z' } } } },
        },
      },
    ]);
  });

  test('without the right is an answer', async () => {
    const { transport } = await against((_request, response) => reply(response, 403, status(403, 'Forbidden', 'no')));
    const message = 'the API server answered 403 to PATCH /apis/apps/v1/namespaces/ns/statefulsets/db: no';
    expect(await rollOut(transport, workload, '2026-01-01T00:00:00Z', never)).toEqual({ kind: 'forbidden', message });
  });

  test('with bad credentials is a failure', async () => {
    const { transport } = await against((_request, response) => reply(response, 401, status(401, 'Unauthorized', 'who?')));
    await expect(rollOut(transport, workload, '2026-01-01T00:00:00Z', never)).rejects.toMatchObject({ kind: 'denied' });
  });
});

describe('the lease', () => {
  const record: LeaseRecord = {
    holderIdentity: 'me',
    leaseDurationSeconds: 15,
    acquireTimeMs: Date.UTC(2026, 0, 1),
    renewTimeMs: Date.UTC(2026, 0, 1) + 2_001,
    leaseTransitions: 3,
  };
  const spec = {
    holderIdentity: 'me',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:02.001000Z',
    leaseTransitions: 3,
  };
  const path = '/apis/coordination.k8s.io/v1/namespaces/ns/leases';

  test('that is not there is undefined, and made with times of six digits', async () => {
    const { transport, asked } = await against(({ method, body }, response) =>
      method === 'GET'
        ? reply(response, 404, status(404, 'NotFound', 'no'))
        : reply(response, 201, { ...(body as object), metadata: { resourceVersion: '1' } }),
    );
    const lock = leaseLock(transport, { namespace: 'ns', name: 'lease' }, 10_000);
    expect(await lock.get(never)).toBeUndefined();
    expect(await lock.create(record, never)).toEqual({ record, version: '1' });
    expect(asked()[1]).toEqual({
      method: 'POST',
      url: path,
      type: 'application/json',
      body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace: 'ns', name: 'lease' }, spec },
    });
  });

  test('is swapped at the version that was read, and keeps what is not ours', async () => {
    const standing = {
      metadata: { name: 'lease', labels: { theirs: 'yes' }, resourceVersion: '7' },
      spec: { ...spec, holderIdentity: '', strategy: 'x' },
    };
    const { transport, asked } = await against(({ method }, response) =>
      method === 'GET' ? reply(response, 200, standing) : reply(response, 409, status(409, 'Conflict', 'changed')),
    );
    const lock = leaseLock(transport, { namespace: 'ns', name: 'lease' }, 10_000);
    expect(await lock.get(never)).toEqual({ record: { ...record, holderIdentity: '' }, version: '7' });
    await expect(lock.update(record, '7', never)).rejects.toMatchObject({ kind: 'conflict' });
    expect(asked()[1]).toEqual({
      method: 'PUT',
      url: `${path}/lease`,
      type: 'application/json',
      body: { metadata: { name: 'lease', labels: { theirs: 'yes' }, resourceVersion: '7' }, spec: { ...spec, strategy: 'x' } },
    });
  });
});

test('a micro time has six digits whatever the milliseconds', () => {
  expect([0, 5, 50, 500].map((ms) => microTime(Date.UTC(2026, 0, 1) + ms))).toEqual([
    '2026-01-01T00:00:00.000000Z',
    '2026-01-01T00:00:00.005000Z',
    '2026-01-01T00:00:00.050000Z',
    '2026-01-01T00:00:00.500000Z',
  ]);
});

test('the issuer comes as the API server says it, and one that says none is a fault', async () => {
  const answers: object[] = [{ issuer: 'https://oidc.example/id/A' }, {}];
  const { transport, asked } = await against((_request, response) => reply(response, 200, answers.shift()));
  expect(await readIssuer(transport, never)).toBe('https://oidc.example/id/A');
  await expect(readIssuer(transport, never)).rejects.toMatchObject({ kind: 'invalid' });
  expect(asked()[0]?.url).toBe('/.well-known/openid-configuration');
});

describe('behind the fence', () => {
  test('reads pass, and writes only when the lease outlasts their deadline', async () => {
    const { transport, asked } = await against((_request, response) => reply(response, 200, {}));
    const asking: number[] = [];
    let leads = true;
    const requests = fenced(transport, (deadlineMs) => {
      asking.push(deadlineMs);
      if (!leads) throw new Error('another may lead by then');
    });
    const target = { type: SERVICE_ACCOUNT, namespace: 'ns', name: 'a' };
    await mergePatch(requests, target, {}, { manager: 'm' }, never);
    leads = false;
    await read(requests, target, never);
    await expect(mergePatch(requests, target, {}, { manager: 'm' }, never)).rejects.toThrow('another may lead by then');
    await expect(evict(requests, { namespace: 'ns', name: 'p', uid: 'u' }, never)).rejects.toThrow('another may lead by then');
    expect([asking, asked().map(({ method }) => method)]).toEqual([
      [10_000, 10_000, 10_000],
      ['PATCH', 'GET'],
    ]);
  });
});

describe('with a short lease', () => {
  test('a write has no more time than the lease grants, and a read has as much as ever', async () => {
    const asked: [string, number | undefined][] = [];
    const note = async (request: KubeRequest) => {
      asked.push([request.method, request.deadlineMs]);
      return { code: 200, body: {}, retryAfterMs: undefined };
    };
    const fences: number[] = [];
    const requests = fenced({ request: note, exchange: note }, (deadlineMs) => void fences.push(deadlineMs), 1_333);
    await requests.request({ method: 'PATCH', path: '/' }, never);
    await requests.exchange({ method: 'POST', path: '/', deadlineMs: 500 }, never);
    await requests.request({ method: 'GET', path: '/' }, never);
    expect([asked, fences]).toEqual([
      [
        ['PATCH', 1_333],
        ['POST', 500],
        ['GET', undefined],
      ],
      [1_333, 500],
    ]);
  });
});

describe('a token', () => {
  const of = { namespace: 'ns', name: 'a' };
  // Contract: prove-confined
  test('is asked for with one audience and for ten minutes', async () => {
    const { transport, asked } = await against((_request, response) => reply(response, 201, { status: { token: 'secret' } }));
    expect(await requestToken(transport, of, 'sts.amazonaws.com', never)).toBe('secret');
    expect(asked()).toEqual([
      {
        method: 'POST',
        url: '/api/v1/namespaces/ns/serviceaccounts/a/token',
        type: 'application/json',
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { audiences: ['sts.amazonaws.com'], expirationSeconds: 600 },
        },
      },
    ]);
  });

  test('that does not come is a fault that quotes nothing of the answer', async () => {
    const { transport } = await against((_request, response) => reply(response, 201, { status: { tokens: 'secret' } }));
    const fault = await requestToken(transport, of, 'x', never).catch((error: unknown) => error);
    expect(fault).toMatchObject({ kind: 'transient' });
    expect(inspect(fault, { depth: 9 })).not.toContain('secret');
  });
});
