import type { Api, TcpProxy, Testbed } from '@irsa-operator/testbed';
import { pathOf } from '../harness/objects.ts';
import { openScene } from '../harness/scene.ts';

/**
 * A namespace with a ServiceAccount `reader` of its own that may read what the operator may: what is done to one test's reader
 * is not done to another's. Returns its kubeconfig.
 */
export async function makeReader(testbed: Testbed, api: Api, namespace: string, through?: TcpProxy): Promise<string> {
  await (await openScene(testbed, api, namespace)).serviceAccount({}, 'reader');
  await api.call('POST', pathOf('clusterrolebindings'), {
    body: {
      metadata: { name: `reader-${namespace}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'irsa-operator' },
      subjects: [{ kind: 'ServiceAccount', namespace, name: 'reader' }],
    },
  });
  return await testbed.kubeconfigFor({ namespace, name: 'reader' }, through);
}
