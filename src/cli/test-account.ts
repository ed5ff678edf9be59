import type { RoleArn } from '../api/arn.ts';
import type { IrsaBinding } from '../api/binding.ts';
import type { Namespace } from '../api/cluster.ts';
import { Fault } from '../api/fault.ts';
import type { IrsaGrant } from '../api/grant.ts';
import { binding, caller, grant, ISSUER, NOW, policy, ROLE_ID, SERVICE } from '../domain/test-observed.ts';
import type { FreshRole, Roles } from '../ports/roles.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import type { Given } from './command.ts';
import type { Cluster, CommandPorts } from './ports.ts';
import { noProgress } from './progress.ts';
import type { Report, Reporter } from './report.ts';

interface Held {
  readonly policy: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** What IAM calls it, where that is not what it is asked for. */
  readonly foundAs?: string;
}

/** IAM in memory. What it lists is what stood at the beginning: lists lag behind. */
export class Account implements Roles {
  readonly roles: Map<string, Held>;
  readonly #listed: ReadonlyMap<string, Held>;
  /** Characters of a trust policy. */
  quota = 2048;
  readonly writes: [role: string, policy: string][] = [];
  /** Calls by operation that end in a fault. */
  readonly faults = new Map<string, Fault>();
  /** Happens when a role is read for a write: somebody else's turn. */
  beforeDecision: (arn: string) => void = () => {};
  /** Happens when a write was taken. */
  afterWrite: (arn: string) => void = () => {};

  constructor(roles: Readonly<Record<string, Held | string>>) {
    const held = Object.entries(roles).map(([arn, role]): [string, Held] => [arn, typeof role === 'string' ? { policy: role } : role]);
    this.roles = new Map(held);
    this.#listed = new Map(held);
  }

  async read(arn: RoleArn): Promise<FreshRole> {
    this.#fails('read', arn);
    const held = this.roles.get(arn);
    if (held === undefined) throw new Fault('notFound', `NoSuchEntity: ${arn}`);
    return { arn: held.foundAs ?? arn, roleId: ROLE_ID, policy: held.policy, tags: new Map(Object.entries(held.tags ?? {})) };
  }

  async edit(arn: RoleArn, decide: (fresh: FreshRole) => Promise<string | undefined>) {
    this.beforeDecision(arn);
    const fresh = await this.read(arn);
    const written = await decide(fresh);
    if (written === undefined) return { fresh, written };
    this.#fails('write', arn);
    this.roles.set(arn, { ...this.roles.get(arn), policy: written });
    this.writes.push([arn, written]);
    this.afterWrite(arn);
    return { fresh, written };
  }

  async *list() {
    this.#fails('list', 'the account');
    for (const [arn, held] of this.#listed)
      yield [{ arn: arn as RoleArn, mayBeOurs: true, parse: () => ({ arn, roleId: ROLE_ID, policy: held.policy }) }];
    this.#fails('list-end', 'the account');
  }

  async policyQuota(): Promise<number> {
    this.#fails('quota', 'the account');
    return this.quota;
  }

  #fails(operation: string, arn: string): void {
    const fault = this.faults.get(`${operation} ${arn}`) ?? this.faults.get(operation);
    if (fault !== undefined) throw fault;
  }
}

/** An API server in memory; bindings are what stands at the moment of the question. */
export interface Seen {
  bindings: readonly IrsaBinding[];
  crdDeleting: boolean;
  grants: readonly IrsaGrant[];
  namespaces: readonly Namespace[];
  issuer: string | Fault;
}

export function stores(account: Account, part: Partial<Seen> = {}) {
  const namespaces = [{ name: 'shop', labels: {} }];
  const seen: Seen = { bindings: [binding()], crdDeleting: false, grants: [grant()], namespaces, issuer: ISSUER, ...part };
  const stop = new AbortController();
  const abort = new AbortController();
  const clock = new ManualClock(NOW);
  const cluster: Cluster = {
    async issuer() {
      if (typeof seen.issuer === 'string') return seen.issuer;
      throw seen.issuer;
    },
    bindings: async (_, namespace) => seen.bindings.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace),
    grants: async () => seen.grants,
    namespace: async (name) => ({ name, labels: {} }),
    namespaces: async () => seen.namespaces,
    definition: async () => (seen.crdDeleting ? undefined : 'definition'),
    apiAudiences: async () => ['https://kubernetes.default.svc'],
  };
  const ports: CommandPorts = {
    cluster: () => cluster,
    eksIssuer: undefined,
    caller: async () => caller,
    roles: account,
    providers: { clientIds: async () => ['sts.amazonaws.com'] },
    clock,
    random: () => 0.5,
    progress: noProgress,
  };
  return {
    seen,
    stop,
    abort,
    clock,
    ports,
    /** Runs it to its end, in no time. */
    async run<Row extends object>(reporter: Reporter<Row>, given: Given = {}, overrides: Partial<CommandPorts> = {}): Promise<Report<Row>> {
      const running = reporter(given, { ...ports, ...overrides }, { stop: stop.signal, abort: abort.signal });
      const ended = running.then(
        () => true,
        () => true,
      );
      while (!(await Promise.race([ended, clock.advance(1_000).then(() => false)])));
      return running;
    },
  };
}

export const foreign = policy(SERVICE);
