import { OPERATOR_NAMESPACE, pathOf, unless } from '../../harness/objects.ts';
import type { Binding, Grant, Pod, ServiceAccount } from '../../harness/views.ts';
import { arnOf, ROLES, type World } from './world.ts';

interface RoleSeen {
  readonly tags: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Everything that there is, looked at with none of the operator's code. */
export interface Seen {
  readonly bindings: readonly Binding[];
  readonly grants: readonly Grant[];
  readonly labels: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly accounts: ReadonlyMap<string, ServiceAccount>;
  readonly pods: ReadonlyMap<string, readonly Pick<Pod, 'spec'>[]>;
  readonly roles: ReadonlyMap<string, RoleSeen>;
  readonly issuer: string;
}

export async function look({ api, testbed, scenes }: World): Promise<Seen> {
  const list = async <T>(path: string) => (await api.call<{ items: T[] }>('GET', path)).items;
  const places = await Promise.all(
    scenes.map(async (scene) => ({
      namespace: scene.namespace,
      labels: await scene.labels(),
      accounts: await scene.list<ServiceAccount>('serviceaccounts'),
      pods: await scene.pods(),
    })),
  );
  const roles = ROLES.flatMap((name) => {
    const role = testbed.aws.account().role.get(name);
    return role === undefined ? [] : ([[arnOf(name), { tags: role.tags, text: role.trustPolicy }]] as const);
  });
  return {
    bindings: await list<Binding>(pathOf('irsabindings')),
    grants: await list<Grant>(pathOf('irsagrants')),
    labels: new Map(places.map(({ namespace, labels }) => [namespace, labels])),
    accounts: new Map(places.flatMap(({ namespace, accounts }) => accounts.map((one) => [`${namespace}/${one.metadata.name}`, one]))),
    pods: new Map(
      places.flatMap(({ namespace, pods }) =>
        [...Map.groupBy(pods, ({ spec }) => spec.serviceAccountName)].map(([name, all]) => [`${namespace}/${name}`, all] as const),
      ),
    ),
    roles: new Map(roles),
    issuer: testbed.issuer,
  };
}

/** What the operator wrote down about a subject that no grant covers. Times are epoch milliseconds. */
export interface Recorded {
  readonly role: string;
  readonly subject: string;
  readonly audience: string;
  readonly cause: 'grant' | 'labelOrTag' | 'unseen';
  readonly since: number;
  readonly revokedAt?: number;
}

const RECORD = pathOf('configmaps', { namespace: OPERATOR_NAMESPACE, name: 'irsa-operator-revocations' });

/** The revocation record; empty where there is none yet. */
export async function recorded({ api }: World): Promise<readonly Recorded[]> {
  const found = await unless([404], api.call<{ data?: Record<string, string> }>('GET', RECORD));
  return JSON.parse(found?.data?.['losses.json'] ?? '[]');
}
