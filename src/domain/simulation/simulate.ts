import type { RoleArn } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf, type ObjectKey, type Pod, type ServiceAccount } from '../../api/cluster.ts';
import { FIELD_MANAGER, FINALIZER, INJECTED } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { type Subject, subjectOf } from '../../api/subject.ts';
import type { Observed } from '../binding/observed.ts';
import { planBinding } from '../binding/plan.ts';
import type { Step } from '../binding/step.ts';
import { KEYS } from '../pods/injection.ts';
import { madePod } from '../pods/made-pod.ts';
import type { RestartStep } from '../pods/restart/attempt.ts';
import { workloadOf } from '../pods/workload-of.ts';
import { knownAs } from '../role/consent.ts';
import { decideEdit } from '../role/edit.ts';
import { planRole } from '../role/plan.ts';
import { NO_CONTENTION } from '../state/contention.ts';
import { questionKey } from '../state/question.ts';
import { NO_WRITES, type PresentState, type RoleRecord } from '../state/role-record.ts';
import type { Effect } from './effect.ts';
import { accountOf, authorizationIn, rolesNamedBy, type World } from './world.ts';

/** Longer than any wait of the operator but those for something that does not come: read-backs, settling, a canary. */
const ROUND_MS = 15_000;
/** Two minutes without an effect: nothing comes any more. */
const QUIET_ROUNDS = 8;
/** A pod takes two rounds. A plan that is longer than this is nothing that a person reads. */
const MOST_ROUNDS = 4_000;

export interface Simulated {
  readonly effects: readonly Effect[];
  /** False: it was given up before its end. */
  readonly ended: boolean;
}

/**
 * What an operator would do, found by its own planners on a copy of what was read: round by round each plan is made, its effects are
 * applied to the copy, and time goes on. New pods are those that the webhook would make, and come up ready.
 */
export function simulate(world: World): Simulated {
  const effects: Effect[] = [];
  let quiet = 0;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const before = effects.length;
    const moved = [...rolesIn(world)].map((role) => turnOfRole(world, role, effects)).some(Boolean);
    const changed = [...world.bindings.keys()].map((key) => turnOfBinding(world, key, effects)).some(Boolean);
    quiet = effects.length > before || moved || changed ? 0 : quiet + 1;
    if (quiet >= QUIET_ROUNDS) return { effects, ended: true };
    world.now += ROUND_MS;
  }
  return { effects, ended: false };
}

const rolesIn = ({ bindings }: World): Set<RoleArn> => new Set([...bindings.values()].flatMap(rolesNamedBy));

/** Whether something came of it. */
function turnOfRole(world: World, arn: RoleArn, effects: Effect[]): boolean {
  const { now, cluster, reachOf, provider } = world;
  const record = world.roles.get(arn);
  const named = [...world.bindings.values()].filter((binding) => rolesNamedBy(binding).includes(arn));
  const bindings = named.map((binding) => {
    const { authorization, input } = authorizationIn(world, binding);
    // Only to one that is granted anything of the role is told.
    return { binding, authorization, knownAs: authorization.kind === 'refused' ? undefined : knownAs(binding, input, record) };
  });
  const absent = new Set(named.flatMap((binding) => absentSubject(world, binding)));
  // What was read stays true: reads by which the operator makes sure show the same.
  const fresh = record && {
    ...record,
    asOf: now,
    state: record.state.kind === 'present' ? withFreshTags(record.state, now) : record.state,
  };
  const { steps, verdicts } = planRole({ now, arn, bindings, record: fresh, cluster, reach: reachOf(arn), provider, losses: [], absent });
  for (const [question, verdict] of verdicts) world.verdicts.set(questionKey(question), verdict);
  if (fresh?.state.kind !== 'present') return false;
  let state = fresh.state;
  let moved = false;
  for (const step of steps) {
    switch (step.do) {
      case 'debounce':
        // The wait is over.
        state = { ...state, writes: { ...state.writes, debounce: { ...step.debounce, since: Number.NEGATIVE_INFINITY } } };
        moved = true;
        break;
      case 'edit': {
        const { roleId, policy, tags } = state;
        const decision = decideEdit(step.edit, { arn, roleId, policy, tags: tags?.values ?? new Map() });
        if (decision.kind === 'write') {
          effects.push({ do: 'writeTrust', role: arn, before: policy, after: decision.document });
          state = { ...state, policy: decision.document, writes: { ...NO_WRITES, confirmed: decision.document } };
          moved = true;
        }
        if (decision.kind === 'paused' && state.hold === undefined) {
          const hold = { since: now, until: Number.POSITIVE_INFINITY, finding: decision.finding, allowsRevocation: true };
          state = { ...state, hold };
          moved = true;
        }
        break;
      }
      case 'read':
      case 'confirm':
      case 'retryAfterConflict':
        break;
    }
  }
  world.roles.set(arn, { ...fresh, state });
  return moved;
}

