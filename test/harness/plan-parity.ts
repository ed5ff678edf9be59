import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Api, type Testbed, until } from '@irsa-operator/testbed';
import { runCommand } from './command.ts';
import { lookedAt } from './looked-at.ts';
import { OPERATOR_USER, pathOf } from './objects.ts';
import { accountsIn, replacePods, rewind, rolesIn, type Scenario } from './rewind.ts';
import { type Binding, conditionOf, isElsewhere, type Pod, type ServiceAccount } from './views.ts';

/** A suite with hundreds of namespaces has the same ones again and again. */
const MOST_COMPARED = 40;
/** A trust that is read back, pods that are restarted one after the other: on a busy machine. */
const PATIENCE = { timeoutMs: 150_000 };
/** An operator that has done what was planned begins by then with what was not: it restarts pods 10 s after a change. */
const SETTLED_MS = 15_000;

/** By the reason that the operator comes to: what it learns by trying alone, as `docs/plan.md` says. */
const NOT_PLANNED: Readonly<Record<string, string>> = {
  Contended: 'another writer reverts what was written',
  EvictionBlocked: 'the API server refuses an eviction, because of a PodDisruptionBudget',
  MultiplePDBs: 'the API server refuses an eviction, because of two of them',
  RoleIsOperator: 'only the operator knows which role is its own',
  TrustOrphanedPrincipal: 'IAM refuses the document, because it names a principal that was deleted',
  TrustWriteRejected: 'IAM refuses the document',
};
/** A proof by STS decides what a plan leaves open. */
const isProved = ({ bindings }: Scenario): boolean => bindings.some(({ spec }) => (spec.verification ?? 'Never') !== 'Never');

/** How many namespaces were planned, how many effects that were, and where the operator did something else. */
export interface PlanParity {
  readonly compared: number;
  readonly effects: number;
  readonly leftOut: readonly string[];
  readonly differences: readonly string[];
}

type Effect =
  | { readonly do: 'writeTrust'; readonly role: string; readonly after: object }
  | {
      readonly do: 'annotate';
      readonly serviceAccount: { readonly name: string };
      readonly before: Readonly<Record<string, string>>;
      readonly after: Readonly<Record<string, string>>;
    }
  | { readonly do: 'restart'; readonly pod: string; readonly ifNotReady: boolean }
  | { readonly do: 'rollOut'; readonly workload: string };
interface Plan {
  readonly effects: readonly Effect[];
  readonly bindings: readonly { readonly name: string; readonly ready: { readonly status: string; readonly reason: string } }[];
}

/** What was there, and was planned, when its bindings began to enforce. */
interface Begun extends Scenario {
  readonly plan: Plan;
  readonly annotations: ReadonlyMap<string, ServiceAccount['metadata']['annotations']>;
  readonly pods: readonly string[];
}

/**
 * Takes back what the operator did in each namespace, while its bindings observe. Then it asks `plan`, lets the bindings enforce, and compares:
 * documents, annotations, restarts in their order, and what Ready says in the end. Namespaces that share a role come one after the other.
 */
export async function compareWithPlan(testbed: Testbed, api: Api, operator: string, flags: readonly string[]): Promise<PlanParity> {
  const { items } = await api.call<{ items: Binding[] }>('GET', pathOf('irsabindings'));
  const found = [...Map.groupBy(items, ({ metadata }) => metadata.namespace)].map(([namespace, bindings]) => ({ namespace, bindings }));
  const isGoing = ({ bindings }: Scenario) => bindings.some(({ metadata }) => metadata.deletionTimestamp !== undefined);
  const isLeftOut = (one: Scenario) => isGoing(one) || isProved(one) || one.bindings.some(isElsewhere);
  const comparable = found.filter((one) => !isLeftOut(one));
  const scenarios = comparable.slice(0, MOST_COMPARED);
  const differences: string[] = [];
  const leftOut = found.filter(isLeftOut).map(({ namespace }) => namespace);
  if (comparable.length > MOST_COMPARED) leftOut.push(`${comparable.length - MOST_COMPARED} more namespaces of one suite`);
  let [compared, effects] = [0, 0];
  for (const round of roundsOf(scenarios)) {
    const each = <T>(work: (one: Scenario) => Promise<T>) => Promise.all(round.map(work));
    const eachBinding = (mode: Binding['spec']['mode']) =>
      each(({ bindings }) => Promise.all(bindings.map(({ metadata }) => lookedAt(api, pathOf('irsabindings', metadata), mode))));
    await eachBinding('Observe');
    await each((one) => rewind(testbed, api, one));
    await testbed.webhookCaughtUp();
    await each((one) => replacePods(api, one));
    await eachBinding('Observe');
    const begun: Begun[] = [];
    for (const one of round) begun.push(await begin(testbed, api, one, flags));
    const since = Date.now();
    await eachBinding('Enforce');
    const left = (one: Begun) => differencesIn(testbed, api, one, operator, since);
    const asPlanned = (one: Begun) => until('all is as planned', async () => (await left(one)).length === 0, PATIENCE);
    // Where it never is so, that is told below.
    await Promise.allSettled(begun.map(asPlanned));
    await sleep(SETTLED_MS);
    for (const one of begun) {
      const learned = await learnedIn(api, one);
      if (learned.length > 0) {
        leftOut.push(`${one.namespace} (${learned.join()})`);
        continue;
      }
      effects += one.plan.effects.length;
      compared += 1;
      differences.push(...(await left(one)).map((text) => `${one.namespace}: ${text}`));
    }
  }
  return { compared, effects, leftOut, differences };
}

