import { arnOf, type BindingObject, NAMESPACES, paths, ROLES, type World } from './world.ts';

interface Account {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly manager: string; readonly fieldsV1: object }[];
  };
}
export interface Grant {
  readonly spec: {
    readonly roleArns: readonly string[];
    readonly namespaces: { readonly names?: readonly string[]; readonly selector?: { readonly matchLabels: Record<string, string> } };
    readonly serviceAccountNames: readonly string[];
    readonly audiences: readonly string[];
    readonly requiredRoleTags: Readonly<Record<string, string>>;
  };
}
export interface Pod {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly containers: readonly { readonly env?: readonly { readonly name: string; readonly value?: string }[] }[];
  };
}
interface RoleSeen {
  readonly tags: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Everything that there is, looked at with none of the operator's code. */
export interface Seen {
  readonly bindings: readonly BindingObject[];
  readonly grants: readonly Grant[];
  readonly labels: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly pods: ReadonlyMap<string, readonly Pod[]>;
  readonly roles: ReadonlyMap<string, RoleSeen>;
  readonly issuer: string;
}

export async function look({ api, testbed }: World): Promise<Seen> {
  const list = async <T>(path: string) => (await api.call<{ items: T[] }>('GET', path)).items;
  const places = await Promise.all(
    NAMESPACES.map(async (namespace) => ({
      namespace,
      labels: (await api.call<{ metadata: { labels: Record<string, string> } }>('GET', paths.namespace(namespace))).metadata.labels,
      accounts: await list<Account>(paths.accounts(namespace)),
      pods: (await list<Pod>(paths.pods(namespace))).filter(({ metadata }) => metadata.deletionTimestamp === undefined),
    })),
  );
  const roles = ROLES.flatMap((name) => {
    const role = testbed.aws.account().role.get(name);
    return role === undefined ? [] : ([[arnOf(name), { tags: role.tags, text: role.trustPolicy }]] as const);
  });
  return {
    bindings: await list<BindingObject>(paths.everyBinding),
    grants: await list<Grant>(paths.grants),
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
