import { type AccountId, providerArnFor, type RoleArn } from '../api/arn.ts';
import type { BindingStatus, IrsaBinding } from '../api/binding.ts';
import { keyOf, type ObjectKey, type ServiceAccount } from '../api/cluster.ts';
import { Fault, isFault } from '../api/fault.ts';
import type { IrsaGrant } from '../api/grant.ts';
import type { Issuer } from '../api/issuer.ts';
import { STS_AUDIENCE } from '../api/names.ts';
import { isProblem } from '../api/problem.ts';
import { ACCOUNT, ARN, grant, ISSUER, NOW, serviceAccount } from '../domain/test-observed.ts';
import { metrics as makeMetrics } from '../observability/metrics.ts';
import type { BindingEvent } from '../ports/events.ts';
import type { FreshRole, Roles } from '../ports/roles.ts';
import type { Log } from '../runtime/log.ts';
import { silentLog } from '../runtime/log.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { auditController } from './audit/index.ts';
import { bindingController } from './binding/index.ts';
import type { BindingWrites } from './binding/ports.ts';
import { collector } from './collector.ts';
import { oidcProviderController } from './oidc-provider/index.ts';
import { roleController } from './role/index.ts';
import { listed } from './role/records.ts';
import { createStores } from './stores.ts';
import { putIdentity } from './test-identity.ts';

/** What several tenants have, and what AWS answers. */
export interface Tenants {
  readonly bindings: readonly IrsaBinding[];
  /** Without a binding, and with annotations of their own. */
  readonly serviceAccounts?: readonly ServiceAccount[];
  readonly grants?: readonly IrsaGrant[];
  readonly issuer?: Issuer;
  /** What GetRole answers, by ARN. */
  readonly roles: Readonly<Record<string, FreshRole | Fault>>;
  /** What a sweep saw before, by ARN. No list shows tags. */
  readonly listed?: Readonly<Record<string, FreshRole>>;
  /** What UpdateAssumeRolePolicy answers. */
  readonly refused?: Fault;
  /** Of the cluster's own provider; undefined: it is missing. */
  readonly clientIds?: readonly string[] | undefined;
  /** The ARNs of all providers of the account. */
  readonly providers?: readonly string[];
}

/** All that a tenant can read about an object of its own: its status, its Events, the series and the log lines that carry it. */
export type Surface = 'status' | 'event' | 'metric' | 'log';
export type Told = Readonly<Record<Surface, string>>;

