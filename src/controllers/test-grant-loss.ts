import { type AccountId, providerArnFor, type RoleArn } from '../api/arn.ts';
import type { IrsaBinding } from '../api/binding.ts';
import { conditionOf } from '../api/condition.ts';
import { Fault, isFault } from '../api/fault.ts';
import type { IrsaGrant } from '../api/grant.ts';
import { FINALIZER, STS_AUDIENCE } from '../api/names.ts';
import { isProblem } from '../api/problem.ts';
import { ARN, entry, ISSUER, ROLE_ID } from '../domain/test-observed.ts';
import type { BindingEvent } from '../ports/events.ts';
import type { Roles } from '../ports/roles.ts';
import { ControllerLoop } from '../runtime/controller.ts';
import { silentLog } from '../runtime/log.ts';
import type { ManualClock } from '../runtime/manual-clock.ts';
import { noMetrics } from '../runtime/metrics.ts';
import { parseDocument } from '../trust/document/document.ts';
import { ownSubjects } from '../trust/own-subjects.ts';
import { bindingController } from './binding/index.ts';
import type { BindingWrites } from './binding/ports.ts';
import { revocationController } from './revocation/index.ts';
import { Ledger } from './revocation/ledger.ts';
import type { RevocationRecord } from './revocation/ports.ts';
import { roleController } from './role/index.ts';
import { sweepRoles } from './role/sweep.ts';
import { createStores } from './stores.ts';
import { putIdentity } from './test-identity.ts';

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
/** From the loss to the status that says that the trust is gone: 60 s, and both read-backs. */
export const REVOKED_MS = 75 * SECOND_MS;

/** Trust policies by role: they outlive the operator. */
export type Iam = Map<RoleArn, string>;

/** What lies outside of the operator, and outlives it. */
export interface World {
  readonly clock: ManualClock;
  readonly iam: Iam;
  readonly record: RevocationRecord & { text: string | undefined };
  bindings: readonly IrsaBinding[];
  grants: readonly IrsaGrant[];
  readonly namespaces: readonly string[];
  /** The uid of the CRD of grants; undefined while it is being deleted. */
  definition: string | undefined;
  /** What the API server says to a list of grants past every cache; undefined: what there is. */
  listOfGrants: (() => readonly IrsaGrant[]) | undefined;
  readonly roleTags: Map<RoleArn, ReadonlyMap<string, string>>;
  /** IAM takes the next write, and its answer is lost; what happens in that moment. */
  answerLost: (() => void) | undefined;
  /** How often a role was read by itself. */
  reads: number;
}

/** A way out for a test whose operator reads without end: no time passes in it. */
const MOST_READS = 20_000;

/** A ConfigMap. */
export function recordIn(): World['record'] {
  return {
    text: undefined,
    async read() {
      return this.text;
    },
    async write(text) {
      this.text = text;
    },
  };
}

export function worldOf(part: Pick<World, 'clock' | 'iam' | 'bindings' | 'grants' | 'namespaces'>): World {
  return {
    record: recordIn(),
    definition: 'definition',
    listOfGrants: undefined,
    roleTags: new Map(),
    answerLost: undefined,
    reads: 0,
    ...part,
  };
}

function rolesIn(world: World): Roles {
  const { iam, roleTags } = world;
  const read = async (role: RoleArn) => {
    world.reads += 1;
    if (world.reads > MOST_READS) throw new Fault('transient', 'too many reads for a test');
    const policy = iam.get(role);
    if (policy === undefined) throw new Fault('notFound', `NoSuchEntity: ${role}`);
    return { arn: role, roleId: entry().roleId ?? '', policy, tags: roleTags.get(role) ?? new Map<string, string>() };
  };
  return {
    read,
    async edit(role, decide) {
      const fresh = await read(role);
      const written = await decide(fresh);
      if (written !== undefined) iam.set(role, written);
      const { answerLost } = world;
      if (written !== undefined && answerLost !== undefined) {
        world.answerLost = undefined;
        answerLost();
        throw new Fault('transient', 'no answer within 10 s');
      }
      return { fresh, written };
    },
    async *list() {
      yield [...iam].map(([arn, policy]) => ({ arn, mayBeOurs: true, parse: () => ({ arn, roleId: ROLE_ID, policy }) }));
    },
    policyQuota: async () => 2048,
  };
}

