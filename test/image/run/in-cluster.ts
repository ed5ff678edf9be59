import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Testbed } from '@irsa-operator/testbed';
import { decodeJwt } from 'jose';
import { OPERATOR_NAMESPACE } from '../../harness/objects.ts';
import { awsEnvOfOperator, followOperator, LISTEN, type RunningOperator } from '../../harness/operator.ts';
import { argsIn } from '../deployment.ts';
import type { Container } from './container.ts';

/** Where the kubelet mounts what a pod needs to reach the API server. */
const SECRETS = '/var/run/secrets/kubernetes.io/serviceaccount';
/** What the kubelet writes for each pod. */
const FROM_NODE = { '/etc/hosts': '/etc/hosts', '/etc/resolv.conf': '/etc/resolv.conf' };

/** Starts the operator in a container, as a pod of the Deployment would: it finds the API server by what the kubelet mounts. Comes back when it is ready. */
export async function startInCluster(
  testbed: Testbed,
  container: Container,
  name: string,
  flags: readonly string[],
): Promise<RunningOperator> {
  const token = (await testbed.kubectl(['create', 'token', 'irsa-operator', '--namespace', OPERATOR_NAMESPACE, '--duration', '1h'])).trim();
  const { hostname, port } = new URL(testbed.server);
  const child = container.start({
    args: [...argsIn(OPERATOR_NAMESPACE), ...LISTEN, ...flags],
    env: {
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
      POD_NAMESPACE: OPERATOR_NAMESPACE,
      ...awsEnvOfOperator(testbed, name),
    },
    mounts: { [SECRETS]: await secrets(testbed, name, token), ...FROM_NODE },
  });
  return await followOperator(child, testbed, name, `JTI=${decodeJwt(token).jti}`);
}

async function secrets(testbed: Testbed, name: string, token: string): Promise<string> {
  const folder = join(testbed.folder, `${name}.secrets`);
  const query = ['get', 'configmap', 'kube-root-ca.crt', '--namespace', OPERATOR_NAMESPACE, '--output', 'jsonpath={.data.ca\\.crt}'];
  mkdirSync(folder, { mode: 0o755 });
  for (const [file, content] of Object.entries({ token, namespace: OPERATOR_NAMESPACE, 'ca.crt': await testbed.kubectl(query) }))
    writeFileSync(join(folder, file), content, { mode: 0o644 });
  return folder;
}