/** Runs every controller that speaks to tenants until all is said, and returns what was said about each object, by `namespace/name`. */
export async function toldTo(tenants: Tenants): Promise<(object: ObjectKey) => Told> {
  const { bindings, serviceAccounts = [], issuer = ISSUER, refused } = tenants;
  const grants = tenants.grants ?? [grant({ namespaces: { names: bindings.map(({ metadata }) => metadata.namespace) } })];
  const stores = createStores(silentLog);
  const clock = new ManualClock(NOW);
  putIdentity(stores, { cluster: { kind: 'known', issuer } });
  for (const one of grants) stores.grants.put(one);
  for (const one of serviceAccounts) stores.serviceAccounts.put(one);
  for (const one of bindings) {
    stores.namespaces.put({ name: one.metadata.namespace, labels: {} });
    stores.bindings.put(one);
    const { namespace } = one.metadata;
    if (!isProblem(one.spec)) stores.serviceAccounts.put({ ...serviceAccount({}), namespace, name: one.spec.serviceAccountName });
  }
  const lines: { object: unknown; text: string }[] = [];
  const logOf = (fields: object): Log => {
    const add = (more: object, message: string) => {
      const line = { ...fields, ...more };
      lines.push({ object: 'key' in line ? line.key : undefined, text: `${message} ${JSON.stringify(line)}` });
    };
    return { debug: add, info: add, warn: add, error: add };
  };
  const said: { object: ObjectKey; text: string }[] = [];
  const events = {
    record: ({ metadata }: IrsaBinding, event: BindingEvent) => void said.push({ object: keyOf(metadata), text: JSON.stringify(event) }),
  };
  const statuses = new Map<ObjectKey, BindingStatus[]>();
  const writes: BindingWrites = {
    addFinalizer: async ({ metadata }) => metadata.resourceVersion,
    removeFinalizer: async () => {},
    async annotate(account, annotations) {
      const annotated = { ...serviceAccount(annotations), namespace: account.namespace, name: account.name };
      stores.serviceAccounts.put(annotated);
      return annotated;
    },
    evict: async () => ({ kind: 'gone' }),
    deletePod: async () => ({ kind: 'gone' }),
    rollOut: async () => ({ kind: 'gone' }),
    async report(one, status) {
      const key = keyOf(one.metadata);
      statuses.set(key, [...(statuses.get(key) ?? []), status]);
      const resourceVersion = String(Number(one.metadata.resourceVersion) + 1);
      stores.bindings.put({ ...one, metadata: { ...one.metadata, resourceVersion }, status });
      return resourceVersion;
    },
  };
  const iam = new Map(Object.entries(tenants.roles));
  for (const [role, seen] of Object.entries(tenants.listed ?? {})) listed(stores.roles, role as RoleArn, seen, NOW - 1);
  const read = async (role: RoleArn) => {
    const found = iam.get(role);
    if (found === undefined) throw new Fault('notFound', `iam:GetRole of role "${role}": NoSuchEntity`);
    if (found instanceof Fault) throw found;
    return found;
  };
  const roles: Roles = {
    read,
    async edit(role, decide) {
      const fresh = await read(role);
      const written = await decide(fresh);
      if (written !== undefined && refused !== undefined) throw refused;
      if (written !== undefined) iam.set(role, { ...fresh, policy: written });
      return { fresh, written };
    },
    async *list() {},
    policyQuota: async () => 2048,
  };
  const clientIds = 'clientIds' in tenants ? tenants.clientIds : [STS_AUDIENCE];
  const providers = { clientIds: async () => clientIds, list: async () => tenants.providers ?? [], create: async () => {} };
  const apiReader = {
    grants: async () => grants,
    namespace: async (name: string) => stores.namespaces.get(name),
    definition: async () => 'definition',
  };
  const counts = { wrote: () => {}, drifted: () => {}, repaired: () => {}, restarted: () => {} };
  const common = { stores, owned: stores, events, metrics: counts, clock, random: () => 0.5 };
  const ofProvider = oidcProviderController({ ...common, providersIn: () => providers, sweepIntervalMs: 60_000, createWith: undefined });
  const ofRole = roleController({
    readBacks: { leaves: () => false },
    isUnderway: () => false,
    ...common,
    ownEvents: { record: () => {} },
    roles,
    apiReader,
  });
  const ofBinding = bindingController({ ...common, sweepIntervalMs: 60_000, writes });
  const ofAccount = auditController({ ...common, events: { record: () => {} } });
  const { signal } = new AbortController();
  const attempt = (key: string) => ({ id: '', urgency: 'change', failures: 0, log: logOf({ key }) }) as const;
  const everyBinding = async () => {
    for (const { metadata } of bindings) await ofBinding.reconcile(keyOf(metadata), signal, attempt(keyOf(metadata)));
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    await ofProvider.reconcile(ACCOUNT as AccountId, signal, attempt(ACCOUNT));
    await everyBinding();
    for (const role of [ARN, ...iam.keys()] as RoleArn[]) await ofRole.reconcile(role, signal, attempt(role)).catch(retried);
    for (const account of serviceAccounts) await ofAccount.reconcile(keyOf(account), signal, attempt(keyOf(account)));
    await clock.advance(ROUND_MS);
  }
  await everyBinding();
  const metrics = makeMetrics('0.0.0', 'full');
  metrics.observe(collector(stores));
  const series = (await Promise.all(metrics.page())).join('').split('\n');
  return (object) => {
    const [namespace, name] = object.split('/');
    return {
      status: JSON.stringify(statuses.get(object) ?? []),
      event: texts(said, object),
      metric: series.filter((line) => line.includes(`namespace="${namespace}"`) && line.includes(`="${name}"`)).join('\n'),
      log: texts(lines, object),
    };
  };
}

/** The queue does, in a later round. */
function retried(error: unknown): void {
  if (!isFault(error)) throw error;
}

/** Enough for a write to be debounced, sent, read back and reported. */
const ROUNDS = 8;
const ROUND_MS = 2_500;

const texts = (all: readonly { object: unknown; text: string }[], object: ObjectKey) =>
  all.flatMap((one) => (one.object === object ? [one.text] : [])).join('\n');

/** The provider of a cluster, in the account of the role. */
export const providerOf = (issuer: Issuer): string => providerArnFor(ARN, issuer);
