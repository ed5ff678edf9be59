import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { POLICIES } from '../api/names.ts';
import { confinementRequests } from './confinement.ts';
import { reply, type Seen, status, testServer, transportTo } from './test-server.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const never = new AbortController().signal;
const TARGET = { namespace: 'platform', name: 'own', uid: 'u-1' };

async function against(answer: (request: Seen, response: ServerResponse) => void) {
  const server = await testServer(answer);
  const transport = transportTo(server.url);
  open.push(server, transport);
  return { requests: confinementRequests(transport), seen: server.seen };
}

describe('the operator is', () => {
  const users: Record<string, { username: string; self: object | undefined }> = {
    'the ServiceAccount that the API server says': {
      username: 'system:serviceaccount:platform:acme-irsa-operator',
      self: { namespace: 'platform', name: 'acme-irsa-operator' },
    },
    'no ServiceAccount where it is another user': { username: 'kubernetes-admin', self: undefined },
  };
  for (const [sentence, { username, self }] of Object.entries(users))
    test(sentence, async () => {
      const { requests } = await against((_request, response) => reply(response, 201, { status: { userInfo: { username } } }));
      expect(await requests.self(never)).toEqual(self);
    });
});

test('a right is what the API server says of it, in the namespace of the target', async () => {
  const { requests, seen } = await against((_request, response) => reply(response, 201, { status: { allowed: true } }));
  expect(await requests.hasRight('irsa-operator-verification', TARGET, never)).toBe(true);
  expect(seen.map(({ body }) => body)).toMatchObject([
    {
      spec: { resourceAttributes: { verb: 'create', group: '', resource: 'serviceaccounts', subresource: 'token', namespace: 'platform' } },
    },
  ]);
});

// Contract: confined-proved
test('every trial of every policy is a dry run', async () => {
  const { requests, seen } = await against((_request, response) => reply(response, 200, {}));
  for (const policy of POLICIES) await requests.try(policy, TARGET, never);
  expect(seen).toHaveLength(2 * POLICIES.length);
  expect(seen.filter(({ url }) => new URL(url, 'https://x').searchParams.get('dryRun') !== 'All')).toEqual([]);
});

describe('a dry run', () => {
  const message = "ValidatingAdmissionPolicy 'a-irsa-operator-bindings' with binding 'b' denied request: no";
  const refusal = (causes: object[]) => status(403, 'Forbidden', 'forbidden', { causes });
  const answers: Record<string, { code: number; body: object; answer: object }> = {
    'is accepted': { code: 200, body: {}, answer: { kind: 'accepted' } },
    'that passed every policy finds that the object is there': {
      code: 409,
      body: status(409, 'AlreadyExists', 'exists'),
      answer: { kind: 'accepted' },
    },
    'is refused by the policy that its causes name': {
      code: 403,
      body: refusal([{ message }]),
      answer: { kind: 'refused', policies: ['a-irsa-operator-bindings'] },
    },
    'is refused by a policy whose reason has another code': {
      code: 422,
      body: status(422, 'Invalid', 'no', { causes: [{ message }] }),
      answer: { kind: 'refused', policies: ['a-irsa-operator-bindings'] },
    },
    'is refused by RBAC, whose refusal names none': {
      code: 403,
      body: status(403, 'Forbidden', 'cannot patch'),
      answer: { kind: 'refused', policies: [] },
    },
    'is refused by what names a policy in its words only': {
      code: 403,
      body: status(403, 'Forbidden', message),
      answer: { kind: 'refused', policies: [] },
    },
  };
  for (const [sentence, { code, body, answer }] of Object.entries(answers))
    test(sentence, async () => {
      const { requests } = await against((_request, response) => reply(response, code, body));
      expect((await requests.try('irsa-operator-bindings', TARGET, never)).forbidden).toMatchObject(answer);
    });

  for (const [code, kind] of [
    [404, 'notFound'],
    [409, 'conflict'],
    [429, 'throttled'],
    [500, 'transient'],
    [400, 'invalid'],
  ] as const) {
    // Contract: confined-unknown
    test(`that is answered with ${code} has no answer`, async () => {
      const { requests } = await against((_request, response) => reply(response, code, status(code, 'Some', 'no')));
      await expect(requests.try('irsa-operator-bindings', TARGET, never)).rejects.toMatchObject({ kind });
    });
  }
});
