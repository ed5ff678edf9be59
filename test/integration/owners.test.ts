import { until } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { allowing, policy } from '../harness/policies.ts';
import { inWords, type Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { type Pod, rolesOfPod, uidsOf } from '../harness/views.ts';

/**
 * Whose pods are whose business: owners that restart by hand, owners that are no workload, and ServiceAccounts that no pod runs as.
 * The first of each group are cases that were reported in public.
 */
const PATIENCE = { timeoutMs: 120_000 };

const suite = integrationSuite({ grant: {}, flags: [] });

/** A namespace with a role that lets the ServiceAccount in already, which is not annotated yet: pods made now lack the role. */
async function prepared(namespace: string, account = 'app'): Promise<Scene> {
  const s = await suite.scene(namespace);
  s.role(policy(allowing(suite.testbed.issuer, s.subjectOf(account))));
  await s.serviceAccount({}, account);
  return s;
}

const evictions = async (s: Scene) => (await s.requests('pods')).map(inWords);

interface Labelled {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
}
const revisionsOf = (pods: readonly Pod[]) => [
  ...new Set(pods.map((pod) => (pod as Labelled).metadata.labels?.['controller-revision-hash'])),
];

/** Told, and after another look at the same pods still told: none was taken away. */
async function leftAlone(s: Scene, why: RegExp, name = 'app'): Promise<void> {
  const before = uidsOf(await s.pods());
  const { message } = await s.conditionIs('PodsCurrent', 'False', 'PodNotRestartable', name);
  expect(message).toMatch(why);
  await s.conditionIs('Stalled', 'True', 'PodNotRestartable', name);
  expect([uidsOf(await s.pods()), await evictions(s)]).toEqual([before, []]);
}

// Contract: pods-held
describe.concurrent('an owner that restarts by hand', () => {
  test('a StatefulSet with OnDelete, onto whose newer template no pod is moved', async () => {
    const s = await prepared('r11-vault', 'vault');
    const template = (image: string) => ({
      metadata: { labels: { app: 'vault' } },
      spec: { serviceAccountName: 'vault', containers: [{ name: 'vault', image }] },
    });
    const spec = {
      replicas: 3,
      serviceName: 'vault-internal',
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      selector: { matchLabels: { app: 'vault' } },
      template: template('vault:1.13.4'),
    };
    await s.put('statefulsets', 'vault', { spec });
    const [before] = revisionsOf(await s.allReady(3));
    await s.patch('statefulsets', 'vault', { spec: { template: template('vault:1.14.0') } });
    await s.bind({ serviceAccountName: 'vault' }, 'vault');
    const waiting = await until(
      'the newer revision is known',
      async () => {
        const { status } = await s.get<{ status: { updateRevision?: string } }>('statefulsets', 'vault');
        return status.updateRevision !== before && status.updateRevision;
      },
      PATIENCE,
    );
    const found = `StatefulSet "vault" has the update strategy OnDelete, and revision "${waiting}" waits. Delete the pod yourself`;
    await leftAlone(s, new RegExp(`^pod "vault-\\d" lacks the role and is not restarted: ${found}`), 'vault');
    expect(revisionsOf(await s.pods())).toEqual([before]);
    // The advice can be followed: what its owner deletes comes back with the role, and with the newer template.
    await s.remove('pods', 'vault-2');
    const pod = await until(
      'the new vault-2 has the role',
      async () => (await s.pods()).find((each) => each.metadata.name === 'vault-2' && rolesOfPod(each)[0] === s.roleArn),
      PATIENCE,
    );
    expect(revisionsOf([pod])).toEqual([waiting]);
  });

  test('a DaemonSet with OnDelete', async () => {
    const s = await prepared('ondelete-daemonset');
    await s.workload('daemonsets', { pod: { tolerations: [{ operator: 'Exists' }] }, spec: { updateStrategy: { type: 'OnDelete' } } });
    await s.allReady(1);
    await s.patch('daemonsets', 'app', { spec: { template: { metadata: { annotations: { newer: 'yes' } } } } });
    await s.bind();
    await leftAlone(s, /DaemonSet "app" has the update strategy OnDelete, and revision "2" waits/);
  });

  test('a StatefulSet whose partition holds a newer template back, until it does no more', async () => {
    const s = await prepared('partition');
    const updateStrategy = (partition: number) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } } });
    await s.workload('statefulsets', { spec: updateStrategy(2) });
    await s.allReady();
    await s.patch('statefulsets', 'app', { spec: { template: { metadata: { annotations: { newer: 'yes' } } } } });
    await s.bind();
    await leftAlone(s, /StatefulSet "app" holds its rollout with a partition, and revision "app-.*" waits/);
    await s.patch('statefulsets', 'app', { spec: updateStrategy(0) });
    await s.conditionIs('PodsCurrent', 'True', 'Current');
  });

  test('a paused Deployment with a newer template, until it is resumed', async () => {
    const s = await prepared('paused-newer');
    await s.workload('deployments');
    await s.allReady();
    await s.patch('deployments', 'app', { spec: { paused: true, template: { metadata: { annotations: { newer: 'yes' } } } } });
    await s.bind();
    await leftAlone(s, /Deployment "app" is paused, and a newer template waits. Resume its rollout/);
    await s.patch('deployments', 'app', { spec: { paused: false } });
    await s.conditionIs('PodsCurrent', 'True', 'Current');
  });

  test('a paused Deployment without a newer template holds nothing back', async () => {
    const s = await prepared('paused-same');
    await s.workload('deployments');
    await s.allReady();
    await s.patch('deployments', 'app', { spec: { paused: true } });
    await s.bind();
    await s.conditionIs('PodsCurrent', 'True', 'Current');
    expect(await evictions(s)).toEqual(['201 create pods/eviction', '201 create pods/eviction']);
  });
});

