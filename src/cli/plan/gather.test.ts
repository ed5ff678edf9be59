import { describe, expect, test } from 'vitest';
import type { RoleArn } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import type { BatchWorkload, Workload } from '../../api/cluster.ts';
import { Fault } from '../../api/fault.ts';
import { EKS_WEBHOOK } from '../../api/webhook.ts';
import { workload } from '../../domain/test-cluster.ts';
import { ARN, binding, caller, grant, ISSUER, OTHER_ARN, policy, SERVICE, serviceAccount } from '../../domain/test-observed.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { noProgress } from '../progress.ts';
import { Account } from '../test-account.ts';
import { gather, type Scope } from './gather.ts';
import { plan } from './plan.ts';
import type { PlanPorts } from './ports.ts';

const named = (name: string, spec: object = {}): IrsaBinding =>
  binding({ metadata: { name, uid: name }, spec: { serviceAccountName: name, ...spec }, status: { roles: [] } });
const shop = { namespace: 'shop' };
const everything: Scope = { namespace: undefined, names: [], labelled: undefined, files: undefined };
const signal = new AbortController().signal;

function ports(
  bindings: readonly IrsaBinding[],
  faults: Partial<Record<'grants' | 'pods', Fault>> = {},
  runs: { readonly workloads?: readonly Workload[]; readonly batch?: readonly BatchWorkload[] } = {},
) {
  const asked: string[] = [];
  const fails = async (what: keyof typeof faults) => {
    const fault = faults[what];
    if (fault !== undefined) throw fault;
  };
  const account = new Account({ [ARN]: { policy: policy(SERVICE) }, [OTHER_ARN]: { policy: policy(SERVICE) } });
  const all: PlanPorts = {
    cluster: {
      issuer: async () => ISSUER,
      bindings: async () => bindings,
      grants: async () => {
        await fails('grants');
        return [grant()];
      },
      namespaces: async () => [],
      apiAudiences: async () => [],
      serviceAccount: async ({ name }) => ({ ...serviceAccount({}), name }),
      pods: async ({ name }) => {
        await fails('pods');
        asked.push(`pods ${name}`);
        return [];
      },
      workloads: async (namespace) => {
        asked.push(`workloads ${namespace}`);
        return runs.workloads ?? [];
      },
      batchWorkloads: async (namespace) => {
        asked.push(`batch ${namespace}`);
        return runs.batch ?? [];
      },
    },
    aws: {
      caller: async () => caller,
      eksIssuer: undefined,
      providers: { clientIds: async () => ['sts.amazonaws.com'], list: async () => [] },
      roles: {
        read: async (arn: RoleArn) => {
          asked.push(`role ${arn.split('/').at(-1)}`);
          return await account.read(arn);
        },
        list: account.list.bind(account),
        policyQuota: async () => 2048,
      },
    },
    clock: new ManualClock(),
    progress: noProgress,
    webhook: EKS_WEBHOOK,
    namespace: 'shop',
  };
  return { all, asked };
}

test('each thing is read once, and no role or pod of others', async () => {
  const { all, asked } = ports([named('app'), named('second'), named('else', { roleArn: OTHER_ARN })]);
  const { meant, world } = await gather({ ...everything, namespace: 'shop', names: ['app'] }, { issuer: ISSUER }, all, signal);
  expect([...meant]).toEqual(['shop/app']);
  // The second shares the role, so one write is for both.
  expect([...world.bindings.keys()]).toEqual(['shop/app', 'shop/second']);
  expect(asked.toSorted()).toEqual(['batch shop', 'pods app', 'role app', 'workloads shop']);
});

test('of those with the labels alone, and only in the namespace that is meant', async () => {
  const { all } = ports([named('app'), named('second')]);
  const labelled = new Set(['shop/second', 'other/app'] as const);
  const { meant } = await gather({ ...everything, namespace: 'shop', labelled }, { issuer: ISSUER }, all, signal);
  expect([...meant]).toEqual(['shop/second']);
});

