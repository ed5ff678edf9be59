import { type Api, connect, startTestbed, type Testbed, type TestbedOptions, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll } from 'vitest';
import { pathOf } from '../harness/objects.ts';
import { openScene, type Scene } from '../harness/scene.ts';
import type { Binding } from '../harness/views.ts';
import { CHART, type Helm, helmOf } from './helm.ts';
import { type OperatorPods, RUN_HERE, runOperatorPods } from './operator-pods.ts';

export const NAMESPACE = 'irsa-operator-system';
const PATIENCE = { timeoutMs: 90_000 };

/** What a release of the tests has: seen often enough that no test waits for it, and run here. */
export const VALUES = { podLabels: RUN_HERE, extraArgs: ['--sweep-interval=2s'] };

/** A control plane on which people install the operator, in place of the tests. */
export interface Shipyard {
  readonly testbed: Testbed;
  readonly api: Api;
  readonly helm: Helm;
  readonly pods: OperatorPods;
  /** `helm upgrade --install --wait` of the chart, with values of the tests. */
  install(values?: object, ...args: readonly string[]): Promise<string>;
  /** A namespace with a role, a ServiceAccount, a workload and a binding that is Ready, with its pods. */
  working(name: string): Promise<Scene>;
  /** Names of the objects of the operator, as kubectl writes them. */
  labelled(kinds: string, ...args: readonly string[]): Promise<string>;
  /** Writes to AWS of the operator that IAM was asked for up to now. */
  writes(): number;
}

export function shipyard(options: TestbedOptions = {}): Shipyard {
  let testbed: Testbed | undefined;
  let api: Api | undefined;
  let pods: OperatorPods | undefined;
  let helm: Helm | undefined;

  beforeAll(async () => {
    testbed = await startTestbed(options);
    api = connect(testbed.kubeconfig);
    pods = runOperatorPods(testbed, api);
    helm = helmOf(testbed.kubeconfig);
    testbed.aws.account().provider.put({ issuer: testbed.issuer, clientIds: ['sts.amazonaws.com'] });
  });
  afterAll(async () => {
    await pods?.stop();
    api?.close();
    await testbed?.stop();
  });

  const yard: Shipyard = {
    get testbed() {
      return present(testbed);
    },
    get api() {
      return present(api);
    },
    get helm() {
      return present(helm);
    },
    labelled: (kinds, ...args) => yard.testbed.kubectl(['get', kinds, ...args, '-l', 'app.kubernetes.io/name=irsa-operator', '-o', 'name']),
    get pods() {
      return present(pods);
    },
    install: (values = {}, ...args) =>
      yard.helm(
        ['upgrade', '--install', 'irsa-operator', CHART, '-n', NAMESPACE, '--create-namespace', '--wait', '--timeout=90s', ...args],
        { ...VALUES, ...values },
      ),
    async working(name) {
      const scene = await openScene(yard.testbed, yard.api, name);
      scene.role();
      await scene.serviceAccount();
      await scene.deployment();
      await scene.grant();
      await scene.bind();
      await scene.conditionIs('Ready', 'True', 'Ready');
      await scene.allReady();
      await scene.writeIsBelieved();
      await scene.conditionIs('Ready', 'True', 'Ready');
      return scene;
    },
    writes: () =>
      yard.testbed.aws.journal.filter(({ operation }) => /^(Update|Create|Put|Delete|Tag|Untag|Add|Remove)/.test(operation)).length,
  };
  return yard;
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is there from the first beforeAll on');
  return value;
}

/** Everything that an installation must not touch: the pods, the trust, the annotations, and the binding itself. */
export async function snapshotOf(scene: Scene): Promise<object> {
  const { metadata, spec, status } = await scene.binding();
  return {
    binding: { uid: metadata.uid, finalizers: metadata.finalizers, spec, roles: status?.roles, ready: readyOf(status) },
    trust: scene.trust(),
    annotations: await scene.annotations(),
    pods: (await scene.pods()).map((pod) => pod.metadata.uid).sort(),
  };
}

const readyOf = (status: Binding['status']) => status?.conditions?.find(({ type }) => type === 'Ready')?.status;

/** The operator that leads has read all roles twice since now, which is when it would write. */
export async function sweptTwice({ testbed }: Pick<Shipyard, 'testbed'>): Promise<void> {
  const since = Date.now();
  const begun = () =>
    testbed.aws.journal.filter(
      ({ at, operation, params }) => operation === 'ListRoles' && params['Marker'] === undefined && at.getTime() >= since,
    ).length;
  await until('all roles were read twice', () => begun() >= 3, PATIENCE);
}

/** A chart of a user: a binding, as it stands in Git beside a workload. */
export function appChart({ roleArn }: Scene): Record<string, string> {
  const metadata = { name: 'app' };
  const bind = { apiVersion: 'irsa-operator.dev/v1alpha1', kind: 'IrsaBinding', metadata, spec: { serviceAccountName: 'app', roleArn } };
  return {
    'Chart.yaml': JSON.stringify({ apiVersion: 'v2', name: 'app', version: '1.0.0' }),
    'templates/binding.yaml': JSON.stringify(bind),
  };
}

/** The CRD as the API server has it. */
export const crdPath = (name: string) => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}.irsa-operator.dev`;
export { pathOf };
