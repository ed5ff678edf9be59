import { readFileSync } from 'node:fs';
import { until } from '@irsa-operator/testbed';
import { beforeAll, expect, test } from 'vitest';
import { binding } from '../harness/objects.ts';
import { AS_IT_SHIPS } from '../harness/operator.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';
import { ROLE_ARN } from '../harness/views.ts';
import { memoryBytes } from '../image/deployment.ts';

/**
 * One tenant makes objects as large as the API server takes them, in every kind that the operator watches; another one must not notice. With
 * the arguments for Node that ship, and in the memory that a pod may have.
 */
/** An API server that takes objects of a mebibyte on a busy machine is slow with the renewals of a lease, too: that is not what is tried here. */
const flags = [...SWEEP, '--lease-duration', '60s'];
const suite = integrationSuite({ grant: {}, flags, nodeArgs: AS_IT_SHIPS });
const { working } = suite;

/** Of each kind. */
const COUNT = 24;
/** Objects are no longer than 1.5 MiB in etcd, and annotations of one 256 KiB together. */
const LARGE = 900 * 1024;
const ANNOTATION = 240 * 1024;
/** As many clients as one user has at work. */
const CLIENTS = 4;
/** Of a pod: the kernel ends what takes more. Without bounds on what is kept and parsed, it did. */
const LIMIT_MIB = memoryBytes() / 2 ** 20;

/** Of the process, as Linux counts it. */
function memoryMiB(): { now: number; peak: number } {
  const status = readFileSync(`/proc/${suite.operator.pid}/status`, 'utf8');
  const of = (field: string) => Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024);
  return { now: of('VmRSS'), peak: of('VmHWM') };
}

function noted(what: string): number {
  const { now, peak } = memoryMiB();
  console.log(`RSS ${what}: ${now} MiB, at its peak ${peak} MiB`);
  return peak;
}

async function each(put: (name: string) => Promise<void>): Promise<void> {
  const names = Array.from({ length: COUNT }, (_, index) => `large-${index}`);
  const client = async () => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) await put(name);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

const long = (length: number) => 'x'.repeat(length);
/** Some hundred kibibytes, of many members. */
const many = <T>(make: (index: number) => T): T[] => Array.from({ length: 1_000 }, (_, index) => make(index));
const labels = Object.fromEntries(many((index) => [`example.com/${long(50)}-${index}`, long(63)]));
const env = [{ name: 'AWS_ROLE_ARN', value: long(LARGE) }];

const large: Record<string, (s: Scene, name: string) => Promise<void>> = {
  ServiceAccounts: (s, name) =>
    s.put('serviceaccounts', name, {
      metadata: { name, labels, annotations: { [ROLE_ARN]: `${s.roleArn}${long(ANNOTATION)}` } },
      imagePullSecrets: many((index) => ({ name: `${index}-${long(400)}` })),
    }),
  IrsaBindings: (s, name) =>
    s.put('irsabindings', name, {
      ...binding({ serviceAccountName: name, roleArn: s.roleArn }),
      metadata: {
        name,
        labels,
        annotations: { 'irsa-operator.dev/reconcile-requested-at': long(ANNOTATION) },
        finalizers: many((index) => `example.com/${long(50)}-${index}`),
      },
      // The API server drops it: to write a status takes a right that tenants do not have.
      status: { plan: ['planted'], lastHandledReconcileAt: 'planted', restarts: many(() => ({ name: long(200) })) },
    }),
  Deployments: (s, name) => s.workload('deployments', { name, serviceAccountName: name, replicas: 0, container: { env } }),
  StatefulSets: (s, name) => s.workload('statefulsets', { name, serviceAccountName: name, replicas: 0, container: { env } }),
  DaemonSets: (s, name) =>
    s.workload('daemonsets', { name, serviceAccountName: name, container: { env }, pod: { nodeSelector: { no: 'node' } } }),
  Pods: (s, name) =>
    s.put('pods', name, { spec: { serviceAccountName: name, schedulerName: 'none', containers: [{ name: 'app', image: 'app', env }] } }),
};

let tenant: Scene;
beforeAll(async () => {
  await working('before');
  noted('with nothing large');
  tenant = await suite.prepared('large');
});

// Contract: bad-size, failure-apart
for (const [kind, put] of Object.entries(large))
  test(`large ${kind} by the dozen are taken in, and another tenant's binding becomes Ready`, async () => {
    await each((name) => put(tenant, name));
    await working(`beside-${kind.toLowerCase()}`);
    expect(noted(`with ${COUNT} large ${kind}`)).toBeLessThan(LIMIT_MIB);
  });

// Contract: bad-size
test('a start with all of them there is no heavier, and then bindings become Ready', async () => {
  await suite.restart();
  await working('after');
  expect(noted('after a start with all of them')).toBeLessThan(LIMIT_MIB);
});

// Contract: bad-size
test('of a large binding the status says what is wrong in few words, and repeats nothing', async () => {
  await tenant.conditionIs('Authorized', 'True', undefined, 'large-0');
  const { status, metadata } = await tenant.binding('large-0');
  expect(JSON.stringify(status).length).toBeLessThan(16 * 1024);
  expect(status).not.toHaveProperty('lastHandledReconcileAt');
  expect(metadata.finalizers).toHaveLength(1_001);
});

// Contract: bad-size
test('its thousand other finalizers stay when ours is removed', async () => {
  await tenant.unbind('large-1');
  const left = async () => (await tenant.binding('large-1')).metadata.finalizers?.length === 1_000;
  await until('only the finalizer of irsa-operator is gone', left, { timeoutMs: 60_000 });
});
