import { isDeepStrictEqual } from 'node:util';
import { type Api, type Testbed, until } from '@irsa-operator/testbed';
import { pathOf } from './objects.ts';
import { isOurs } from './policies.ts';
import { type Binding, isReady, type Pod, type ServiceAccount, type Statement } from './views.ts';

const FIELD_MANAGER = 'irsa-operator';
type OwnedPod = Pod & { readonly metadata: { readonly ownerReferences?: readonly { readonly kind: string }[] } };

/** A namespace with its bindings: a scene of a test. */
export interface Scenario {
  readonly namespace: string;
  readonly bindings: readonly Binding[];
}
export const rolesIn = ({ bindings }: Scenario): Set<string> =>
  new Set(bindings.flatMap(({ spec, status }) => [spec.roleArn, ...(status?.roles ?? []).map(({ arn }) => arn)]));
export const accountsIn = ({ bindings }: Scenario): string[] => [...new Set(bindings.map(({ spec }) => spec.serviceAccountName))];

/** Trust and annotations as they were before the operator. */
export async function rewind({ aws, issuer }: Testbed, api: Api, scenario: Scenario): Promise<void> {
  const { role } = aws.account();
  for (const arn of rolesIn(scenario)) {
    const name = arn.split('/').at(-1) ?? '';
    const document = role.get(name)?.trustPolicy ?? '';
    const without = withoutOwn(document, issuer);
    if (without !== document) role.setTrustPolicy(name, without);
  }
  for (const name of accountsIn(scenario)) {
    const path = pathOf('serviceaccounts', { namespace: scenario.namespace, name });
    const account = await api.call<ServiceAccount>('GET', path).catch(() => undefined);
    const keys = (account?.metadata.managedFields ?? [])
      .filter(({ manager }) => manager === FIELD_MANAGER)
      .flatMap(({ fieldsV1 }) => Object.keys(fieldsV1['f:metadata']?.['f:annotations'] ?? {}))
      .filter((key) => key.startsWith('f:'))
      .map((key) => [key.slice(2), null]);
    if (keys.length > 0)
      await api.call('PATCH', `${path}?fieldManager=rewind`, {
        patch: 'merge',
        body: { metadata: { annotations: Object.fromEntries(keys) } },
      });
  }
}

/** The document without the statements that have exactly the form of the operator's. One that is no JSON stays as it is. */
function withoutOwn(document: string, issuer: string): string {
  try {
    const { Statement, ...rest } = JSON.parse(document) as { Statement: Statement[] };
    const isOwn = (one: Statement) =>
      isOurs(one, issuer) && Object.keys(one).length === 5 && isDeepStrictEqual(Object.keys(one.Condition ?? {}), ['StringEquals']);
    const others = Statement.filter((one) => !isOwn(one));
    return others.length === Statement.length ? document : JSON.stringify({ ...rest, Statement: others });
  } catch {
    return document;
  }
}

/** The pods that a controller makes again: without the annotation they get no role. Comes back when each is ready or refused. */
export async function replacePods(api: Api, scenario: Scenario): Promise<void> {
  const path = pathOf('pods', { namespace: scenario.namespace });
  const living = async () => {
    const { items } = await api.call<{ items: OwnedPod[] }>('GET', path);
    return items.filter(
      ({ metadata, spec }) => metadata.deletionTimestamp === undefined && accountsIn(scenario).includes(spec.serviceAccountName),
    );
  };
  const owned = (await living()).filter(({ metadata }) =>
    /ReplicaSet|StatefulSet|DaemonSet/.test(metadata.ownerReferences?.[0]?.kind ?? ''),
  );
  for (const { metadata } of owned) await api.call('DELETE', `${path}/${metadata.name}`).catch(() => {});
  if (owned.length === 0) return;
  const former = new Set(owned.map(({ metadata }) => metadata.uid));
  const settled = (pod: Pod) => isReady(pod) || pod.status.containerStatuses?.[0]?.lastState?.terminated !== undefined;
  const areBack = async () => {
    const fresh = (await living()).filter(({ metadata }) => !former.has(metadata.uid));
    return fresh.length >= owned.length && fresh.every(settled);
  };
  // In some scenes no pod comes back, or none comes up. A plan has to do with these as well.
  await until('the pods are back', areBack, { timeoutMs: 30_000 }).catch(() => {});
}
