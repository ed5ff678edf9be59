import type { Api } from '../api.ts';
import type { Pki } from '../pki/index.ts';
import type { Launch } from './component.ts';

/** Those that need nodes of flesh would only log errors. Those that need a cloud do not start without one, and 1.37 does not know them. */
const CONTROLLERS = '*,-nodeipam,-nodelifecycle,-attachdetach,-persistentvolume-binder';

/** Where manifests go; a pod needs the namespace's default service account. */
const NAMESPACES = ['default', 'kube-system'];

export function controllerManager(binary: string, kubeconfig: string, pki: Pki, api: Api): Launch<never> {
  return {
    name: 'kube-controller-manager',
    binary,
    ports: [],
    args: () => [
      ...['--kubeconfig', kubeconfig, '--leader-elect=false', `--controllers=${CONTROLLERS}`, '--use-service-account-credentials=true'],
      ...['--service-account-private-key-file', pki.serviceAccountKey, '--root-ca-file', pki.authorityFile],
      ...['--kube-api-qps', '500', '--kube-api-burst', '1000'], // the defaults would make a benchmark measure this limit
      '--secure-port=0', // it would always be 10257, and a second testbed's could not start
    ],
    // It listens nowhere: that it works shows in what it makes.
    isUp: async (_, signal) => {
      const path = '/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault';
      const { items } = await api.call<{ items: { metadata: { namespace: string } }[] }>('GET', path, { signal });
      return NAMESPACES.every((namespace) => items.some(({ metadata }) => metadata.namespace === namespace));
    },
  };
}
