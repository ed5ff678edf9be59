import { type Api, ApiError, type Testbed } from '@irsa-operator/testbed';
import { ACCOUNT } from '../../harness/scene.ts';

/** A namespace with its roles, where one scenario is played once. Names are as long in each run: lengths stand in a status. */
export interface Stage {
  readonly namespace: string;
  /** Whatever is asked of the API server, below the namespace: `irsabindings/app`. */
  put(kind: keyof typeof COLLECTIONS, name: string, body: object): Promise<void>;
  patch(kind: keyof typeof COLLECTIONS, name: string, body: object): Promise<void>;
  remove(kind: keyof typeof COLLECTIONS, name: string): Promise<void>;
  /** Undefined: there is none. */
  get<T>(kind: keyof typeof COLLECTIONS, name: string): Promise<T | undefined>;
  list<T>(kind: keyof typeof COLLECTIONS): Promise<T[]>;
  bind(name?: string, spec?: object): Promise<void>;
  deployment(): Promise<void>;
  grant(): Promise<void>;
  loseGrant(): Promise<void>;
  /** Makes a role whose trust policy lets EC2 in and nobody else. */
  role(name: string): void;
  roleArn(name: string): string;
  readonly roleNames: readonly string[];
  /** Undefined: there is no such role. */
  trust(name: string): Policy | undefined;
  setTrust(name: string, statements: readonly object[]): void;
  /** Lets everything go. */
  strike(): Promise<void>;
}

export interface Policy {
  readonly Statement: readonly { readonly Sid?: string; readonly [member: string]: unknown }[];
}

const COLLECTIONS = {
  irsabindings: '/apis/irsa-operator.dev/v1alpha1',
  serviceaccounts: '/api/v1',
  pods: '/api/v1',
  deployments: '/apis/apps/v1',
} as const;
const GRANTS = '/apis/irsa-operator.dev/v1alpha1/irsagrants';
export const OTHER_AUDIENCE = 'sigstore';
export const EC2 = { Sid: 'Ec2', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };

export async function makeStage(testbed: Testbed, api: Api, namespace: string): Promise<Stage> {
  const { role } = testbed.aws.account();
  const roleNames: string[] = [];
  const nameOf = (name: string) => `${namespace}-${name}`;
  const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${nameOf(name)}`;
  const below = (kind: keyof typeof COLLECTIONS) => `${COLLECTIONS[kind]}/namespaces/${namespace}/${kind}`;
  await api.call('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
  await leaseRights(api, namespace);
  const stage: Stage = {
    namespace,
    put: async (kind, name, body) => void (await api.call('POST', below(kind), { body: { ...body, metadata: { name } } })),
    patch: async (kind, name, body) => void (await api.call('PATCH', `${below(kind)}/${name}`, { patch: 'merge', body })),
    remove: async (kind, name) => void (await api.call('DELETE', `${below(kind)}/${name}`)),
    async get<T>(kind: keyof typeof COLLECTIONS, name: string) {
      try {
        return await api.call<T>('GET', `${below(kind)}/${name}`);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }
    },
    list: async <T>(kind: keyof typeof COLLECTIONS) => (await api.call<{ items: T[] }>('GET', below(kind))).items,
    bind: (name = 'app', spec = {}) =>
      stage.put('irsabindings', name, {
        apiVersion: 'irsa-operator.dev/v1alpha1',
        kind: 'IrsaBinding',
        spec: { serviceAccountName: 'app', roleArn: roleArn('old'), ...spec },
      }),
    deployment() {
      const labels = { app: 'app', 'testbed.irsa-operator.dev/workload': 'aws' };
      const spec = { serviceAccountName: 'app', containers: [{ name: 'app', image: 'app' }] };
      return stage.put('deployments', 'app', {
        spec: { replicas: 2, selector: { matchLabels: { app: 'app' } }, template: { metadata: { labels }, spec } },
      });
    },
    async grant() {
      const spec = {
        roleArns: [roleArn('*')],
        namespaces: { names: [namespace] },
        serviceAccountNames: ['*'],
        audiences: ['sts.amazonaws.com', OTHER_AUDIENCE],
      };
      const body = { apiVersion: 'irsa-operator.dev/v1alpha1', kind: 'IrsaGrant', metadata: { name: namespace }, spec };
      await api.call('POST', GRANTS, { body });
    },
    loseGrant: async () => void (await api.call('DELETE', `${GRANTS}/${namespace}`)),
    role(name) {
      roleNames.push(name);
      role.put({ name: nameOf(name), trustPolicy: { Version: '2012-10-17', Statement: [EC2] } });
    },
    roleArn,
    roleNames,
    trust(name) {
      const text = role.get(nameOf(name))?.trustPolicy;
      return text === undefined ? undefined : (JSON.parse(text) as Policy);
    },
    setTrust: (name, Statement) => role.setTrustPolicy(nameOf(name), { Version: '2012-10-17', Statement }),
    async strike() {
      for (const name of roleNames) role.delete(nameOf(name));
      // Nobody is left to take our finalizer off.
      for (const { metadata } of await stage.list<{ metadata: { name: string } }>('irsabindings'))
        await stage.patch('irsabindings', metadata.name, { metadata: { finalizers: [] } }).catch(() => {});
      await api.call('DELETE', `${GRANTS}/${namespace}`).catch(() => {});
      await api.call('DELETE', `/api/v1/namespaces/${namespace}`);
    },
  };
  await stage.grant();
  return stage;
}

/** The Lease of one run lies in its namespace, with the same right as in the operator's own (config/rbac). */
async function leaseRights(api: Api, namespace: string): Promise<void> {
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const metadata = { name: 'lease' };
  const lease = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] };
  const rules = [
    { ...lease, verbs: ['create'] },
    { ...lease, resourceNames: ['irsa-operator'], verbs: ['get', 'update'] },
  ];
  await api.call('POST', `${rbac}/roles`, { body: { metadata, rules } });
  const subjects = [{ kind: 'ServiceAccount', name: 'irsa-operator', namespace: 'irsa-operator-system' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'lease' };
  await api.call('POST', `${rbac}/rolebindings`, { body: { metadata, roleRef, subjects } });
}
