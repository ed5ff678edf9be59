import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, type Testbed, WORKLOAD_LABEL } from '@irsa-operator/testbed';
import { pathOf, unless } from '../harness/objects.ts';
import { type LogLine, OPERATOR_POLICY, OPERATOR_ROLE } from '../harness/operator.ts';

/** Pods with this label are run here. kwok leaves them alone: to it, every pod is Ready. */
export const RUN_HERE = { [WORKLOAD_LABEL]: 'operator' };
const SELECTOR = `labelSelector=${encodeURIComponent(`${WORKLOAD_LABEL}=operator`)}`;
const POLL_MS = 250;
/** Shorter than a kubelet's, so that a test does not wait for it. */
const BACK_OFF_MS = 2_000;

interface Container {
  name: string;
  image: string;
  args?: string[];
  env?: { name: string; value?: string; valueFrom?: { fieldRef?: { fieldPath: string } } }[];
  ports: { name: string; containerPort: number }[];
  readinessProbe: { httpGet: { path: string; port: string } };
}

export interface OperatorPod {
  metadata: { name: string; namespace: string; uid: string; deletionTimestamp?: string };
  spec: { serviceAccountName: string; nodeName?: string; terminationGracePeriodSeconds: number; containers: [Container] };
  status: {
    phase: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { ready: boolean; restartCount: number }[];
  };
}

interface Run {
  pod: OperatorPod;
  child: ChildProcess;
  exited: Promise<unknown>;
  log: LogLine[];
  errors: string[];
  restarts: number;
  shown: string;
}

/** One replica that runs, as its pod says. */
export interface Replica {
  readonly pod: string;
  readonly serviceAccount: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly metricsUrl: string;
  readonly log: readonly LogLine[];
}

export interface OperatorPods {
  /** Of this namespace, those that serve. */
  replicas(namespace: string): Replica[];
  /** Ends them as a node does that is lost: the pods stay. */
  stop(): Promise<void>;
}

/**
 * A kubelet for the pods of the operator. There is no container: the program of the image is the bundle, run with the arguments and the
 * environment of the pod and a token of its ServiceAccount, and the pod is Ready when its readiness probe says so. Ports are free ones, as two
 * replicas share a machine here. Credentials of AWS come as from the agent of Pod Identity, whatever the pod says.
 */