/** An operator over a world, with the controllers of bindings, of roles and of revocations, in virtual time. */
export async function operatorOver(world: World, settings: { readonly ungrantedGraceMs?: number; readonly sweepIntervalMs?: number } = {}) {
  const { clock, iam } = world;
  const { ungrantedGraceMs = 86_400_000, sweepIntervalMs = MINUTE_MS } = settings;
  const seen = createStores(silentLog, { ungrantedGraceMs });
  putIdentity(seen);
  seen.leadership.put({ since: clock.now() });
  const registered = { kind: 'registered', arn: providerArnFor(ARN, ISSUER), clientIds: [STS_AUDIENCE, 'sigstore'] } as const;
  seen.providers.put({ account: '111122223333' as AccountId, view: registered });
  for (const name of world.namespaces) seen.namespaces.put({ name, labels: {} });
  seen.definitions.put({ name: 'bindings', uid: 'bindings', createdAt: 0, deleting: false });
  seen.grantDefinitions.put({ name: 'grants', uid: world.definition ?? 'gone', createdAt: 0, deleting: world.definition === undefined });
  for (const one of world.grants) seen.grants.put(one);
  for (const one of world.bindings) seen.bindings.put(one);
  for (const store of [
    seen.bindings,
    seen.grants,
    seen.definitions,
    seen.grantDefinitions,
    seen.namespaces,
    seen.serviceAccounts,
    seen.pods,
    seen.deployments,
    seen.statefulSets,
    seen.daemonSets,
    seen.jobs,
    seen.cronJobs,
    seen.identity,
  ])
    store.markSynced();
  const version = ({ metadata }: IrsaBinding) => String(Number(metadata.resourceVersion) + 1);
  const put = (one: IrsaBinding, part: Partial<IrsaBinding>, metadata: Partial<IrsaBinding['metadata']> = {}) => {
    const resourceVersion = version(one);
    seen.bindings.put({ ...one, ...part, metadata: { ...one.metadata, ...part.metadata, ...metadata, resourceVersion } });
    return resourceVersion;
  };
  const unexpected = async () => {
    throw new Error('no ServiceAccount and no pod is there to be changed');
  };
  const writes: BindingWrites = {
    async addFinalizer(one) {
      return put(one, {}, { finalizers: [FINALIZER] });
    },
    async removeFinalizer(one) {
      if (one.metadata.deleting) seen.bindings.delete(`${one.metadata.namespace}/${one.metadata.name}`);
      else put(one, {}, { finalizers: [] });
    },
    annotate: unexpected,
    evict: unexpected,
    deletePod: unexpected,
    rollOut: unexpected,
    report: async (one, status) => put(one, { status }),
  };
  const random = () => 0.5;
  const events = { record: () => {} };
  const told: BindingEvent[] = [];
  const ownEvents = { record: (event: BindingEvent) => void told.push(event) };
  const metrics = { wrote: () => {}, drifted: () => {}, repaired: () => {}, restarted: () => {} };
  const apiReader = {
    grants: async () => world.listOfGrants?.() ?? seen.grants.list(),
    namespace: async (name: string) => seen.namespaces.get(name),
    definition: async (of: 'bindings' | 'grants') => (of === 'grants' ? world.definition : 'bindings'),
  };
  const classify = (error: unknown) => (isFault(error) ? { kind: error.kind } : undefined);
  const options = { workers: 4, clock, random, log: silentLog, metrics: noMetrics, classify };
  const stop = new AbortController();
  const ledger = new Ledger({ owned: seen, record: world.record, log: silentLog });
  await ledger.load(stop.signal).catch(() => {});
  const roles = rolesIn(world);
  const common = { stores: seen, owned: seen, clock };
  const running = [
    ...[
      new ControllerLoop(revocationController({ ...common, ledger, ungrantedGraceMs, events: ownEvents }), options),
      new ControllerLoop(
        roleController({
          ...common,
          roles,
          readBacks: { leaves: () => false },
          isUnderway: () => false,
          apiReader,
          events,
          ownEvents,
          metrics,
          random,
        }),
        options,
      ),
      new ControllerLoop(bindingController({ ...common, writes, events, metrics, sweepIntervalMs }), options),
    ].map((loop) => loop.run(stop.signal, stop.signal)),
    sweepRoles(
      { ...common, rolesIn: () => roles, intervalMs: sweepIntervalMs, random, log: silentLog, swept: () => {}, unswept: () => {} },
      stop.signal,
    ),
  ];
  await clock.advance(20 * SECOND_MS);
  const bindingOf = (namespace: string, name: string) => seen.bindings.get(`${namespace}/${name}`);
  return {
    seen,
    /** What was told about the operator's own object. */
    told,
    /** Subjects in our statements, by the name of the role. */
    standing: () =>
      Object.fromEntries(
        [...iam].map(([role, text]) => {
          const document = parseDocument(text);
          if (isProblem(document)) throw new Error(document.problem);
          const subjects = ownSubjects(document, { issuer: ISSUER, provider: providerArnFor(role, ISSUER) }).map(({ subject }) => subject);
          return [role.slice(role.lastIndexOf('/') + 1), subjects];
        }),
      ),
    bindingOf,
    messageOf: (namespace: string, name: string, condition: 'Authorized' | 'Trusted' = 'Authorized') =>
      conditionOf(bindingOf(namespace, name)?.status.conditions ?? [], condition)?.message,
    /** As a tenant or the platform team writes it. */
    edit(namespace: string, name: string, change: (one: IrsaBinding) => Partial<IrsaBinding>) {
      const one = bindingOf(namespace, name);
      if (one !== undefined) put(one, change(one));
    },
    /** What outlives it is in the world again. */
    async stop() {
      stop.abort();
      await Promise.all(running);
      world.bindings = seen.bindings.list();
      world.grants = seen.grants.list();
    },
  };
}
