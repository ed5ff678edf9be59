import type { Api, TcpProxy, Testbed } from '@irsa-operator/testbed';

/**
 * A namespace with a ServiceAccount `reader` of its own that may read what the operator may: what is done to one test's reader
 * is not done to another's. Returns its kubeconfig.
 */
export async function makeReader(testbed: Testbed, api: Api, namespace: string, through?: TcpProxy): Promise<string> {
  await api.call('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
  await api.call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { body: { metadata: { name: 'reader' } } });
  await api.call('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    body: {
      metadata: { name: `reader-${namespace}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'irsa-operator' },
      subjects: [{ kind: 'ServiceAccount', namespace, name: 'reader' }],
    },
  });
  return await testbed.kubeconfigFor({ namespace, name: 'reader' }, through);
}