export function runOperatorPods(testbed: Testbed, api: Api): OperatorPods {
  const runs = new Map<string, Run>();
  const over = new AbortController();
  const running = loop();

  async function loop(): Promise<void> {
    while (!over.signal.aborted) {
      await step().catch(() => {}); // an API server that is busy is asked again
      await sleep(POLL_MS, undefined, { signal: over.signal }).catch(() => {});
    }
  }

  async function step(): Promise<void> {
    const { items } = await api.call<{ items: OperatorPod[] }>('GET', `/api/v1/pods?${SELECTOR}`);
    for (const [uid, run] of runs) if (!items.some(({ metadata }) => metadata.uid === uid)) await end(run);
    for (const pod of items) {
      const run = runs.get(pod.metadata.uid);
      if (pod.metadata.deletionTimestamp !== undefined) await remove(pod, run);
      else if (run !== undefined) await show(run);
      else if (pod.spec.nodeName !== undefined) runs.set(pod.metadata.uid, await start(pod, 0));
    }
  }

  async function start(pod: OperatorPod, restarts: number): Promise<Run> {
    const { namespace, name } = pod.metadata;
    const [container] = pod.spec.containers;
    const own = environmentOf(pod, container);
    const free = container.ports.map((port) => `--${port.name}-listen=127.0.0.1:0`);
    const args = [...(container.args ?? []).map((arg) => expanded(arg, own)), ...free];
    const child = spawn(process.execPath, ['--enable-source-maps', 'dist/irsa-operator.mjs', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        ...own,
        KUBECONFIG: await testbed.kubeconfigFor({ namespace, name: pod.spec.serviceAccountName }),
        ...testbed.aws.env({ roleName: OPERATOR_ROLE, identityPolicy: OPERATOR_POLICY, sessionName: name }),
      },
    });
    const run: Run = { pod, child, exited: once(child, 'exit'), log: [], errors: [], restarts, shown: '' };
    createInterface({ input: child.stdout }).on('line', (line) => run.log.push(JSON.parse(line) as LogLine));
    createInterface({ input: child.stderr }).on('line', (line) => run.errors.push(line));
    return run;
  }

  /** What the kubelet says of it, where that changed. */
  async function show(run: Run): Promise<void> {
    const { metadata, spec } = run.pod;
    const [{ name, image }] = spec.containers;
    const ended = run.child.exitCode ?? run.child.signalCode;
    const ready = ended === null && (await probe(run));
    const message = [...run.errors, ...run.log.map(({ msg }) => msg)].slice(0, 3).join('\n');
    const state =
      ended === null ? { running: { startedAt: new Date().toISOString() } } : { waiting: { reason: 'CrashLoopBackOff', message } };
    const shown = `${ready} ${ended} ${run.restarts}`;
    if (shown !== run.shown) {
      const container = { name, image, imageID: '', ready, started: ended === null, restartCount: run.restarts, state };
      const conditions = ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
        type,
        status: ready || type === 'Initialized' || type === 'PodScheduled' ? 'True' : 'False',
        lastTransitionTime: new Date().toISOString(),
      }));
      const body = { metadata: { uid: metadata.uid }, status: { phase: 'Running', conditions, containerStatuses: [container] } };
      await api.call('PATCH', `${pathOf('pods', metadata)}/status`, { patch: 'strategic-merge', body });
      run.shown = shown;
    }
    if (ended === null) return;
    await sleep(BACK_OFF_MS, undefined, { signal: over.signal }).catch(() => {});
    if (!over.signal.aborted) runs.set(metadata.uid, { ...(await start(run.pod, run.restarts + 1)), shown });
  }

  async function remove(pod: OperatorPod, run: Run | undefined): Promise<void> {
    if (run !== undefined) await end(run);
    const body = { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } };
    await unless([404, 409], api.call('DELETE', pathOf('pods', pod.metadata), { body }));
  }

  async function end({ pod, child, exited }: Run): Promise<void> {
    runs.delete(pod.metadata.uid);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), pod.spec.terminationGracePeriodSeconds * 1_000);
    await exited;
    clearTimeout(timer);
  }

  return {
    replicas: (namespace) =>
      [...runs.values()].flatMap(({ pod, log }) => {
        const port = portOf(log, 'metrics');
        if (pod.metadata.namespace !== namespace || port === undefined) return [];
        const [{ image, args = [] }] = pod.spec.containers;
        const { name } = pod.metadata;
        return [{ pod: name, serviceAccount: pod.spec.serviceAccountName, image, args, metricsUrl: `http://127.0.0.1:${port}`, log }];
      }),
    async stop() {
      over.abort();
      await running;
      await Promise.all([...runs.values()].map(end));
    },
  };
}

function environmentOf({ metadata }: OperatorPod, { env = [] }: Container): Record<string, string> {
  const fields: Record<string, string> = { 'metadata.namespace': metadata.namespace, 'metadata.name': metadata.name };
  return Object.fromEntries(env.map(({ name, value, valueFrom }) => [name, value ?? fields[valueFrom?.fieldRef?.fieldPath ?? ''] ?? '']));
}

/** `$(NAME)`, as Kubernetes does it. */
function expanded(arg: string, env: Readonly<Record<string, string>>): string {
  return arg.replaceAll(/\$\(([A-Z_a-z0-9]+)\)/g, (whole, name) => env[name] ?? whole);
}

/** The port that stands for the one of this name in the pod. */
function portOf(log: readonly LogLine[], name: string): number | undefined {
  const line = log.find((each) => `${name}Port` in each);
  return line === undefined ? undefined : Number(line[`${name}Port`]);
}

async function probe({ pod, log }: Run): Promise<boolean> {
  const { path, port: name } = pod.spec.containers[0].readinessProbe.httpGet;
  const port = portOf(log, name);
  return (
    port !== undefined &&
    (await fetch(`http://127.0.0.1:${port}${path}`).then(
      ({ ok }) => ok,
      () => false,
    ))
  );
}
