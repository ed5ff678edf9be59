import type { Api, Testbed } from '@irsa-operator/testbed';
import { OPERATOR_NAMESPACE, pathOf } from '../../harness/objects.ts';
import { openScene, type Scene } from '../../harness/scene.ts';
import type { Binding } from '../../harness/views.ts';

export const OTHER_AUDIENCE = 'sigstore';
export const AUDIENCES = ['sts.amazonaws.com', OTHER_AUDIENCE];

/** The second role of a scenario. Names are as long in each run: lengths stand in a status. */
export const newRoleOf = ({ roleName }: Scene): string => `${roleName}-new`;

/** A scene where one scenario is played once: with a grant for its roles, and a Lease of its own. */
export async function setStage(testbed: Testbed, api: Api, namespace: string): Promise<Scene> {
  const scene = await openScene(testbed, api, namespace);
  await ownRights(api, namespace);
  await scene.grant({ roleArns: [`${scene.roleArn}*`], audiences: AUDIENCES });
  return scene;
}

/** Lets everything go. */
export async function strike(scene: Scene, testbed: Testbed, api: Api): Promise<void> {
  for (const name of scene.roles) testbed.aws.account().role.delete(name);
  // No operator is left to take its finalizer off.
  for (const { metadata } of await scene.list<Binding>('irsabindings'))
    await scene.patch('irsabindings', metadata.name, { metadata: { finalizers: [] } }).catch(() => {});
  await scene.loseGrant().catch(() => {});
  await api.call('DELETE', pathOf('namespaces', { name: scene.namespace }));
}

/** The Lease and the revocation record of one run lie in its namespace, with the very rights that the operator has in its own (config/rbac). */
async function ownRights(api: Api, namespace: string): Promise<void> {
  const rbac = (of: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${of}`;
  const { rules } = await api.call<{ rules: object[] }>('GET', `${rbac(OPERATOR_NAMESPACE)}/roles/irsa-operator`);
  const metadata = { name: 'own' };
  await api.call('POST', `${rbac(namespace)}/roles`, { body: { metadata, rules } });
  const subjects = [{ kind: 'ServiceAccount', name: 'irsa-operator', namespace: OPERATOR_NAMESPACE }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'own' };
  await api.call('POST', `${rbac(namespace)}/rolebindings`, { body: { metadata, roleRef, subjects } });
}
