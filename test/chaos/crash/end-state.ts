import type { Scene } from '../../harness/scene.ts';
import { type Binding, isReady, type Meta, type Pod, rolesOfPod, type ServiceAccount } from '../../harness/views.ts';

interface Deployment {
  readonly metadata: Meta;
  readonly spec: { readonly template: { readonly metadata: Meta } };
}

/** Everything that the operator may change, without what differs from run to run: times, unique IDs, the namespace. */
export async function endStateOf(scene: Scene): Promise<unknown> {
  const [bindings, accounts, deployments, pods] = await Promise.all([
    scene.list<Binding>('irsabindings'),
    scene.list<ServiceAccount>('serviceaccounts'),
    scene.list<Deployment>('deployments'),
    scene.list<Pod>('pods'),
  ]);
  const state = {
    roles: [...scene.roles].map((name) => ({ name, statements: scene.statements(name) })),
    bindings: bindings.map(({ metadata: { name, finalizers, annotations }, spec, status }) => ({
      name,
      finalizers,
      annotations,
      spec,
      status,
    })),
    serviceAccounts: accounts
      .filter(({ metadata: { name } }) => name !== 'default')
      .map(({ metadata: { name, annotations, managedFields } }) => ({ name, annotations, writers: writersOf(managedFields) })),
    deployments: deployments.map(({ metadata: { name }, spec }) => ({ name, template: spec.template.metadata })),
    pods: pods.map(podState).sort(),
  };
  return inOrder(JSON.parse(withoutIdentity(JSON.stringify(state), scene.namespace)));
}

function writersOf(managed: Meta['managedFields']): string[] {
  return (managed ?? [])
    .flatMap(({ manager, fieldsV1 }) => Object.keys(fieldsV1?.['f:metadata']?.['f:annotations'] ?? {}).map((key) => `${key} by ${manager}`))
    .filter((line) => line.startsWith('f:eks.amazonaws.com/'))
    .sort();
}

function podState(pod: Pod): string {
  const ready = isReady(pod) ? 'ready' : 'not ready';
  return `${rolesOfPod(pod)[0] ?? 'no role'} ${pod.metadata.deletionTimestamp === undefined ? ready : 'ending'}`;
}

/** Times, unique IDs and the namespace as the same words in every run. */
export function withoutIdentity(text: string, namespace: string): string {
  return text
    .replaceAll(namespace, 'NS')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
    .replace(/AROA[A-Z0-9]+/g, 'AROA')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID')
    .replace(/"desired":"[^"]*"/g, '"desired":"HASH"');
}

/** Members of an object have no order, nor have conditions, nor the statements and subjects of a trust policy. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, inOrder(member)]),
  );
}
