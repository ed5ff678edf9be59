import { afterEach, expect, test } from 'vitest';
import { readInstallations } from './installations.ts';
import { reply, status, testServer, transportTo } from './test-server.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const ALL = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings';

async function against(answers: Readonly<Record<string, object>>) {
  const server = await testServer((request, response) => {
    const answer = answers[request.url];
    if (answer === undefined) reply(response, 404, status(404, 'NotFound', 'not found'));
    else reply(response, 200, answer);
  });
  const transport = transportTo(server.url);
  open.push(server, transport);
  return await readInstallations(transport, new AbortController().signal);
}

const bindingOf = (name: string, policyName: string, namespace: string) => ({
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { policyName, paramRef: { namespace, name: 'irsa-operator' } },
});
const page = (items: readonly object[], token?: string) => ({
  kind: 'ValidatingAdmissionPolicyBindingList',
  metadata: { resourceVersion: '9', continue: token },
  items,
});

// Contract: install-second
test('installations are read to the last page: a cluster may have more policies than fit one', async () => {
  const found = await against({
    [`${ALL}?limit=500`]: page(
      [bindingOf('kyverno', 'no-latest', 'kyverno'), bindingOf('acme-status', 'acme-irsa-operator-status', 'acme')],
      'more',
    ),
    [`${ALL}?limit=500&continue=more`]: page([bindingOf('irsa-operator-status', 'irsa-operator-status', 'irsa')]),
  });
  expect(found).toEqual(
    ['acme-status acme', 'irsa-operator-status irsa'].map((one) => {
      const [name, namespace] = one.split(' ');
      return { serviceAccount: { namespace, name: 'irsa-operator' }, name, createdAt: Date.parse('2026-01-01T00:00:00Z') };
    }),
  );
});

// Contract: install-second
test('a Kubernetes without such policies has none', async () => expect(await against({})).toEqual([]));