/** Where space is short, a ServiceAccount that does not exist comes last. */
function absentSubject({ serviceAccounts }: World, binding: IrsaBinding): Subject[] {
  const { metadata, spec } = binding;
  const account = accountOf(binding);
  return isProblem(spec) || account === undefined || serviceAccounts.has(account)
    ? []
    : [subjectOf(metadata.namespace, spec.serviceAccountName)];
}

function withFreshTags(state: PresentState, now: number): PresentState {
  return state.tags === undefined ? state : { ...state, tags: { ...state.tags, asOf: now } };
}

function turnOfBinding(world: World, key: ObjectKey, effects: Effect[]): boolean {
  const binding = world.bindings.get(key);
  if (binding === undefined) return false;
  const seen = observedIn(world, binding);
  const { steps, status } = planBinding(seen);
  const changed = steps.length > 0 || JSON.stringify(status) !== JSON.stringify(binding.status);
  // The status is there before the first effect, as the operator has it.
  world.bindings.set(key, { ...binding, status });
  for (const step of steps) apply(world, key, step, effects);
  return changed;
}

function apply(world: World, key: ObjectKey, step: Step, effects: Effect[]): void {
  const binding = world.bindings.get(key);
  const account = binding && accountOf(binding);
  if (binding === undefined || account === undefined) return;
  const { metadata } = binding;
  switch (step.do) {
    case 'addFinalizer':
      world.bindings.set(key, { ...binding, metadata: { ...metadata, finalizers: [FINALIZER] } });
      break;
    case 'removeFinalizer':
      world.bindings.delete(key);
      break;
    case 'annotate':
    case 'unannotate': {
      const found = world.serviceAccounts.get(account);
      if (found === undefined) break;
      const after = annotated(found, step.do === 'annotate' ? step.annotations : {}, world.now);
      if (JSON.stringify(after.annotations) !== JSON.stringify(found.annotations)) {
        const { namespace, name } = found;
        effects.push({ do: 'annotate', serviceAccount: { namespace, name }, before: found.annotations, after: after.annotations });
      }
      world.serviceAccounts.set(account, after);
      break;
    }
    case 'restart':
      restart(world, binding, step, effects);
  }
}

/** By server-side apply: what we held and is not wanted any more goes, unless another writer holds it too. */
function annotated(account: ServiceAccount, wanted: Readonly<Record<string, string>>, now: number): ServiceAccount {
  const annotations: Record<string, string> = {};
  const writers: Record<string, ServiceAccount['writers'][string]> = {};
  for (const key of new Set([...Object.keys(account.annotations), ...Object.keys(wanted)])) {
    const before = account.writers[key] ?? [];
    const others = before.filter(({ manager }) => manager !== FIELD_MANAGER);
    const value = wanted[key];
    const isKept = value === undefined && (others.length > 0 || before.length === 0);
    const current = account.annotations[key];
    if (value !== undefined) {
      // A forced apply takes a key away from those who hold another value.
      annotations[key] = value;
      writers[key] = [...(current === value ? others : []), { manager: FIELD_MANAGER, at: now }];
    } else if (isKept && current !== undefined) {
      annotations[key] = current;
      writers[key] = others;
    }
  }
  return { ...account, annotations, writers };
}

