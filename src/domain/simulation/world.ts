import type { RoleArn } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import {
  type BatchWorkload,
  keyOf,
  type Namespace,
  type ObjectKey,
  type Pod,
  type ServiceAccount,
  type Workload,
} from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import type { Webhook } from '../../api/webhook.ts';
import { authorize, contendersOf, winnerOf } from '../authorization/authorize.ts';
import type { GrantIndex } from '../authorization/grant-index.ts';
import type { ClusterView } from '../state/identity.ts';
import type { ProviderView } from '../state/oidc-provider.ts';
import type { Reach } from '../state/reach.ts';
import type { RoleRecord } from '../state/role-record.ts';
import type { Verdict } from '../state/verdict.ts';

/** A cluster and an account as they were read, and then as each effect leaves them. Nothing in it is shared with the real ones. */
export interface World {
  /** Epoch milliseconds. */
  now: number;
  readonly cluster: Extract<ClusterView, { kind: 'known' }>;
  readonly reachOf: (role: RoleArn) => Reach;
  readonly apiAudiences: readonly string[];
  /** Of the caller's account. */
  readonly provider: ProviderView | undefined;
  readonly grants: GrantIndex;
  readonly namespaces: ReadonlyMap<string, Namespace>;
  readonly webhook: Webhook;
  readonly workloads: readonly Workload[];
  readonly batchWorkloads: readonly BatchWorkload[];
  readonly bindings: Map<ObjectKey, IrsaBinding>;
  readonly roles: Map<RoleArn, RoleRecord>;
  /** Those of the bindings, and of workloads that could be meant to run as one of them. */
  readonly serviceAccounts: Map<ObjectKey, ServiceAccount>;
  /** By uid. */
  readonly pods: Map<string, Pod>;
  /** By `questionKey`. */
  readonly verdicts: Map<string, Verdict>;
}

/** Key of the ServiceAccount that a binding names. */
export function accountOf({ metadata: { namespace }, spec }: IrsaBinding): ObjectKey | undefined {
  return isProblem(spec) ? undefined : keyOf({ namespace, name: spec.serviceAccountName });
}

export function authorizationIn(world: World, binding: IrsaBinding) {
  const { namespace } = binding.metadata;
  const account = accountOf(binding);
  const input = {
    grants: world.grants,
    namespace: world.namespaces.get(namespace) ?? { name: namespace, labels: {} },
    contenders: contendersOf([...world.bindings.values()].filter((one) => account !== undefined && accountOf(one) === account)),
    // Who plans may well be a role that is bound. The operator's own is not known.
    ownRoles: [],
    apiAudiences: [...world.apiAudiences, world.cluster.issuer],
  };
  return { authorization: authorize(binding, input), input, winner: () => winnerOf(input) };
}

/** Every role that a binding names, or on which trust of its own may be. */
export function rolesNamedBy({ spec, status }: IrsaBinding): RoleArn[] {
  return [...new Set([...(isProblem(spec) ? [] : [spec.roleArn]), ...(status.roles ?? []).map(({ arn }) => arn)])];
}