// Contract: commands-progress
test('it says how many roles it has read', async () => {
  const { all } = ports([named('app'), named('else', { roleArn: OTHER_ARN })]);
  const told: string[] = [];
  const progress = (done: number, total: number, what: string) => void told.push(`${done} of ${total} ${what}`);
  await gather(everything, { issuer: ISSUER }, { ...all, progress }, signal);
  expect(told).toEqual(['1 of 2 roles', '2 of 2 roles']);
});

test('a binding in a file takes the place of the one in the cluster, with its status, and the plan is for it alone', async () => {
  const live = binding({ metadata: { name: 'app', generation: 4 } });
  const file = { of: 'x', bindings: [named('app', { roleArn: OTHER_ARN }), named('next')], grants: [], namespaces: [], apiAudiences: [] };
  const { meant, world } = await gather({ ...everything, files: file }, { issuer: ISSUER }, ports([live, named('third')]).all, signal);
  expect([...meant]).toEqual(['shop/app', 'shop/next']);
  const app = world.bindings.get('shop/app');
  expect([app?.spec, app?.metadata.generation, app?.status.roles]).toMatchObject([{ roleArn: OTHER_ARN }, 5, live.status.roles ?? []]);
});

test('one that observes is planned as if it enforced; others are as they are', async () => {
  const { world, passive } = await gather(
    { ...everything, namespace: 'shop', names: ['app'] },
    { issuer: ISSUER },
    ports([named('app', { mode: 'Observe' }), named('second', { mode: 'Observe' })]).all,
    signal,
  );
  expect([...passive]).toEqual(['shop/app']);
  expect(['app', 'second'].map((name) => world.bindings.get(`shop/${name}`)?.spec)).toMatchObject([
    { mode: 'Enforce' },
    { mode: 'Observe' },
  ]);
});

test('what cannot be read ends it: half a plan is none', async () => {
  for (const what of ['grants', 'pods'] as const)
    await expect(
      gather(everything, { issuer: ISSUER }, ports([named('app')], { [what]: new Fault('denied', 'no') }).all, signal),
    ).rejects.toThrow('no');
});

describe('where no pod runs as the bound ServiceAccount, it says what irsa-operator would say', () => {
  const readyOf = async (runs: Parameters<typeof ports>[2]) => {
    const { all } = ports([named('app')], {}, runs);
    const { bindings } = await plan(everything, { 'oidc-issuer': ISSUER }, all, signal);
    return bindings.map(({ ready }) => `${ready.status} ${ready.reason}`);
  };
  // The ServiceAccount "other" exists, and no binding names it.
  test('of a Deployment with its name that runs as another one', async () =>
    expect(await readyOf({ workloads: [workload({ serviceAccountName: 'other' })] })).toEqual(['True NoPods']));
  test('of a CronJob with its name that runs as another one', async () =>
    expect(await readyOf({ batch: [{ kind: 'CronJob', ...shop, name: 'app', serviceAccountName: 'other', appName: undefined }] })).toEqual([
      'True NoPods',
    ]));
  test('of nothing with its name', async () => expect(await readyOf({})).toEqual(['True Ready']));
});

test('of a role that does not exist the plan says what the operator would say in the end', async () => {
  const none = 'arn:aws:iam::111122223333:role/team/none';
  const { bindings, effects } = await plan(everything, {}, ports([named('app', { roleArn: none })]).all, signal);
  expect([effects, bindings]).toMatchObject([[], [{ name: 'app', ready: { status: 'False', reason: 'RoleNotFound' } }]]);
});

test('a name that does not exist is a fault', async () =>
  await expect(
    gather({ ...everything, namespace: 'shop', names: ['none'] }, { issuer: ISSUER }, ports([named('app')]).all, signal),
  ).rejects.toThrow('there is no IrsaBinding "none"'));
