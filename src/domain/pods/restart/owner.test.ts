import { describe, expect, test } from 'vitest';
import type { Owner, Pod, Workload } from '../../../api/cluster.ts';
import { daemonSet, podOf, replicaSet, statefulSet, workload } from '../../test-cluster.ts';
import { adviceFor, heldByOwner } from './owner.ts';

const db = (part: Partial<Workload>): Workload => workload({ kind: 'StatefulSet', name: 'db', uid: 'stateful-set', ...part });
const agent = (part: Partial<Workload>): Workload => workload({ kind: 'DaemonSet', name: 'agent', uid: 'daemon-set', ...part });
const ofRevision = (revision: string): Partial<Pod> => ({ labels: { 'controller-revision-hash': revision } });
const ofGeneration = (generation: string): Partial<Pod> => ({ labels: { 'pod-template-generation': generation } });

interface Case {
  readonly owner: Owner | undefined;
  readonly part?: Partial<Pod>;
  readonly workload: Workload | undefined;
  readonly wanted: string | undefined;
}
const ON_DELETE = 'StatefulSet "db" has the update strategy OnDelete';
const BY_PARTITION = 'StatefulSet "db" holds its rollout with a partition, and revision "db-2" waits';

const held: Record<string, Case> = {
  'of a StatefulSet with OnDelete is left to its owner': {
    owner: statefulSet,
    part: ofRevision('db-1'),
    workload: db({ held: 'OnDelete', revision: 'db-1' }),
    wanted: `${ON_DELETE}. Delete the pod yourself`,
  },
  'of a StatefulSet with OnDelete whose template is newer names the revision that it would get': {
    owner: statefulSet,
    part: ofRevision('db-1'),
    workload: db({ held: 'OnDelete', revision: 'db-2' }),
    wanted: `${ON_DELETE}, and revision "db-2" waits. Delete the pod yourself, and its replacement gets that revision`,
  },
  'of a StatefulSet with OnDelete that has the newest revision names none': {
    owner: statefulSet,
    part: ofRevision('db-2'),
    workload: db({ held: 'OnDelete', revision: 'db-2' }),
    wanted: `${ON_DELETE}. Delete the pod yourself`,
  },
  'of a StatefulSet with OnDelete whose status is not there yet names none': {
    owner: statefulSet,
    part: ofRevision('db-1'),
    workload: db({ held: 'OnDelete' }),
    wanted: `${ON_DELETE}. Delete the pod yourself`,
  },
  'that a StatefulSet with OnDelete has adopted, and that has no label, names none': {
    owner: statefulSet,
    workload: db({ held: 'OnDelete', revision: 'db-2' }),
    wanted: `${ON_DELETE}. Delete the pod yourself`,
  },
  'of a DaemonSet with OnDelete is left to its owner': {
    owner: daemonSet,
    part: ofGeneration('3'),
    workload: agent({ held: 'OnDelete', revision: '3' }),
    wanted: 'DaemonSet "agent" has the update strategy OnDelete. Delete the pod yourself',
  },
  'of a DaemonSet with OnDelete whose template is newer names the generation that it would get': {
    owner: daemonSet,
    part: ofGeneration('3'),
    workload: agent({ held: 'OnDelete', revision: '12' }),
    wanted:
      'DaemonSet "agent" has the update strategy OnDelete, and revision "12" waits. Delete the pod yourself, and its replacement gets that revision',
  },
  'below the partition of a StatefulSet is left to its owner while a newer revision waits': {
    owner: statefulSet,
    part: ofRevision('db-1'),
    workload: db({ held: 'partition', revision: 'db-2' }),
    wanted: `${BY_PARTITION}. Set the partition to 0, or delete the pod yourself`,
  },
  'of a StatefulSet with a partition that has the newest revision may be restarted': {
    owner: statefulSet,
    part: ofRevision('db-2'),
    workload: db({ held: 'partition', revision: 'db-2' }),
    wanted: undefined,
  },
  'of a StatefulSet with a partition whose status is not there yet may be restarted: no newer template is known': {
    owner: statefulSet,
    part: ofRevision('db-1'),
    workload: db({ held: 'partition' }),
    wanted: undefined,
  },
  'of a paused Deployment whose template is newer is left to its owner': {
    owner: replicaSet,
    part: { labels: { 'pod-template-hash': '5d9c' } },
    workload: workload({ held: 'paused', outdated: true }),
    wanted: 'Deployment "app" is paused, and a newer template waits. Resume its rollout, or delete the pod yourself',
  },
  'of a paused Deployment whose pods are of its template may be restarted': {
    owner: replicaSet,
    workload: workload({ held: 'paused' }),
    wanted: undefined,
  },
  'of a Deployment whose rollout goes on may be restarted': { owner: replicaSet, workload: workload(), wanted: undefined },
  'of a StatefulSet whose rollout goes on may be restarted': {
    owner: statefulSet,
    part: ofRevision('db-1'),
    workload: db({}),
    wanted: undefined,
  },
  'of a ReplicaSet without a Deployment may be restarted': { owner: replicaSet, workload: undefined, wanted: undefined },
  'of a Job is none of this': { owner: { kind: 'Job', name: 'import', uid: 'job' }, workload: undefined, wanted: undefined },
};
// Contract: pods-held
describe('a pod', () => {
  for (const [sentence, { owner, part, workload: of, wanted }] of Object.entries(held))
    test(sentence, () => expect(heldByOwner(podOf(owner, 'app-1', part), of)).toBe(wanted));
});

const advice: Record<string, [owner: Owner | undefined, wanted: string]> = {
  'of a Job: it makes another': [
    { kind: 'Job', name: 'import', uid: 'job' },
    'Job "import" owns it. Wait for its end, or annotate the pod irsa-operator.dev/restart=evict. That deletes the pod, and the Job repeats its work in a new one',
  ],
  'that nobody owns: it is gone then': [
    undefined,
    'no controller owns it, so nothing recreates it. Recreate it yourself. The annotation irsa-operator.dev/restart=evict only deletes it',
  ],
  ...Object.fromEntries(
    [
      ['TaskRun', 'build'],
      ['Workflow', 'nightly'],
      ['EphemeralRunner', 'runner-x7k2p'],
      ['Runner', 'runner-1'],
      ['ReplicationController', 'old'],
      ['VirtualMachineInstance', 'vm'],
    ].map(([kind = '', name = '']) => [
      `of a ${kind}: only that decides what follows`,
      [
        { kind, name, uid: 'owner' },
        `${kind} "${name}" owns it and decides whether a new pod follows. Wait for its end, or recreate the ${kind}. The annotation irsa-operator.dev/restart=evict only deletes the pod, and its work is lost`,
      ] satisfies [Owner, string],
    ]),
  ),
};
// Contract: pods-advice
describe('the advice for a pod', () => {
  for (const [sentence, [owner, wanted]] of Object.entries(advice)) test(sentence, () => expect(adviceFor(owner)).toBe(wanted));
});