/** In each round no role is in two namespaces. */
function roundsOf(scenarios: readonly Scenario[]): Scenario[][] {
  const rounds: { readonly roles: Set<string>; readonly scenarios: Scenario[] }[] = [];
  for (const one of scenarios) {
    const roles = rolesIn(one);
    const round = rounds.find((other) => roles.isDisjointFrom(other.roles)) ?? { roles: new Set(), scenarios: [] };
    if (round.scenarios.length === 0) rounds.push(round);
    for (const role of roles) round.roles.add(role);
    round.scenarios.push(one);
  }
  return rounds.map((round) => round.scenarios);
}

async function begin(testbed: Testbed, api: Api, scenario: Scenario, flags: readonly string[]): Promise<Begun> {
  const { namespace } = scenario;
  const credentials = testbed.aws.env({ roleName: 'parity', sessionName: 'jane' });
  const args = ['plan', '-n', namespace, '-o', 'json', ...flags];
  const { stdout, stderr } = await runCommand(testbed.aws, args, { kubeconfig: testbed.kubeconfig, credentials });
  if (stdout === '') throw new Error(`plan -n ${namespace}: ${stderr}`);
  const { items } = await api.call<{ items: Pod[] }>('GET', pathOf('pods', { namespace }));
  return {
    ...scenario,
    plan: JSON.parse(stdout) as Plan,
    annotations: await annotationsIn(api, scenario),
    pods: items.map(({ metadata }) => metadata.name),
  };
}

async function annotationsIn(api: Api, { namespace }: Scenario): Promise<Begun['annotations']> {
  const { items } = await api.call<{ items: ServiceAccount[] }>('GET', pathOf('serviceaccounts', { namespace }));
  return new Map(items.map(({ metadata }) => [metadata.name, metadata.annotations]));
}

/** Reasons that no plan has. */
async function learnedIn(api: Api, { namespace }: Scenario): Promise<string[]> {
  const { items } = await api.call<{ items: Binding[] }>('GET', pathOf('irsabindings', { namespace }));
  return items.map((one) => conditionOf(one, 'Ready')?.reason ?? '').filter((reason) => reason in NOT_PLANNED);
}

/** A sentence for each: what was planned, and what is done up to now. */
async function differencesIn(testbed: Testbed, api: Api, begun: Begun, operator: string, since: number): Promise<string[]> {
  const { plan, pods, bindings, namespace } = begun;
  const effects = <D extends Effect['do']>(what: D) => plan.effects.filter((one): one is Extract<Effect, { do: D }> => one.do === what);
  const compare = (what: string, planned: unknown, done: unknown) =>
    isDeepStrictEqual(planned, done) ? [] : [`${what}: planned ${JSON.stringify(planned)}, done ${JSON.stringify(done)}`];

  const trust = [...rolesIn(begun)].flatMap((arn) => {
    const planned = effects('writeTrust').flatMap(({ role, after }) => (role === arn ? [after] : []));
    const done = testbed.aws.journal
      .filter(
        ({ at, operation, params, code, caller }) =>
          at.getTime() >= since &&
          operation === 'UpdateAssumeRolePolicy' &&
          code === 'OK' &&
          caller.endsWith(`/${operator}`) &&
          params['RoleName'] === arn.split('/').at(-1),
      )
      .map(({ params }) => JSON.parse(params['PolicyDocument'] ?? '') as object);
    // Bindings that come one after the other may take a write each, and the last document is the same.
    const several = bindings.filter(({ spec }) => spec.roleArn === arn).length > 1;
    return several ? compare(`trust of ${arn}`, planned.slice(-1), done.slice(-1)) : compare(`trust of ${arn}`, planned, done);
  });

  const now = await annotationsIn(api, begun);
  const annotations = accountsIn(begun).flatMap((name) => {
    const planned = effects('annotate').filter(({ serviceAccount }) => serviceAccount.name === name);
    // A plan has those of the webhook alone. All others stay.
    const others = Object.entries(begun.annotations.get(name) ?? {}).filter(([key]) => !planned.some(({ before }) => key in before));
    return compare(`annotations of ${name}`, { ...Object.fromEntries(others), ...planned.at(-1)?.after }, now.get(name) ?? {});
  });

  const events = (await testbed.auditEvents()).filter(
    ({ user, objectRef, responseStatus, requestReceivedTimestamp }) =>
      user.username === OPERATOR_USER &&
      objectRef?.namespace === namespace &&
      (responseStatus?.code ?? 0) < 300 &&
      Date.parse(requestReceivedTimestamp) >= since,
  );
  const restarted = events
    .filter(({ verb, objectRef }) => objectRef?.resource === 'pods' && (verb === 'delete' || objectRef.subresource === 'eviction'))
    .flatMap(({ objectRef }) => (pods.includes(objectRef?.name ?? '') ? [objectRef?.name ?? ''] : []));
  const restarts = effects('restart').filter(({ pod }) => pods.includes(pod));
  // One that a repaired trust makes ready by itself is not restarted.
  const expected = restarts.filter(({ pod, ifNotReady }) => !ifNotReady || restarted.includes(pod)).map(({ pod }) => pod);
  const rollOuts = events.filter(({ verb, objectRef }) => verb === 'patch' && objectRef?.apiGroup === 'apps').length;

  const { items } = await api.call<{ items: Binding[] }>('GET', pathOf('irsabindings', { namespace }));
  const ready = items.flatMap((one) => {
    const planned = plan.bindings.find(({ name }) => name === one.metadata.name)?.ready;
    const { status, reason } = conditionOf(one, 'Ready') ?? { status: 'Unknown', reason: '' };
    return compare(`Ready of ${one.metadata.name}`, `${planned?.status} ${planned?.reason}`, `${status} ${reason}`);
  });
  return [
    ...trust,
    ...annotations,
    ...compare('restarts', expected, restarted),
    ...compare('roll-outs', effects('rollOut').length, rollOuts),
    ...ready,
  ];
}
