import type { Binding } from '../../harness/scene.ts';
import { EC2, OTHER_AUDIENCE, type Stage } from './stage.ts';

/** Something that happens to bindings, and how one sees that the operator is through with it. */
export interface Scenario {
  readonly name: string;
  /** What stands before, brought about with the operator running. */
  given(stage: Stage): Promise<void>;
  /** Given is reached; without it, at once. */
  stands?(stage: Stage): Promise<boolean>;
  change(stage: Stage): Promise<void>;
  done(stage: Stage): Promise<boolean>;
  /** Takes a minute or more: left out of a sample. */
  readonly slow?: true;
}

const ROLE_ARN = 'eks.amazonaws.com/role-arn';

async function conditionIs(stage: Stage, name: string, type: string, status: string): Promise<boolean> {
  const binding = await stage.get<Binding>('irsabindings', name);
  return (
    binding?.status?.observedGeneration === binding?.metadata.generation &&
    binding?.status?.conditions?.some((condition) => condition.type === type && condition.status === status) === true
  );
}
const ready = (stage: Stage, name = 'app') => conditionIs(stage, name, 'Ready', 'True');
const gone = async (stage: Stage, name = 'app') => (await stage.get('irsabindings', name)) === undefined;
const ours = (stage: Stage, role = 'old') => stage.trust(role)?.Statement.some(({ Sid }) => Sid?.startsWith('Irsa')) === true;
async function roleOf(stage: Stage): Promise<string | undefined> {
  const account = await stage.get<{ metadata: { annotations?: Record<string, string> } }>('serviceaccounts', 'app');
  return account?.metadata.annotations?.[ROLE_ARN];
}
async function podsCurrent(stage: Stage): Promise<boolean> {
  const binding = await stage.get<Binding>('irsabindings', 'app');
  return (
    (await ready(stage)) &&
    binding?.status?.pods?.summary === '2/2' &&
    (binding.status.restarts ?? []).every(({ phase }) => phase === 'Done')
  );
}
async function podsRefused(stage: Stage): Promise<boolean> {
  const pods = await stage.list<{ status: { containerStatuses?: { lastState?: { terminated?: object } }[] } }>('pods');
  return pods.length === 2 && pods.every(({ status }) => status.containerStatuses?.[0]?.lastState?.terminated !== undefined);
}

async function prepared(stage: Stage): Promise<void> {
  stage.role('old');
  await stage.put('serviceaccounts', 'app', {});
}
const bound =
  (spec: object = {}) =>
  async (stage: Stage): Promise<void> => {
    await prepared(stage);
    await stage.bind('app', spec);
  };
