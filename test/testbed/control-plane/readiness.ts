import { randomUUID } from 'node:crypto';
import { type Api, ApiError } from '../api.ts';
import { until } from '../until.ts';
import { NODE } from './kwok.ts';

/** Seconds on an idle machine; the rest is for one that is not. */
export const READY_DEADLINE_MS = 60_000;

/** A namespace that every cluster has and no workload lives in. */
const PROBE_NAMESPACE = 'kube-node-lease';
const PROBE = 'testbed-webhook-probe';
const ROLE_ARN = 'arn:aws:iam::111122223333:role/testbed-webhook-probe';

export async function untilReadyz(api: Api, signal: AbortSignal): Promise<void> {
  await until('the API server says that it is ready', async () => (await api.call<string>('GET', '/readyz', { signal })) === 'ok', {
    timeoutMs: READY_DEADLINE_MS,
    signal,
  });
}

/** Makes the node if it is not there. */
export async function untilNodeReady(api: Api, signal: AbortSignal): Promise<void> {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE, annotations: { 'kwok.x-k8s.io/node': 'fake' } } };
  await create(api, '/api/v1/nodes', node, signal);
  await until(
    `node ${NODE} is Ready (does kwok run?)`,
    async () => {
      const { status } = await api.call<{ status?: { conditions?: { type: string; status: string }[] } }>('GET', `/api/v1/nodes/${NODE}`, {
        signal,
      });
      return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
    },
    { timeoutMs: READY_DEADLINE_MS, signal },
  );
}

/**
 * Proves that a pod gets credentials injected from now on, by every ServiceAccount as it is now. It takes a moment until the API server calls
 * a webhook that was just configured, and another one until the webhook, which answers from a cache, knows a ServiceAccount. A pod that is
 * made in such a moment comes up without. The proving pods are dry runs, and their ServiceAccount is the last one that the webhook hears of.
 */
export async function untilInjected(api: Api, signal: AbortSignal, prefix = 'eks.amazonaws.com'): Promise<void> {
  const accounts = `/api/v1/namespaces/${PROBE_NAMESPACE}/serviceaccounts`;
  const name = `${PROBE}-${randomUUID()}`;
  const account = { metadata: { name, annotations: { [`${prefix}/role-arn`]: ROLE_ARN } } };
  const pod = { metadata: { name }, spec: { serviceAccountName: name, containers: [{ name: 'probe', image: 'none' }] } };
  await api.call('POST', accounts, { body: account, signal });
  await until(
    'a pod gets AWS_ROLE_ARN injected (does amazon-eks-pod-identity-webhook run, and is its MutatingWebhookConfiguration there?)',
    async () => {
      const path = `/api/v1/namespaces/${PROBE_NAMESPACE}/pods?dryRun=All`;
      const made = await api.call<{ spec: { containers: { env?: { name: string; value?: string }[] }[] } }>('POST', path, {
        body: pod,
        signal,
      });
      return made.spec.containers[0]?.env?.some(({ name, value }) => name === 'AWS_ROLE_ARN' && value === ROLE_ARN);
    },
    { timeoutMs: READY_DEADLINE_MS, signal },
  );
  await api.call('DELETE', `${accounts}/${name}`, { signal });
}

async function create(api: Api, path: string, body: object, signal: AbortSignal): Promise<void> {
  try {
    await api.call('POST', path, { body, signal });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 409)) throw error; // there already
  }
}
