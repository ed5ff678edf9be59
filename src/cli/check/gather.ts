import { providerArnFor, type RoleArn, sharesAccount } from '../../api/arn.ts';
import { keyOf, type ObjectKey, type ObjectName, type Pod, type ServiceAccount } from '../../api/cluster.ts';
import { isFault, NOT_IN_FILES } from '../../api/fault.ts';
import { type Issuer, parseIssuer } from '../../api/issuer.ts';
import { isProblem } from '../../api/problem.ts';
import { DEFAULT_POLICY_QUOTA } from '../../api/quota.ts';
import { roleAnnotation } from '../../domain/audit/audit.ts';
import { boundRole } from '../../domain/check/bound.ts';
import { type CheckSeen, type Looked, read, unread } from '../../domain/check/seen.ts';
import { trustsSubject } from '../../domain/check/trusting.ts';
import { labelsSelectedBy } from '../../domain/check/webhook.ts';
import { parseRoleAnnotation } from '../../domain/service-account/annotations.ts';
import type { CallerView } from '../../domain/state/identity.ts';
import type { ProviderView } from '../../domain/state/oidc-provider.ts';
import { NO_WRITES, type RoleRecord } from '../../domain/state/role-record.ts';
import { similarTo } from '../../domain/state/similar.ts';
import type { ListedRole } from '../../ports/roles.ts';
import { howToLogIn } from './credentials.ts';
import { derivedIssuer } from './derived-issuer.ts';
import type { CheckPorts, Where } from './ports.ts';

/** More roles than these are read by list: one page has a thousand of them. */
const MOST_BY_NAME = 20;
/** So many proposals are worth reading. */
const MOST_TRUSTING = 3;

interface Known {
  readonly caller: Looked<Extract<CallerView, { kind: 'known' }>>;
  readonly issuer: Looked<Issuer>;
  readonly notPublic: string | undefined;
  /** It was not read anywhere: the ID in the address of the API server is that of the issuer. */
  readonly derived: boolean;
}

/** Reads what checks rest on, each thing once, whatever the number of ServiceAccounts. A failure of one read stops no other. */
export class Gatherer {
  readonly #ports: CheckPorts;
  readonly #where: Where;
  readonly #signal: AbortSignal;
  readonly #said: { readonly issuer: Issuer | undefined; readonly roleArn: RoleArn | undefined };
  readonly #once = new Map<string, Promise<unknown>>();
  /** From lists, by ARN. */
  readonly #listed = new Map<string, RoleRecord>();
  /** ServiceAccounts that were listed, by key. */
  readonly #accounts = new Map<ObjectKey, ServiceAccount>();
  /** Namespaces in which several are meant: one list of pods serves them all. */
  readonly #shared = new Set<string>();

  constructor(
    ports: CheckPorts,
    where: Where,
    said: { readonly issuer: Issuer | undefined; readonly roleArn: RoleArn | undefined },
    signal: AbortSignal,
  ) {
    this.#ports = ports;
    this.#where = where;
    this.#said = said;
    this.#signal = signal;
  }

  /** Whom AWS takes us for, and the issuer: the same for all. */
  known(): Promise<Known> {
    return this.#only('known', async () => {
      const [caller, issuer] = await Promise.all([this.#caller(), this.#issuer()]);
      return { caller, ...issuer };
    });
  }

