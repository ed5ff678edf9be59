import { type Api, ApiError, type Testbed, until } from '@irsa-operator/testbed';

export const ACCOUNT = '111122223333';
export const ROLE_ARN = 'eks.amazonaws.com/role-arn';

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}
export interface Binding {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly generation: number;
    readonly finalizers?: readonly string[];
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
    readonly findings?: readonly { readonly code: string; readonly message: string }[];
    readonly roles?: readonly { readonly arn: string; readonly roleId: string; readonly sid: string }[];
    readonly trustPolicy?: { readonly managedBy: string; readonly characters: number; readonly quota: number; readonly summary: string };
    readonly pods?: {
      readonly total: number;
      readonly current: number;
      readonly stale: number;
      readonly exempt: number;
      readonly summary: string;
    };
    readonly restarts?: readonly { readonly kind: string; readonly phase: string; readonly attempts: number; readonly cause: string }[];
    readonly plan?: readonly string[];
  };
}
export interface PodView {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly containers: readonly { readonly env?: readonly { readonly name: string; readonly value?: string }[] }[] };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state?: { readonly waiting?: { readonly reason: string } };
      readonly lastState?: { readonly terminated?: { readonly message?: string } };
    }[];
  };
}

/** How long a scene may take to get anywhere: the settling time of 10 s before a restart, twice for two pods, on a busy machine. */
const PATIENCE_MS = 90_000;

/** One namespace with a workload that needs a role: its ServiceAccount, its pods, its binding, its role. */
export interface Scene {
  readonly namespace: string;
  readonly roleName: string;
  readonly roleArn: string;
  readonly subject: string;
  serviceAccount(annotations?: Record<string, string>, name?: string): Promise<void>;
  deployment(options?: { replicas?: number; serviceAccountName?: string }): Promise<void>;
  bind(spec?: Record<string, unknown>): Promise<void>;
  binding(): Promise<Binding>;
  condition(type: string): Promise<Condition | undefined>;
  pods(): Promise<PodView[]>;
  /** Both pods are there, and STS let none of them in: their message is the article's. */
  refused(count?: number): Promise<string>;
  /** Every pod is Ready, which in the testbed is so only if STS let it in. */
  allReady(count?: number): Promise<PodView[]>;
  conditionIs(type: string, status: string, reason?: string): Promise<Condition>;
  /** Trust policy writes that IAM took, oldest first: the exact documents that were sent. */
  writes(): string[];
  /** Codes and reasons of the Events about the binding. */
  eventReasons(): Promise<string[]>;
}

export function isReady(pod: PodView): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    (pod.status.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')
  );
}

/** The namespace may be there already: the operator's own is. */
export async function scene(testbed: Testbed, api: Api, name: string): Promise<Scene> {
  const namespace = name;
  const roleName = `role-of-${name}`;
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/${roleName}`;
  try {
    await api.call('POST', '/api/v1/namespaces', { body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } } });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 409)) throw error;
  }
  const bindingPath = `/apis/irsa-operator.dev/v1alpha1/namespaces/${namespace}/irsabindings`;
  const self: Scene = {
    namespace,
    roleName,
    roleArn,
    subject: `system:serviceaccount:${namespace}:app`,
    async serviceAccount(annotations = {}, account = 'app') {
      await api.call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { body: { metadata: { name: account, annotations } } });
    },
    async deployment({ replicas = 2, serviceAccountName = 'app' } = {}) {
      const labels = { app: 'app', 'testbed.irsa-operator.dev/workload': 'aws' };
      const spec = { serviceAccountName, containers: [{ name: 'app', image: 'app' }] };
      await api.call('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, {
        body: {
          metadata: { name: 'app' },
          spec: { replicas, selector: { matchLabels: { app: 'app' } }, template: { metadata: { labels }, spec } },
        },
      });
    },
    async bind(spec = {}) {
      const body = {
        apiVersion: 'irsa-operator.dev/v1alpha1',
        kind: 'IrsaBinding',
        metadata: { name: 'app' },
        spec: { serviceAccountName: 'app', roleArn, ...spec },
      };
      await api.call('POST', bindingPath, { body });
    },
    binding: () => api.call<Binding>('GET', `${bindingPath}/app`),
    async condition(type) {
      return (await self.binding()).status?.conditions?.find((condition) => condition.type === type);
    },
    async pods() {
      const { items } = await api.call<{ items: PodView[] }>('GET', `/api/v1/namespaces/${namespace}/pods`);
      return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    },
    async refused(count = 2) {
      return await until(
        `${count} pods of ${namespace} are refused`,
        async () => {
          const pods = await self.pods();
          const messages = pods.map((pod) => pod.status.containerStatuses?.[0]?.lastState?.terminated?.message);
          return pods.length === count && !pods.some(isReady) && messages.every((message) => message !== undefined) && messages[0];
        },
        { timeoutMs: PATIENCE_MS },
      );
    },
    async allReady(count = 2) {
      return await until(
        `${count} pods of ${namespace} are ready`,
        async () => {
          const pods = await self.pods();
          return pods.length === count && pods.every(isReady) && pods;
        },
        { timeoutMs: PATIENCE_MS },
      );
    },
    async conditionIs(type, status, reason) {
      return await until(
        `${type} of the binding in ${namespace} is ${status}${reason === undefined ? '' : ` for ${reason}`}`,
        async () => {
          const condition = await self.condition(type);
          const found = condition?.status === status && (reason === undefined || condition.reason === reason);
          if (!found) throw new Error(JSON.stringify((await self.binding()).status?.conditions ?? 'no status'));
          return condition;
        },
        { timeoutMs: PATIENCE_MS },
      );
    },
    writes: () =>
      testbed.aws.journal
        .filter(({ operation, code, params }) => operation === 'UpdateAssumeRolePolicy' && code === 'OK' && params['RoleName'] === roleName)
        .map(({ params }) => params['PolicyDocument'] ?? ''),
    async eventReasons() {
      const { items } = await api.call<{ items: { reason: string }[] }>('GET', `/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
      return items.map(({ reason }) => reason);
    },
  };
  return self;
}
