import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf, type Pod, type ServiceAccount } from '../../api/cluster.ts';
import { conditionOf } from '../../api/condition.ts';
import { EKS_ANNOTATIONS, FIELD_MANAGER } from '../../api/names.ts';
import { EKS_WEBHOOK } from '../../api/webhook.ts';
import { GrantIndex } from '../authorization/grant-index.ts';
import type { RoleRecord } from '../state/role-record.ts';
import { replicaSet, statefulSet, workload } from '../test-cluster.ts';
import {
  ARN,
  binding,
  entry,
  grant,
  ISSUER,
  NOW,
  OTHER_ARN,
  own,
  pod,
  policy,
  provider,
  REACHED,
  SERVICE,
  serviceAccount,
} from '../test-observed.ts';
import { asEnforced } from './as-enforced.ts';
import type { Effect } from './effect.ts';
import { recordOf, simulate } from './simulate.ts';
import type { World } from './world.ts';

const role = (text: string = policy(SERVICE), tags: Record<string, string> = {}) =>
  recordOf(ARN, { roleId: 'AROAAPP', policy: text, tags: new Map(Object.entries(tags)) }, NOW);
const bare: IrsaBinding = { ...binding({ metadata: { finalizers: [] } }), status: { conditions: [] } };

interface Part {
  readonly bindings?: readonly IrsaBinding[];
  readonly account?: ServiceAccount | undefined;
  readonly pods?: readonly Pod[];
  readonly roles?: readonly RoleRecord[];
  readonly grants?: Parameters<typeof grant>[0];
  readonly provider?: World['provider'];
}
function world(part: Part = {}): World {
  const account = 'account' in part ? part.account : serviceAccount({});
  return {
    now: NOW,
    cluster: { kind: 'known', issuer: ISSUER },
    reachOf: () => REACHED,
    apiAudiences: [],
    provider: 'provider' in part ? part.provider : provider,
    grants: new GrantIndex([grant({ roleArns: ['arn:aws:iam::111122223333:role/team/*'], ...part.grants })]),
    namespaces: new Map(),
    webhook: EKS_WEBHOOK,
    workloads: [workload()],
    batchWorkloads: [],
    bindings: new Map((part.bindings ?? [bare]).map((one) => [keyOf(one.metadata), one])),
    roles: new Map((part.roles ?? [role()]).map((one) => [one.arn, one])),
    serviceAccounts: new Map(account === undefined ? [] : [[keyOf(account), account]]),
    pods: new Map((part.pods ?? []).map((one) => [one.uid, one])),
    verdicts: new Map(),
  };
}

const inWords = (effect: Effect): string => {
  switch (effect.do) {
    case 'writeTrust':
      return `trust ${effect.role.split('/').at(-1)}`;
    case 'annotate':
      return `annotate ${effect.after[EKS_ANNOTATIONS.roleArn]?.split('/').at(-1) ?? 'nothing'}`;
    case 'restart':
      return `${effect.how} ${effect.pod}${effect.ifNotReady ? ' if not ready' : ''}`;
    case 'rollOut':
      return `roll out ${effect.workload}`;
  }
};
const effectsOf = (part: Part = {}) => {
  const { effects, ended } = simulate(world(part));
  expect(ended).toBe(true);
  return effects.map(inWords);
};
const TOKEN_FILE = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';
const labels = { 'pod-template-hash': '5d9c' };
const old = (name: string, part: Partial<Pod> = {}) => pod({ name, uid: name, owner: replicaSet, labels, ...part }, {});
const annotations = { [EKS_ANNOTATIONS.roleArn]: ARN };