const moved = async (stage: Stage) => (await ready(stage)) && !ours(stage) && ours(stage, 'new');

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a first binding',
    given: prepared,
    change: (stage) => stage.bind(),
    done: (stage) => ready(stage),
  },
  {
    name: 'the annotation drifts',
    given: bound(),
    stands: (stage) => ready(stage),
    change: (stage) =>
      stage.patch('serviceaccounts', 'app', { metadata: { annotations: { [ROLE_ARN]: 'arn:aws:iam::111122223333:role/x' } } }),
    done: async (stage) => (await ready(stage)) && (await roleOf(stage)) === stage.roleArn('old'),
  },
  {
    name: 'the trust policy drifts',
    given: bound(),
    stands: (stage) => ready(stage),
    change: async (stage) => stage.setTrust('old', [EC2]),
    done: async (stage) => ours(stage) && (await ready(stage)),
  },
  {
    name: 'the role changes',
    async given(stage) {
      stage.role('new');
      await bound()(stage);
    },
    stands: (stage) => ready(stage),
    change: (stage) => stage.patch('irsabindings', 'app', { spec: { roleArn: stage.roleArn('new') } }),
    done: moved,
  },
  {
    name: 'the audience changes',
    given: bound(),
    stands: (stage) => ready(stage),
    change: (stage) => stage.patch('irsabindings', 'app', { spec: { audience: OTHER_AUDIENCE } }),
    done: async (stage) =>
      (await ready(stage)) &&
      stage.trust('old')?.Statement.length === 2 &&
      !JSON.stringify(stage.trust('old')).includes('sts.amazonaws.com"}'),
  },
  {
    name: 'a binding is deleted, and revokes',
    given: bound(),
    stands: (stage) => ready(stage),
    change: (stage) => stage.remove('irsabindings', 'app'),
    done: (stage) => gone(stage),
  },
  {
    name: 'a binding is deleted, and retains',
    given: bound({ deletionPolicy: 'Retain' }),
    stands: (stage) => ready(stage),
    change: (stage) => stage.remove('irsabindings', 'app'),
    done: (stage) => gone(stage),
  },
  {
    name: 'a binding is renamed',
    given: bound(),
    stands: (stage) => ready(stage),
    async change(stage) {
      await stage.bind('next');
      await stage.remove('irsabindings', 'app');
    },
    done: async (stage) => (await gone(stage)) && (await ready(stage, 'next')),
  },
  {
    name: 'the grant is lost',
    slow: true,
    given: bound(),
    stands: (stage) => ready(stage),
    change: (stage) => stage.loseGrant(),
    done: async (stage) => !ours(stage) && (await conditionIs(stage, 'app', 'Authorized', 'False')),
  },
  {
    name: 'the trust policy becomes External',
    given: bound(),
    stands: (stage) => ready(stage),
    async change(stage) {
      const standing = stage.trust('old')?.Statement ?? [];
      const own = standing.find(({ Sid }) => Sid?.startsWith('Irsa'));
      stage.setTrust('old', [...standing, { ...own, Sid: 'Theirs' }]);
      await stage.patch('irsabindings', 'app', { spec: { trustPolicy: 'External' } });
    },
    done: async (stage) => !ours(stage) && (await ready(stage)),
  },
  {
    name: 'two bindings want one role',
    async given(stage) {
      await prepared(stage);
      await stage.put('serviceaccounts', 'two', {});
    },
    async change(stage) {
      await stage.bind();
      await stage.bind('two', { serviceAccountName: 'two' });
    },
    done: async (stage) => (await ready(stage)) && (await ready(stage, 'two')),
  },
  {
    name: 'the ServiceAccount comes later',
    async given(stage) {
      stage.role('old');
      await stage.bind();
    },
    stands: (stage) => ready(stage),
    change: (stage) => stage.put('serviceaccounts', 'app', {}),
    done: (stage) => conditionIs(stage, 'app', 'Annotated', 'True'),
  },
  {
    name: 'a suspended binding is resumed',
    given: bound({ suspend: true }),
    stands: (stage) => conditionIs(stage, 'app', 'Trusted', 'False'),
    change: (stage) => stage.patch('irsabindings', 'app', { spec: { suspend: false } }),
    done: (stage) => ready(stage),
  },
  {
    name: 'two pods lack the role',
    async given(stage) {
      await prepared(stage);
      await stage.deployment();
    },
    stands: podsRefused,
    change: (stage) => stage.bind(),
    done: podsCurrent,
  },
  {
    name: 'the role of two running pods changes',
    slow: true,
    async given(stage) {
      stage.role('new');
      await bound()(stage);
      while ((await roleOf(stage)) === undefined) await new Promise((resolve) => setTimeout(resolve, 100));
      await stage.deployment();
    },
    stands: podsCurrent,
    change: (stage) => stage.patch('irsabindings', 'app', { spec: { roleArn: stage.roleArn('new') } }),
    done: async (stage) => (await moved(stage)) && (await podsCurrent(stage)),
  },
  {
    name: 'two pods lack the role, and are rolled out',
    async given(stage) {
      await prepared(stage);
      await stage.deployment();
    },
    stands: podsRefused,
    change: (stage) => stage.bind('app', { restart: { strategy: 'Rollout' } }),
    done: podsCurrent,
  },
];
