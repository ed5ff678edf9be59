import type { Api, Testbed } from '@irsa-operator/testbed';
import { OPERATOR_NAMESPACE, pathOf, unless } from '../../harness/objects.ts';
import { openScene, type Scene } from '../../harness/scene.ts';
import type { Binding } from '../../harness/views.ts';

export const OTHER_AUDIENCE = 'sigstore';
export const AUDIENCES = ['sts.amazonaws.com', OTHER_AUDIENCE];

/** The second role of a scenario. Names are as long in each run: lengths stand in a status. */
export const newRoleOf = ({ roleName }: Scene): string => `${roleName}-new`;

/** A scene where one scenario is played once: with a grant for its roles, and a Lease of its own. */
export async function setStage(testbed: Testbed, api: Api, namespace: string): Promise<Scene> {
  const scene = await openScene(testbed, api, namespace);
  await leaseRights(api, namespace);
  await scene.grant({ roleArns: [`${scene.roleArn}*`], audiences: AUDIENCES });
  // An operator that starts and sees no grant at all revokes nothing: they may not be restored yet.
  await scene.grant({ serviceAccountNames: ['nobody'] }, besideOf(scene));
  return scene;
}

const besideOf = ({ namespace }: Scene): string => `${namespace}-beside`;

/** Nothing that was written down by another run: the one place where the policies let the operator keep its record is its own namespace. */
export async function forgetLosses(api: Api): Promise<void> {
  const path = pathOf('configmaps', { namespace: OPERATOR_NAMESPACE, name: 'irsa-operator-revocations' });
  await unless([404], api.call('DELETE', path));
}

/** Lets everything go. */
export async function strike(scene: Scene, testbed: Testbed, api: Api): Promise<void> {
  for (const name of scene.roles) testbed.aws.account().role.delete(name);
  // No operator is left to take its finalizer off.
  for (const { metadata } of await scene.list<Binding>('irsabindings'))
    await scene.patch('irsabindings', metadata.name, { metadata: { finalizers: [] } }).catch(() => {});
  for (const name of [scene.namespace, besideOf(scene)]) await scene.loseGrant(name).catch(() => {});
  await api.call('DELETE', pathOf('namespaces', { name: scene.namespace }));
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
  const subjects = [{ kind: 'ServiceAccount', name: 'irsa-operator', namespace: OPERATOR_NAMESPACE }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'lease' };
  await api.call('POST', `${rbac}/rolebindings`, { body: { metadata, roleRef, subjects } });
}