// Contract: pods-advice
describe.concurrent('an owner that is no workload', () => {
  test('of any other owner the kind is named, and that the annotation only deletes', async () => {
    const s = await prepared('runner');
    const spec = { serviceAccountName: 'app', containers: [{ name: 'app', image: 'app' }] };
    // Any object will do that the garbage collector finds.
    const { metadata } = await s.get<{ metadata: { uid: string } }>('serviceaccounts', 'app');
    const owner = { apiVersion: 'v1', kind: 'ServiceAccount', name: 'app', uid: metadata.uid, controller: true };
    await s.put('pods', 'runner', { metadata: { name: 'runner', ownerReferences: [owner] }, spec });
    await s.allReady(1);
    await s.bind();
    await leftAlone(s, /ServiceAccount "app" owns it and decides whether a new pod follows.* only deletes the pod, and its work is lost/);
  });
});

const RIGHT = 'Nothing is wrong if tokens are requested by name (External Secrets, cert-manager, Flux)';

// Contract: pods-stray
describe.concurrent('a ServiceAccount that no pod runs as', () => {
  test('on purpose, beside a Deployment of its name that must not have the role', async () => {
    const s = await prepared('r13-orders', 'orders');
    const template = { metadata: { labels: { app: 'orders' } }, spec: { containers: [{ name: 'app', image: 'app' }] } };
    await s.put('deployments', 'orders', { spec: { replicas: 1, selector: { matchLabels: { app: 'orders' } }, template } });
    await s.allReady(1);
    await s.bind({ serviceAccountName: 'orders' }, 'orders');
    const ready = await s.conditionIs('Ready', 'True', 'NoPods', 'orders');
    expect(ready.message).toBe(
      'role and ServiceAccount agree. No pod runs as this ServiceAccount, which may be right. See status.findings',
    );
    expect((await s.binding('orders')).status?.findings).toEqual([
      {
        code: 'WorkloadUsesOtherServiceAccount',
        severity: 'Warning',
        message: `no pod runs as the bound ServiceAccount "orders", and Deployment "orders" runs as "default". If it needs the role, set its spec.template.spec.serviceAccountName. ${RIGHT}`,
      },
    ]);
  });

  test('because the CronJob of its name runs as default, until the CronJob is corrected', async () => {
    const s = await prepared('r14-graphdb', 'graphdb-backup');
    const spec = { restartPolicy: 'Never', containers: [{ name: 'backup', image: 'app' }] };
    await s.put('cronjobs', 'graphdb-backup', { spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template: { spec } } } } });
    await s.put('jobs', 'graphdb-backup-29000000', { spec: { template: { spec } } });
    await s.bind({ serviceAccountName: 'graphdb-backup' }, 'graphdb-backup');
    await s.conditionIs('Ready', 'True', 'NoPods', 'graphdb-backup');
    expect((await s.binding('graphdb-backup')).status?.findings).toEqual([
      {
        code: 'WorkloadUsesOtherServiceAccount',
        severity: 'Warning',
        message: `no pod runs as the bound ServiceAccount "graphdb-backup", and CronJob "graphdb-backup" runs as "default". If it needs the role, set its spec.jobTemplate.spec.template.spec.serviceAccountName. ${RIGHT}`,
      },
    ]);
    const corrected = { serviceAccountName: 'graphdb-backup' };
    await s.patch('cronjobs', 'graphdb-backup', { spec: { jobTemplate: { spec: { template: { spec: corrected } } } } });
    await s.conditionIs('Ready', 'True', 'Ready', 'graphdb-backup');
    expect((await s.binding('graphdb-backup')).status?.findings).toBeUndefined();
  });

  test('because a Job of its name runs as default', async () => {
    const s = await prepared('stray-job');
    const spec = { restartPolicy: 'Never', containers: [{ name: 'app', image: 'app' }] };
    await s.put('jobs', 'app', { spec: { suspend: true, template: { spec } } });
    await s.bind();
    await s.conditionIs('Ready', 'True', 'NoPods');
    expect((await s.binding()).status?.findings?.[0]?.message).toContain(
      'Job "app" runs as "default". If it needs the role, recreate it with spec.template.spec.serviceAccountName',
    );
  });

  test('because the workload is in another namespace: it says of which namespace pods count', async () => {
    const s = await prepared('stray-namespace');
    const t = await prepared('stray-workload');
    await t.workload('deployments', { replicas: 1 });
    await t.allReady(1);
    await s.bind();
    const { message } = await s.conditionIs('PodsCurrent', 'True', 'NoPods');
    expect(message).toBe('no pod of namespace "stray-namespace" runs as ServiceAccount "app". Pods of other namespaces cannot');
    expect((await s.binding()).status?.findings).toBeUndefined();
  });
});
