import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type TcpProxy, type Testbed, tokenFileOf, until } from '@irsa-operator/testbed';
import { decodeJwt } from 'jose';
import { NODE_OPTIONS } from '../../scripts/image/runtime.ts';
import { OPERATOR_NAMESPACE, pathOf } from './objects.ts';

/** The role that the operator runs as in the AWS double. */
export const OPERATOR_ROLE = 'irsa-operator';
/** It may do this and nothing more; the account in it is AWS's example, which is the double's own. */
export const OPERATOR_POLICY = readFileSync('config/iam/policy.json', 'utf8');

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The operator as it ships: the bundle, the RBAC of config/rbac and the role with config/iam/policy.json, and nothing more. */
export interface RunningOperator {
  readonly pid: number;
  /** Its session name in the journal of the AWS double. */
  readonly name: string;
  /** Its token's ID in the audit log of the API server. */
  readonly credentialId: string;
  /** `http://127.0.0.1:PORT`, with /livez and /readyz. */
  readonly healthUrl: string;
  /** With /metrics. */
  readonly metricsUrl: string;
  readonly log: readonly LogLine[];
  /** Resolves when it has ended, with its exit status; null: a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Asks it to stop as Kubernetes does; resolves with its exit status. */
  stop(): Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

/** CRDs, RBAC and policies, as `kubectl apply -k` puts them. The CRDs are served a moment after they are made. */
export async function install(testbed: Testbed): Promise<void> {
  await testbed.kubectl(['apply', '-k', 'crds']);
  await testbed.kubectl(['apply', '-k', 'config/rbac']);
  await testbed.kubectl(['apply', '-k', 'config/policies']);
  await testbed.kubectl([
    'wait',
    '--for=condition=Established',
    '--timeout=10s',
    'crd/irsabindings.irsa-operator.dev',
    'crd/irsagrants.irsa-operator.dev',
    'crd/irsaaccounts.irsa-operator.dev',
  ]);
  // A list is answered with 429 for a moment more, while the API server fills its cache.
  for (const kind of ['irsabindings', 'irsagrants', 'irsaaccounts'] as const)
    await until(`${kind} can be listed`, () => testbed.kubectl(['get', '--raw', pathOf(kind)]), { timeoutMs: START_TIMEOUT_MS });
}

/** What the operator told on its own Lease, for this reason. */
export async function notesOfOperator(testbed: Testbed, reason: string): Promise<string[]> {
  const events = await testbed.kubectl(['get', 'events.events.k8s.io', '-n', OPERATOR_NAMESPACE, '-o', 'json']);
  const { items } = JSON.parse(events) as { items: { reason: string; note: string }[] };
  return items.flatMap((event) => (event.reason === reason ? [event.note] : []));
}

/** Policies that are attached to one role, as one. */
function together(policies: readonly string[]): string {
  const statements = policies.flatMap((policy) => (JSON.parse(policy) as { Statement: object[] }).Statement);
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** Nothing of a run of the tests takes longer to come up or to go down. */
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;

/** As which it runs where it is installed as it ships. */
const OPERATOR = { namespace: OPERATOR_NAMESPACE, name: 'irsa-operator' };

/** Ports that are free. */
export const LISTEN = ['--health-listen', '127.0.0.1:0', '--metrics-listen', '127.0.0.1:0'];

let started = 0;

/** Arguments for Node as in the image: where memory is measured. The harness maps stacks to sources, which takes 130 MiB. */
export const AS_IT_SHIPS: readonly string[] = ['--no-enable-source-maps', ...NODE_OPTIONS.split(' ')];

/** Comes back when it is ready. `morePolicies` are what a flag needs beside the policy of every operator; it may reach the API server `through` a proxy. */
export async function startOperator(
  testbed: Testbed,
  flags: readonly string[] = [],
  morePolicies: readonly string[] = [],
  through?: TcpProxy,
  serviceAccount = OPERATOR,
  nodeArgs: readonly string[] = [],
  hasPodIdentity = false,
): Promise<RunningOperator> {
  const name = `irsa-operator-${++started}`;
  const kubeconfig = await testbed.kubeconfigFor(serviceAccount, through);
  const credentialId = `JTI=${decodeJwt(readFileSync(tokenFileOf(kubeconfig), 'utf8')).jti}`;
  const node = ['--enable-source-maps', ...nodeArgs, 'dist/irsa-operator.mjs'];
  const child = spawn(process.execPath, [...node, 'run', ...LISTEN, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], KUBECONFIG: kubeconfig, ...awsEnvOfOperator(testbed, name, morePolicies, hasPodIdentity) },
  });
  return await followOperator(child, testbed, name, credentialId);
}

/** By which it is its own role in AWS, in a session of this name. */
export function awsEnvOfOperator(
  testbed: Testbed,
  sessionName: string,
  morePolicies: readonly string[] = [],
  hasPodIdentity = false,
): Record<string, string> {
  const podIdentity = { cluster: 'blue', namespace: OPERATOR.namespace, serviceAccount: OPERATOR.name };
  return testbed.aws.env({
    roleName: OPERATOR_ROLE,
    identityPolicy: together([OPERATOR_POLICY, ...morePolicies]),
    sessionName,
    ...(hasPodIdentity && { podIdentity }),
  });
}

/** Comes back when the process of an operator is ready. What it writes is kept in a file of the testbed, too. */
export async function followOperator(
  child: ChildProcessByStdio<null, Readable, Readable>,
  testbed: Testbed,
  name: string,
  credentialId: string,
): Promise<RunningOperator> {
  const log: LogLine[] = [];
  const file = createWriteStream(join(testbed.folder, `${name}.log`));
  const errors: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    file.write(`${line}\n`);
    log.push(JSON.parse(line) as LogLine);
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    file.write(`${line}\n`);
    errors.push(line);
  });
  const exited = once(child, 'exit');
  const ready = async () => {
    const { healthPort, metricsPort } = await until(
      'irsa-operator serves',
      () => {
        if (child.exitCode !== null)
          throw new Error(`it ended with ${child.exitCode}: ${[...errors, ...log.map(({ msg }) => msg)].slice(-5).join('; ')}`);
        return log.find((line) => 'metricsPort' in line);
      },
      { timeoutMs: START_TIMEOUT_MS },
    );
    const url = `http://127.0.0.1:${healthPort}`;
    await until('irsa-operator is ready', async () => (await fetch(`${url}/readyz`)).ok, { timeoutMs: START_TIMEOUT_MS });
    return { healthUrl: url, metricsUrl: `http://127.0.0.1:${metricsPort}` };
  };
  const urls = await ready().catch((error: unknown) => {
    child.kill('SIGKILL'); // nobody else knows of it
    throw error;
  });
  return {
    pid: child.pid ?? 0,
    name,
    credentialId,
    ...urls,
    log,
    ended: exited.then(() => child.exitCode),
    kill: (signal) => void child.kill(signal),
    stop: () => stopChild(child, exited),
  };
}

async function stopChild(child: ChildProcess, exited: Promise<unknown>): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
  return child.exitCode;
}