function restart(world: World, { metadata, spec }: IrsaBinding, step: RestartStep, effects: Effect[]): void {
  if (isProblem(spec)) return;
  const serviceAccount = { namespace: metadata.namespace, name: spec.serviceAccountName };
  const desired = { ...spec, webhook: world.webhook };
  const replace = (pod: Pod) => {
    world.pods.delete(pod.uid);
    if (pod.owner === undefined) return;
    const next = madeAgain(world, pod, desired);
    world.pods.set(next.uid, next);
  };
  if (step.how === 'rollout') {
    const { workload } = step;
    effects.push({ do: 'rollOut', serviceAccount, workload: `${workload.kind}/${workload.name}` });
    for (const pod of [...world.pods.values()]) if (workloadOf(pod, world.workloads)?.uid === workload.uid) replace(pod);
    return;
  }
  const { how, pod } = step;
  const ifNotReady = pod.containers.some(({ env }) => env[INJECTED.roleArn] === spec.roleArn);
  const owner = pod.owner === undefined ? '' : `${pod.owner.kind}/${pod.owner.name}`;
  effects.push({ do: 'restart', how, serviceAccount, pod: pod.name, owner, ifNotReady });
  replace(pod);
}

/** The pod that its controller creates in its place: from the template, through the webhook. */
function madeAgain(world: World, pod: Pod, desired: Parameters<typeof madePod>[2]): Pod {
  const template = workloadOf(pod, world.workloads)?.template;
  const bare = pod.containers.map(({ env, own: _, ...rest }) => ({
    ...rest,
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !KEYS.some((key) => key === name))),
    mountsToken: false,
  }));
  const raw: Pod = {
    ...pod,
    uid: `${pod.uid}+`,
    // Of a StatefulSet it has the same name.
    name: pod.owner?.kind === 'StatefulSet' ? pod.name : `${pod.name}+`,
    createdAt: world.now + 1_000,
    ready: true,
    containers: template?.containers ?? bare,
    tokenAudience: undefined,
    tokenExpirationSeconds: desired.tokenExpirationSeconds,
  };
  return madePod(raw, template, desired);
}

function observedIn(world: World, binding: IrsaBinding): Observed {
  const { now, cluster, reachOf, provider, webhook, workloads } = world;
  const { spec, metadata } = binding;
  const account = accountOf(binding);
  const { authorization, winner } = authorizationIn(world, binding);
  const verdictOn: Observed['verdictOn'] = ({ arn, audience }) => {
    if (isProblem(spec)) return undefined;
    const subject = subjectOf(metadata.namespace, spec.serviceAccountName);
    return world.verdicts.get(questionKey({ role: arn, issuer: cluster.issuer, subject, audience }));
  };
  return {
    now,
    binding,
    authorization,
    reachOf,
    cluster,
    competingBindings: () => [...world.bindings.values()].filter((one) => accountOf(one) === account),
    winner,
    lossOf: () => undefined,
    isCovered: () => true,
    verdictOn,
    role: isProblem(spec) ? undefined : world.roles.get(spec.roleArn),
    provider,
    verdict: isProblem(spec) ? undefined : verdictOn({ arn: spec.roleArn, audience: spec.audience }),
    failureOf: () => undefined,
    serviceAccount: account === undefined ? undefined : world.serviceAccounts.get(account),
    contention: NO_CONTENTION,
    request: undefined,
    crdDeleting: false,
    pods: [...world.pods.values()].filter((pod) => keyOf({ namespace: pod.namespace, name: pod.serviceAccountName }) === account),
    workloads: workloads.filter(({ namespace }) => namespace === metadata.namespace),
    batchWorkloads: () => world.batchWorkloads.filter(({ namespace }) => namespace === metadata.namespace),
    serviceAccountExists: (name) => world.serviceAccounts.has(keyOf({ namespace: metadata.namespace, name })),
    blocked: new Map(),
    webhook,
    proof: undefined,
  };
}

/** A role as a read by its name shows it. */
export function recordOf(
  arn: RoleArn,
  role: { readonly roleId: string; readonly policy: string; readonly tags: ReadonlyMap<string, string> },
  asOf: number,
): RoleRecord {
  const { roleId, policy, tags } = role;
  return {
    arn,
    asOf,
    state: { kind: 'present', roleId, policy, writes: NO_WRITES, hold: undefined, tags: { values: tags, asOf, since: asOf } },
  };
}
