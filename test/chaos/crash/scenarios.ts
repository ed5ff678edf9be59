import { until } from '@irsa-operator/testbed';
import { EC2, FOREIGN } from '../../harness/policies.ts';
import type { Scene } from '../../harness/scene.ts';
import { ACCOUNT, type Binding, type Pod, ROLE_ARN, type ServiceAccount, says } from '../../harness/views.ts';
import { newRoleOf, OTHER_AUDIENCE } from './stage.ts';

/** Something that happens to bindings, and how one sees that the operator is through with it. */
export interface Scenario {
  readonly name: string;
  /** What stands before, brought about with the operator running. */
  given(scene: Scene): Promise<void>;
  /** Given is reached; without it, at once. */
  stands?(scene: Scene): Promise<boolean>;
  change(scene: Scene): Promise<void>;
  done(scene: Scene): Promise<boolean>;
  /** Takes a minute or more: left out of a sample. */
  readonly slow?: true;
  /** In the operator's own namespace, where it keeps its record. An operator beside it would see the loss too, and revoke in its place. */
  readonly alone?: true;
}

async function conditionIs(scene: Scene, name: string, type: string, status: string): Promise<boolean> {
  const binding = await scene.find<Binding>('irsabindings', name);
  return binding !== undefined && says(binding, type, status);
}
const ready = (scene: Scene, name = 'app') => conditionIs(scene, name, 'Ready', 'True');
const ours = (scene: Scene, role = scene.roleName) => scene.statements(role).some(({ Sid }) => Sid?.startsWith('Irsa'));
const roleOf = async (scene: Scene) => (await scene.find<ServiceAccount>('serviceaccounts', 'app'))?.metadata.annotations?.[ROLE_ARN];
async function podsCurrent(scene: Scene): Promise<boolean> {
  if (!(await ready(scene))) return false;
  const { status } = await scene.binding();
  return status?.pods?.summary === '2/2' && (status.restarts ?? []).every(({ phase }) => phase === 'Done');
}
async function podsRefused(scene: Scene): Promise<boolean> {
  const pods = await scene.list<Pod>('pods');
  return pods.length === 2 && pods.every(({ status }) => status.containerStatuses?.[0]?.lastState?.terminated !== undefined);
}

async function prepared(scene: Scene): Promise<void> {
  scene.role();
  await scene.serviceAccount();
}
const bound =
  (spec: object = {}) =>
  async (scene: Scene): Promise<void> => {
    await prepared(scene);
    await scene.bind(spec);
  };
const withNewRole = (scene: Scene) => scene.role(FOREIGN, { name: newRoleOf(scene) });
const toNewRole = (scene: Scene) => scene.change({ roleArn: `arn:aws:iam::${ACCOUNT}:role/${newRoleOf(scene)}` });
const moved = async (scene: Scene) => (await ready(scene)) && !ours(scene) && ours(scene, newRoleOf(scene));

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a first binding',
    given: prepared,
    change: (scene) => scene.bind(),
    done: (scene) => ready(scene),
  },
  {
    name: 'the annotation drifts',
    given: bound(),
    stands: (scene) => ready(scene),
    change: (scene) => scene.annotate({ [ROLE_ARN]: 'arn:aws:iam::111122223333:role/x' }),
    done: async (scene) => (await ready(scene)) && (await roleOf(scene)) === scene.roleArn,
  },
  {
    name: 'the trust policy drifts',
    given: bound(),
    stands: (scene) => ready(scene),
    change: async (scene) => scene.setTrust(EC2),
    done: async (scene) => ours(scene) && (await ready(scene)),
  },
  {
    name: 'the role changes',
    async given(scene) {
      withNewRole(scene);
      await bound()(scene);
    },
    stands: (scene) => ready(scene),
    change: toNewRole,
    done: moved,
  },
  {
    name: 'the audience changes',
    given: bound(),
    stands: (scene) => ready(scene),
    change: (scene) => scene.change({ audience: OTHER_AUDIENCE }),
    done: async (scene) => (await ready(scene)) && scene.statements().length === 2 && !scene.trust().includes('sts.amazonaws.com"}'),
  },
  {
    name: 'a binding is deleted, and revokes',
    given: bound(),
    stands: (scene) => ready(scene),
    change: (scene) => scene.unbind(),
    done: (scene) => scene.isGone(),
  },
  {
    name: 'a binding is deleted, and retains',
    given: bound({ deletionPolicy: 'Retain' }),
    stands: (scene) => ready(scene),
    change: (scene) => scene.unbind(),
    done: (scene) => scene.isGone(),
  },
  {
    name: 'a binding is renamed',
    given: bound(),
    stands: (scene) => ready(scene),
    async change(scene) {
      await scene.bind({}, 'next');
      await scene.unbind();
    },
    done: async (scene) => (await scene.isGone()) && (await ready(scene, 'next')),
  },
  {
    name: 'the grant is lost',
    slow: true,
    alone: true,
    given: bound(),
    stands: (scene) => ready(scene),
    change: (scene) => scene.loseGrant(),
    done: async (scene) => !ours(scene) && (await conditionIs(scene, 'app', 'Authorized', 'False')),
  },
  {
    name: 'the trust policy becomes External',
    given: bound(),
    stands: (scene) => ready(scene),
    async change(scene) {
      const standing = scene.statements();
      const own = standing.find(({ Sid }) => Sid?.startsWith('Irsa'));
      scene.setTrust(...standing, { ...own, Sid: 'Theirs' });
      await scene.change({ trustPolicy: 'External' });
    },
    done: async (scene) => !ours(scene) && (await ready(scene)),
  },
  {
    name: 'two bindings want one role',
    async given(scene) {
      await prepared(scene);
      await scene.serviceAccount({}, 'two');
    },
    async change(scene) {
      await scene.bind();
      await scene.bind({ serviceAccountName: 'two' }, 'two');
    },
    done: async (scene) => (await ready(scene)) && (await ready(scene, 'two')),
  },
  {
    name: 'the ServiceAccount comes later',
    async given(scene) {
      scene.role();
      await scene.bind();
    },
    stands: (scene) => ready(scene),
    change: (scene) => scene.serviceAccount(),
    done: (scene) => conditionIs(scene, 'app', 'Annotated', 'True'),
  },
  {
    name: 'a suspended binding is resumed',
    given: bound({ suspend: true }),
    stands: (scene) => conditionIs(scene, 'app', 'Trusted', 'False'),
    change: (scene) => scene.change({ suspend: false }),
    done: (scene) => ready(scene),
  },
  {
    name: 'two pods lack the role',
    async given(scene) {
      await prepared(scene);
      await scene.deployment();
    },
    stands: podsRefused,
    change: (scene) => scene.bind(),
    done: podsCurrent,
  },
  {
    name: 'the role of two running pods changes',
    slow: true,
    async given(scene) {
      withNewRole(scene);
      await bound()(scene);
      await until('the ServiceAccount is annotated', async () => (await roleOf(scene)) !== undefined, { timeoutMs: 60_000 });
      await scene.deployment();
    },
    stands: podsCurrent,
    change: toNewRole,
    done: async (scene) => (await moved(scene)) && (await podsCurrent(scene)),
  },
  {
    name: 'two pods lack the role, and are rolled out',
    async given(scene) {
      await prepared(scene);
      await scene.deployment();
    },
    stands: podsRefused,
    change: (scene) => scene.bind({ restart: { strategy: 'Rollout' } }),
    done: podsCurrent,
  },
];
