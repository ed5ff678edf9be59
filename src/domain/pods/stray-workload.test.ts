import { expect, test } from 'vitest';
import type { Workload } from '../../api/cluster.ts';
import { workload } from '../test-cluster.ts';
import { binding, observed, pod, spec } from '../test-observed.ts';
import { strayWorkload } from './stray-workload.ts';

const said = (text: string) => ({ code: 'WorkloadUsesOtherServiceAccount', severity: 'Warning', message: text });
const USES_DEFAULT =
  'Deployment "app" runs as ServiceAccount "default" and not as the bound "app". Set spec.template.spec.serviceAccountName';

interface Case {
  readonly workloads: readonly Workload[];
  readonly message: string;
}

const stray: Record<string, Case> = {
  'one with the name of the ServiceAccount': { workloads: [workload({ serviceAccountName: 'default' })], message: USES_DEFAULT },
  'one with the name of the binding': {
    workloads: [workload({ name: 'binding', serviceAccountName: 'default' })],
    message: USES_DEFAULT.replace('"app"', '"binding"'),
  },
  'one whose label app.kubernetes.io/name is that name': {
    workloads: [workload({ kind: 'StatefulSet', name: 'release-app', appName: 'app', serviceAccountName: 'default' })],
    message: USES_DEFAULT.replace('Deployment "app"', 'StatefulSet "release-app"'),
  },
  'one that names a ServiceAccount that does not exist, and says so': {
    workloads: [workload({ serviceAccountName: 'ap' })],
    message: USES_DEFAULT.replace('"default"', '"ap", which does not exist,'),
  },
  'one among others that have nothing to do with it': {
    workloads: [workload({ name: 'web', serviceAccountName: 'default' }), workload({ serviceAccountName: 'default' })],
    message: USES_DEFAULT,
  },
};
for (const [sentence, { workloads, message }] of Object.entries(stray)) {
  test(`where nothing runs as the bound ServiceAccount, it suspects ${sentence}`, () => {
    const seen = observed({
      binding: binding({ metadata: { name: 'binding' } }),
      pods: [],
      workloads,
      serviceAccountExists: (name) => name === 'default',
    });
    expect(strayWorkload(seen, spec())).toEqual(said(message));
  });
}

const innocent: Record<string, Partial<Parameters<typeof strayWorkload>[0]>> = {
  'when a pod runs as the bound ServiceAccount': { pods: [pod()], workloads: [workload({ serviceAccountName: 'default' })] },
  'when another workload runs as the bound ServiceAccount': {
    workloads: [workload({ serviceAccountName: 'default' }), workload({ name: 'web' })],
  },
  'when no workload has its name': { workloads: [workload({ name: 'web', appName: 'web', serviceAccountName: 'default' })] },
  'when a name is only similar': { workloads: [workload({ name: 'app2', appName: 'App', serviceAccountName: 'default' })] },
  'when there is no workload': { workloads: [] },
};
for (const [sentence, part] of Object.entries(innocent))
  test(`it suspects nothing ${sentence}`, () => expect(strayWorkload(observed({ pods: [], ...part }), spec())).toBeUndefined());