  /** These were listed, and all of them will be looked at: none is read again, and many roles are read by a list of all. */
  async expect(accounts: readonly ServiceAccount[]): Promise<void> {
    for (const [namespace, { length }] of Map.groupBy(accounts, ({ namespace }) => namespace)) if (length > 1) this.#shared.add(namespace);
    for (const one of accounts) this.#accounts.set(keyOf(one), one);
    const wanted = new Set<string>(accounts.flatMap((one) => this.#roleOf(one) ?? []));
    if (wanted.size <= MOST_BY_NAME) return;
    const asOf = this.#ports.clock.now();
    // Where they may not be listed each is read by its name.
    const all = await this.#roles();
    if (all.kind === 'unread') return;
    for (const one of all.value) if (wanted.has(one.arn)) this.#listed.set(one.arn, recordOf(one.arn, one.parse(), asOf, undefined));
  }

  #roleOf(account: ServiceAccount | undefined): RoleArn | undefined {
    if (this.#said.roleArn !== undefined) return this.#said.roleArn;
    const value = account === undefined ? undefined : roleAnnotation(account, this.#ports.webhook);
    const annotated = value === undefined ? undefined : parseRoleAnnotation(value);
    return isProblem(annotated) ? undefined : annotated;
  }

  #roles(): Promise<Looked<readonly ListedRole[]>> {
    return this.#only('roles', () =>
      look(async () => {
        const all: ListedRole[] = [];
        for await (const page of this.#ports.aws.roles.list(this.#signal, 'change')) all.push(...page);
        return all;
      }),
    );
  }

  async see(of: ObjectName): Promise<CheckSeen> {
    const { cluster, clock, webhook } = this.#ports;
    const signal = this.#signal;
    const { namespace } = of;
    const listed = this.#accounts.get(keyOf(of));
    const [serviceAccount, labels, webhooks, known] = await Promise.all([
      listed === undefined ? look(() => cluster.serviceAccount(of, signal)) : read(listed),
      this.#only(`namespace ${namespace}`, () => look(() => cluster.namespace(namespace, signal))),
      this.#only('webhooks', () => look(() => cluster.webhooks(signal))),
      this.known(),
    ]);
    const account = serviceAccount.kind === 'read' ? serviceAccount.value : undefined;
    const bound = this.#ports.files?.bound(of);
    const byBinding = boundRole(bound);
    const roleArn = (isProblem(byBinding) ? undefined : byBinding) ?? this.#roleOf(account);
    const [pods, workloads, apiAudiences, aws, trusting] = await Promise.all([
      this.#pods(of, webhooks.kind === 'read' ? labelsSelectedBy(webhooks.value) : []),
      this.#only(`workloads ${namespace}`, () => look(() => cluster.workloads(namespace, signal))),
      this.#only('audiences', () => look(() => cluster.apiAudiences(signal))),
      this.#aws(roleArn, known),
      roleArn === undefined && account !== undefined ? this.#trusting(of, known) : [],
    ]);
    const others = workloads.kind === 'read' ? workloads.value.map(({ serviceAccountName }) => serviceAccountName) : [];
    const idle = pods.kind === 'read' && pods.value.length === 0 && !others.includes(of.name);
    const [batchWorkloads, existing] = idle
      ? await Promise.all([
          this.#only(`batch ${namespace}`, () => look(() => cluster.batchWorkloads(namespace, signal))),
          // Others may be in files that were not read.
          this.#ports.files === undefined ? this.#existing(namespace, others) : undefined,
        ])
      : [read([]), undefined];
    return {
      now: clock.now(),
      of,
      roleArn: this.#said.roleArn,
      serviceAccount,
      namespace: labels,
      webhooks,
      webhook,
      cluster: known.issuer.kind === 'read' ? read({ kind: 'known', issuer: known.issuer.value }) : known.issuer,
      issuerIsDerived: known.derived,
      notPublic: known.notPublic,
      apiAudiences: apiAudiences.kind === 'read' ? apiAudiences.value : [],
      caller: known.caller,
      ...aws,
      pods,
      podsAreToCome: this.#ports.files !== undefined,
      bound,
      workloads,
      batchWorkloads,
      // Where they may not be listed none is said to be missing.
      serviceAccountExists: (name) => existing?.has(name) ?? true,
      trusting,
    };
  }

  async #pods(of: ObjectName, labels: readonly string[]): Promise<Looked<readonly Pod[]>> {
    const { cluster } = this.#ports;
    const { namespace, name } = of;
    if (!this.#shared.has(namespace)) return look(() => cluster.pods(of, labels, this.#signal));
    const all = await this.#only(`pods ${namespace}`, () =>
      look(async () => Map.groupBy(await cluster.pods({ namespace }, labels, this.#signal), (pod) => pod.serviceAccountName)),
    );
    return all.kind === 'unread' ? all : read(all.value.get(name) ?? []);
  }

  async #aws(roleArn: RoleArn | undefined, known: Known): Promise<Pick<CheckSeen, 'provider' | 'role' | 'quota'>> {
    const nothing = unread('no role is named');
    const { caller, issuer } = known;
    if (roleArn === undefined || caller.kind === 'unread' || !sharesAccount(roleArn, caller.value.arn)) {
      const why = caller.kind === 'unread' ? caller : nothing;
      return { provider: why, role: why, quota: DEFAULT_POLICY_QUOTA };
    }
    const [provider, role, quota] = await Promise.all([
      issuer.kind === 'unread' ? issuer : this.#only('provider', () => this.#provider(roleArn, issuer.value)),
      this.#only(`role ${roleArn}`, () => this.#role(roleArn)),
      this.#only('quota', () => look(() => this.#ports.aws.roles.policyQuota(this.#signal, 'change'))),
    ]);
    return { provider, role, quota: quota.kind === 'read' ? quota.value : DEFAULT_POLICY_QUOTA };
  }

  async #provider(role: RoleArn, issuer: Issuer): Promise<Looked<ProviderView>> {
    const { providers } = this.#ports.aws;
    const arn = providerArnFor(role, issuer);
    return look(async () => {
      const clientIds = await providers.clientIds(arn, this.#signal, 'change');
      if (clientIds !== undefined) return { kind: 'registered', arn, clientIds };
      const all = await look(() => providers.list(this.#signal, 'change'));
      return { kind: 'missing', similar: all.kind === 'read' ? similarTo(issuer, all.value) : [] };
    });
  }

  async #role(arn: RoleArn): Promise<Looked<RoleRecord>> {
    const listed = this.#listed.get(arn);
    if (listed !== undefined) return read(listed);
    const { aws, clock } = this.#ports;
    const asOf = clock.now();
    const missing = (foundAs?: { arn: string; tags: ReadonlyMap<string, string> }): RoleRecord => ({
      arn,
      asOf,
      state: { kind: 'missing', since: asOf, foundAs },
    });
    return look(async () => {
      try {
        const role = await aws.roles.read(arn, this.#signal, 'change');
        return role.arn === arn ? recordOf(arn, role, asOf, role.tags) : missing({ arn: role.arn, tags: role.tags });
      } catch (error) {
        if (isFault(error, 'notFound')) return missing();
        throw error;
      }
    });
  }

  /** Roles that would let this ServiceAccount in, where nobody says which it needs. */
  async #trusting(of: ObjectName, { issuer, caller }: Known): Promise<RoleArn[]> {
    if (issuer.kind === 'unread' || caller.kind === 'unread') return [];
    const all = await this.#roles();
    const found = (all.kind === 'read' ? all.value : []).filter((one) => trustsSubject(one.arn, one.parse().policy, issuer.value, of));
    return found.slice(0, MOST_TRUSTING).map(({ arn }) => arn);
  }

  async #existing(namespace: string, names: readonly string[]): Promise<ReadonlySet<string> | undefined> {
    if (names.length === 0) return undefined;
    const all = await this.#only(`accounts ${namespace}`, () =>
      look(() => this.#ports.cluster.serviceAccounts({ namespace }, this.#signal)),
    );
    return all.kind === 'read' ? new Set(all.value.map(({ name }) => name)) : undefined;
  }

  async #caller(): Promise<Known['caller']> {
    const caller = await look(() => this.#ports.aws.caller(this.#signal));
    if (caller.kind === 'read' && caller.value.kind === 'known') return read(caller.value);
    const why = caller.kind === 'unread' ? caller.why : caller.value.kind === 'unknown' ? caller.value.why : '';
    return unread(howToLogIn(why, this.#where.profile) ?? why, caller.kind === 'unread' && caller.outside);
  }

  /** What the API server says; where it may not be asked, EKS; else the address of the API server. */
  async #issuer(): Promise<Omit<Known, 'caller'>> {
    const { cluster, aws } = this.#ports;
    const from = (text: string, derived = false): Omit<Known, 'caller'> => {
      const issuer = parseIssuer(text);
      if (isProblem(issuer)) return { issuer: unread(issuer.problem), notPublic: issuer.problem, derived };
      return { issuer: read(issuer), notPublic: undefined, derived };
    };
    if (this.#said.issuer !== undefined) return from(this.#said.issuer);
    const discovered = await look(() => cluster.issuer(this.#signal));
    if (discovered.kind === 'read') return from(discovered.value);
    const eks = aws.eksIssuer === undefined ? undefined : await look(aws.eksIssuer.bind(aws, this.#signal));
    if (eks?.kind === 'read' && eks.value !== undefined) return from(eks.value);
    const derived = derivedIssuer(this.#where.server);
    if (derived !== undefined) return from(derived, true);
    return { issuer: unread(`${discovered.why}. Name the issuer with --issuer`), notPublic: undefined, derived: false };
  }

  #only<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#once.get(key) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const asked = ask();
    this.#once.set(key, asked);
    return asked;
  }
}

/** What is refused, throttled or not reached is told; what nobody foresaw is thrown. */
async function look<T>(ask: () => Promise<T>): Promise<Looked<T>> {
  try {
    return read(await ask());
  } catch (error) {
    if (!isFault(error)) throw error;
    return unread(error.message, error.code === NOT_IN_FILES);
  }
}

function recordOf(
  arn: RoleArn,
  { roleId, policy }: { readonly roleId: string; readonly policy: string },
  asOf: number,
  tags: ReadonlyMap<string, string> | undefined,
): RoleRecord {
  const known = tags === undefined ? undefined : { values: tags, asOf, since: asOf };
  return { arn, asOf, state: { kind: 'present', roleId, policy, writes: NO_WRITES, hold: undefined, tags: known } };
}
