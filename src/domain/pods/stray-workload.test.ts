import { describe, expect, test } from 'vitest';
import type { BatchWorkload, Workload } from '../../api/cluster.ts';
import { finding } from '../../api/finding.ts';
import { batchWorkload, workload } from '../test-cluster.ts';
import { binding, observed, pod, spec } from '../test-observed.ts';
import { strayWorkload } from './stray-workload.ts';

const RIGHT = 'Nothing is wrong if tokens are requested by name (External Secrets, cert-manager, Flux)';
const TEMPLATE = 'spec.template.spec.serviceAccountName';
const said = (what: string, as: string, todo: string) => ({
  certain: as.endsWith('does not exist'),
  finding: finding(
    'WorkloadUsesOtherServiceAccount',
    `no pod runs as the bound ServiceAccount "app", and ${what} runs as ${as}. If it needs the role, ${todo}. ${RIGHT}`,
  ),
});
const USES_DEFAULT = said('Deployment "app"', '"default"', `set its ${TEMPLATE}`);
const other = { serviceAccountName: 'default' };

interface Case {
  readonly workloads?: readonly Workload[];
  readonly batch?: readonly BatchWorkload[];
  readonly wanted: ReturnType<typeof said>;
}

const stray: Record<string, Case> = {
  'one with the name of the ServiceAccount': { workloads: [workload(other)], wanted: USES_DEFAULT },
  'one with the name of the binding': {
    workloads: [workload({ ...other, name: 'binding' })],
    wanted: said('Deployment "binding"', '"default"', `set its ${TEMPLATE}`),
  },
  'one whose label app.kubernetes.io/name is that name': {
    workloads: [workload({ ...other, kind: 'StatefulSet', name: 'release-app', appName: 'app' })],
    wanted: said('StatefulSet "release-app"', '"default"', `set its ${TEMPLATE}`),
  },
  'one that names a ServiceAccount that does not exist, and says so': {
    workloads: [workload({ serviceAccountName: 'ap' })],
    wanted: said('Deployment "app"', '"ap", which does not exist', `set its ${TEMPLATE}`),
  },
  'one among others that have nothing to do with it': {
    workloads: [workload({ ...other, name: 'web' }), workload(other)],
    wanted: USES_DEFAULT,
  },
  'a CronJob of that name': {
    batch: [batchWorkload(other)],
    wanted: said('CronJob "app"', '"default"', 'set its spec.jobTemplate.spec.template.spec.serviceAccountName'),
  },
  'a CronJob whose label is that name': {
    batch: [batchWorkload({ ...other, name: 'release-app', appName: 'binding' })],
    wanted: said('CronJob "release-app"', '"default"', 'set its spec.jobTemplate.spec.template.spec.serviceAccountName'),
  },
  'a CronJob that names a ServiceAccount that does not exist': {
    batch: [batchWorkload({ serviceAccountName: 'ap' })],
    wanted: said('CronJob "app"', '"ap", which does not exist', 'set its spec.jobTemplate.spec.template.spec.serviceAccountName'),
  },
  'a Job of that name, whose template nobody can change': {
    batch: [batchWorkload({ ...other, kind: 'Job' })],
    wanted: said('Job "app"', '"default"', `recreate it with ${TEMPLATE}`),
  },
  'a Deployment before a CronJob': { workloads: [workload(other)], batch: [batchWorkload(other)], wanted: USES_DEFAULT },
};
// Contract: pods-stray
describe('where nothing runs as the bound ServiceAccount, it suspects', () => {
  for (const [sentence, { workloads = [], batch = [], wanted }] of Object.entries(stray)) {
    test(`${sentence}, and says when nothing is wrong`, () => {
      const seen = observed({
        binding: binding({ metadata: { name: 'binding' } }),
        pods: [],
        workloads,
        batchWorkloads: () => batch,
        serviceAccountExists: (name) => name === 'default',
      });
      expect(strayWorkload(seen, spec())).toEqual(wanted);
    });
  }
});

const innocent: Record<string, Partial<Parameters<typeof strayWorkload>[0]>> = {
  'when a pod runs as the bound ServiceAccount': { pods: [pod()], workloads: [workload(other)] },
  'when a pod that runs as it has finished': { pods: [pod({ finished: true })], workloads: [workload(other)] },
  'when another workload runs as the bound ServiceAccount': { workloads: [workload(other), workload({ name: 'web' })] },
  'when a CronJob runs as it, and its next pod is to come': {
    workloads: [workload(other)],
    batchWorkloads: () => [batchWorkload({ name: 'nightly' })],
  },
  'when a Job runs as it, and its pod is to come': {
    workloads: [workload(other)],
    batchWorkloads: () => [batchWorkload({ kind: 'Job', name: 'import' })],
  },
  'when a CronJob has its name, and its Job runs as it': {
    batchWorkloads: () => [batchWorkload(other), batchWorkload({ kind: 'Job', name: 'app-29000000' })],
  },
  'when a Deployment runs as it, and a CronJob has its name': { workloads: [workload()], batchWorkloads: () => [batchWorkload(other)] },
  'when no workload has its name': { workloads: [workload({ ...other, name: 'web', appName: 'web' })] },
  'when a name is only similar': { workloads: [workload({ ...other, name: 'app2', appName: 'App' })] },
  'when the name of a CronJob is only similar': { batchWorkloads: () => [batchWorkload({ ...other, name: 'app-backup' })] },
  'when there is no workload': { workloads: [] },
};
for (const [sentence, part] of Object.entries(innocent))
  test(`it suspects nothing ${sentence}`, () => expect(strayWorkload(observed({ pods: [], ...part }), spec())).toBeUndefined());

test('where a pod runs as the ServiceAccount, no Job is looked at: there may be many', () => {
  const batchWorkloads = () => {
    throw new Error('looked at');
  };
  expect(strayWorkload(observed({ pods: [pod()], batchWorkloads }), spec())).toBeUndefined();
});