describe('an operator is said to', () => {
  // Contract: plan-effects
  test('write the trust, then the annotation, then restart the pods that lack the role, one after the other', () =>
    expect(effectsOf({ pods: [old('a'), old('b'), old('c', { ready: false })] })).toEqual([
      'trust app',
      'annotate app',
      'evict c',
      'evict a',
      'evict b',
    ]));

  test('do nothing where all is in order', () => {
    const kept = {
      ...bare,
      metadata: { ...bare.metadata, finalizers: ['irsa-operator.dev/finalizer'] },
      status: { conditions: [], roles: [entry()] },
    };
    expect(
      effectsOf({
        bindings: [kept],
        account: serviceAccount(annotations, FIELD_MANAGER),
        roles: [role(policy(SERVICE, own()))],
        pods: [pod({})],
      }),
    ).toEqual([]);
  });

  test('do nothing without a grant', () => expect(effectsOf({ grants: { namespaces: { names: ['other'] } } })).toEqual([]));
  test('do nothing for a binding that observes', () =>
    expect(effectsOf({ bindings: [{ ...bare, ...binding({ spec: { mode: 'Observe' } }), status: { conditions: [] } }] })).toEqual([]));
  test('do nothing while there is no OIDC provider', () => expect(effectsOf({ provider: { kind: 'missing', similar: [] } })).toEqual([]));
  test('do nothing where its owner has paused the role', () =>
    expect(effectsOf({ roles: [role(policy(SERVICE), { 'irsa-operator.dev/paused': 'true' })] })).toEqual([]));
  test('do nothing where the role lacks the tags of the grant', () =>
    expect(effectsOf({ grants: { requiredRoleTags: { team: 'shop' } } })).toEqual([]));
  test('write the trust alone where there is no ServiceAccount yet', () =>
    expect(effectsOf({ account: undefined })).toEqual(['trust app']));

  test('annotate, and write no trust, where another statement allows it', () => {
    const foreign = { ...own(), Sid: 'ByTerraform' };
    expect(effectsOf({ roles: [role(policy(foreign))], pods: [old('a')] })).toEqual(['annotate app', 'evict a']);
  });

  test('restart a pod with the role only if it is still not ready after the repair', () =>
    expect(
      effectsOf({ account: serviceAccount(annotations, FIELD_MANAGER), pods: [pod({ name: 'a', owner: replicaSet, ready: false })] }),
    ).toEqual(['trust app', 'evict a if not ready']));

  test('restart a pod with the role of before once, for its replacement comes from the template', () => {
    const stale = pod(
      { name: 'a', uid: 'a', owner: replicaSet, labels },
      { AWS_ROLE_ARN: OTHER_ARN, AWS_WEB_IDENTITY_TOKEN_FILE: TOKEN_FILE },
    );
    for (const workloads of [[workload()], []]) {
      const { effects } = simulate({ ...world({ pods: [stale] }), workloads });
      expect(effects.map(inWords)).toEqual(['trust app', 'annotate app', 'evict a']);
    }
  });

  test('leave pods alone with restart.strategy Never, and roll out with Rollout', () => {
    const with_ = (strategy: string) => ({ ...bare, spec: binding({ spec: { restart: { strategy } } }).spec });
    expect(effectsOf({ bindings: [with_('Never')], pods: [old('a')] })).toEqual(['trust app', 'annotate app']);
    expect(effectsOf({ bindings: [with_('Rollout')], pods: [old('a'), old('b')] })).toEqual([
      'trust app',
      'annotate app',
      'roll out Deployment/app',
    ]);
  });

  test('restart a StatefulSet from the highest ordinal', () =>
    expect(effectsOf({ pods: [0, 1, 2].map((at) => old(`db-${at}`, { owner: statefulSet })) })).toEqual([
      'trust app',
      'annotate app',
      'evict db-2',
      'evict db-1',
      'evict db-0',
    ]));

  test('release the role that was left once the new one works', () => {
    const moved = { ...bare, status: { conditions: [], roles: [entry(OTHER_ARN, 'AROAFORMER')] } };
    const former = recordOf(OTHER_ARN, { roleId: 'AROAFORMER', policy: policy(SERVICE, own()), tags: new Map() }, NOW);
    expect(effectsOf({ bindings: [moved], roles: [role(), former] })).toEqual(['trust app', 'annotate app', 'trust former']);
  });

  test('take trust and annotation away for a binding that is being deleted', () => {
    const going: IrsaBinding = {
      ...bare,
      metadata: { ...bare.metadata, deleting: true, finalizers: ['irsa-operator.dev/finalizer'] },
      status: { conditions: [], roles: [entry()] },
    };
    expect(
      effectsOf({
        bindings: [going],
        account: serviceAccount(annotations, FIELD_MANAGER),
        roles: [role(policy(SERVICE, own()))],
      }).toSorted(),
    ).toEqual(['annotate nothing', 'trust app']);
  });
});

test('a role that IAM knows under another ARN, for which a grant covers the binding too, is told by that ARN', () => {
  const foundAs = { arn: ARN.replace('role/team/', 'role/team/a/'), tags: new Map() };
  const missing: RoleRecord = { arn: ARN, asOf: NOW, state: { kind: 'missing', since: NOW, foundAs } };
  const readyWith = (roleArns: readonly string[]) => {
    const all = world({ roles: [missing], grants: { roleArns } });
    simulate(all);
    return [...all.bindings.values()].map(({ status }) => conditionOf(status.conditions, 'Ready')?.reason);
  };
  expect(readyWith([ARN, foundAs.arn])).toEqual(['RoleArnMismatch']);
  expect(readyWith([ARN])).toEqual(['RoleNotFound']);
});

test('where one subject fits, the ServiceAccount that exists comes before one that is older and does not', () => {
  const [older, newer] = ['ab', 'app'].map((name, at): IrsaBinding => {
    const one = binding({ metadata: { name, uid: name, createdAt: NOW + at, finalizers: [] }, spec: { serviceAccountName: name } });
    return { ...one, status: { conditions: [] } };
  });
  const bindings = [older as IrsaBinding, newer as IrsaBinding];
  const quota = policy(SERVICE, own()).length;
  const { effects } = simulate({ ...world({ bindings }), reachOf: () => ({ kind: 'reached', quota }) });
  expect(effects.map(inWords)).toEqual(['trust app', 'annotate app']);
  expect(effects[0]).toMatchObject({ after: expect.stringContaining(':app"') });
});

test('of an annotation that another writer holds the value is replaced', () => {
  const { effects } = simulate(world({ account: serviceAccount({ [EKS_ANNOTATIONS.roleArn]: OTHER_ARN }, 'helm') }));
  expect(effects[1]).toMatchObject({ do: 'annotate', before: { [EKS_ANNOTATIONS.roleArn]: OTHER_ARN }, after: annotations });
});

test('a plan for the result has no effect', () => {
  const after = world({ pods: [old('a'), old('b')] });
  expect(simulate(after).effects.length).toBeGreaterThan(0);
  expect(simulate(after).effects).toEqual([]);
});

test('an observing or suspended binding is planned as if it enforced', () => {
  const passive = binding({ spec: { mode: 'Observe', suspend: true, verification: 'Periodic' } });
  expect(asEnforced(passive).spec).toMatchObject({ mode: 'Enforce', suspend: false, verification: 'Never' });
});
