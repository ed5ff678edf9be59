import { type AccountId, type RoleArn, sharesAccount } from '../../api/arn.ts';
import { isFault } from '../../api/fault.ts';
import type { Stepwise } from '../../api/stepwise.ts';
import { reachedIn } from '../../domain/state/account.ts';
import type { ListedRole, Roles } from '../../ports/roles.ts';
import { jitter } from '../../runtime/backoff.ts';
import type { Clock, Random } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { RoundRobin } from '../../runtime/round-robin.ts';
import { inSlices } from '../../runtime/slices.ts';
import { inEachAccount } from '../in-each-account.ts';
import { authorizationOf } from '../observe.ts';
import { type OwnedStores, rolesOf, type Stores } from '../stores.ts';
import { namespacesOf } from '../tenants.ts';
import { namesOwn } from './own-trust.ts';
import { listed, readRole } from './records.ts';
import { rolesWithTagsDue } from './tags-due.ts';

export interface SweepOptions {
  readonly stores: Stores;
  readonly owned: Pick<OwnedStores, 'roles' | 'sweptAccounts'>;
  readonly rolesIn: (account: AccountId) => Pick<Roles, 'list' | 'read'>;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A whole sweep went through. */
  readonly swept: (account: AccountId) => void;
  /** The account does not answer any more, or is gone. */
  readonly unswept: (account: AccountId) => void;
}

/** Replicas and clusters of one account should not sweep together. */
const JITTER = 0.1;
/** Roles read by name at once: the limiter sets the pace, and one that has no answer for its three deadlines of 10 s must not hold up the rest. */
const READERS = 4;
/** So many roles are read by name in a sweep, each kind in turns over namespaces: with the default flags half of what may be read in that time. */
const BOUND_READS = 200;
/** Of those that only unbound ServiceAccounts name: a tenant who annotates must not hold up the drift of bound ones. */
const AUDIT_READS = 100;
/** Of those that IAM did not have, or did not show, when they were read last: a tenant may name any number of them, and a list tells when one is made. */
const ABSENT_READS = 30;
/** Who waits for a turn goes first. */
const URGENCY = 'resync';

/** Reads every role of each account again and again: drift in IAM cannot be watched, and one list is a thousand trust policies. Ends with the signal. */
export async function sweepRoles(options: SweepOptions, signal: AbortSignal): Promise<void> {
  const { stores, owned } = options;
  await Promise.all([stores.bindings, stores.grants, stores.namespaces, stores.accounts].map((store) => store.synced(signal)));
  // Without an account no role is known to be in reach.
  if (stores.accounts.size === 0) owned.roles.markSynced();
  await inEachAccount(stores.accounts, (account, ended) => sweepAccount(account, options, ended), signal);
}

async function sweepAccount(account: AccountId, options: SweepOptions, signal: AbortSignal): Promise<void> {
  const { owned, clock, random, intervalMs, log } = options;
  const ended = () => {
    owned.sweptAccounts.delete(account);
    options.unswept(account);
  };
  signal.addEventListener('abort', ended, { once: true });
  while (!signal.aborted) {
    try {
      await sweep(account, options, signal);
      options.swept(account);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ account, err: error }, 'sweep incomplete, retrying at the next one');
    }
    // Also after a failure: then each role is read by itself, when a binding asks for it.
    markListed(account, owned);
    await clock.sleep(jitter(intervalMs, JITTER, random), signal).catch(() => {});
  }
}

function markListed(account: AccountId, { roles, sweptAccounts }: SweepOptions['owned']): void {
  if (!sweptAccounts.has(account)) sweptAccounts.put({ account });
  roles.markSynced();
}

async function sweep(account: AccountId, options: SweepOptions, signal: AbortSignal): Promise<void> {
  const { stores, owned, rolesIn, clock, log, intervalMs } = options;
  const roles = rolesIn(account);
  const access = reachedIn(stores.accounts.get(account));
  if (access === undefined) return;
  // Roles of other accounts are not in the list, and their names mean other roles here.
  const reachable = (arn: RoleArn) => sharesAccount(arn, access.callerArn);
  const bound = new Set((await inSlices(rolesToAskFor(stores), clock)).filter(reachable));
  const auditedHere = () => auditedIn(stores, account).filter(reachable);
  // Also roles that no binding names any more, while a subject of ours stands in them or may.
  const left = [...stores.roles.list().map(({ arn }) => arn), ...stores.losses.list().map(({ role }) => role)].filter(reachable);
  const wanted = new Map<string, RoleArn>([...bound, ...left].map((arn) => [arn, arn]));
  const shown = new Set<RoleArn>();
  function* take(page: readonly ListedRole[], asOf: number): Stepwise<void> {
    for (const role of page) {
      yield;
      // Audits come about beside the sweep, and do not wait for the next one.
      const known = wanted.get(role.arn) ?? stores.audits.byIndex('role', role.arn)[0]?.role;
      if (known === undefined && !role.mayBeOurs) continue;
      try {
        const found = role.parse();
        const arn = known ?? (namesOwn(stores, role.arn, found.policy) ? role.arn : undefined);
        if (arn === undefined) continue;
        listed(owned.roles, arn, found, asOf);
        shown.add(arn);
      } catch (error) {
        if (!isFault(error)) throw error; // half an entry: asked for by name, and the others are none the worse
      }
    }
  }
  try {
    let asOf = clock.now();
    for await (const page of roles.list(signal, URGENCY)) {
      await inSlices(take(page, asOf), clock);
      asOf = clock.now();
    }
  } catch (error) {
    if (!isFault(error, 'denied')) throw error;
    log.info({ account, err: error }, 'iam:ListRoles denied, reading bound roles by name');
  }
  // What is read by name from here on may be much, and a role that is asked for is read by itself.
  markListed(account, owned);
  const due = (await inSlices(rolesWithTagsDue(stores, clock.now(), intervalMs), clock)).filter(reachable);
  // What a list does not show is not gone for that: it is asked for by name.
  const failed: unknown[] = [];
  const isAudited = new Set(auditedHere());
  const isBound = (arn: RoleArn) => bound.has(arn) || !isAudited.has(arn);
  const unlisted = [...new Set([...wanted.values(), ...isAudited])].filter((arn) => !shown.has(arn));
  const kinds = Map.groupBy(unlisted, (arn) => (isAbsent(stores, arn) ? 'absent' : isBound(arn) ? 'bound' : 'audited'));
  const some = (kind: 'bound' | 'audited' | 'absent', most: number) => inSlices(inTurns(stores, kinds.get(kind) ?? [], most), clock);
  const byKind = [await some('bound', BOUND_READS), due, await some('audited', AUDIT_READS), await some('absent', ABSENT_READS)];
  const byName = [...new Set(byKind.flat())];
  const asked = byName.values();
  const until = clock.monotonic() + intervalMs;
  const reader = async () => {
    for (const arn of asked) {
      // What is left has its turn in the next sweep, which is due.
      if (clock.monotonic() >= until) return;
      try {
        await readRole(owned.roles, roles, arn, clock, signal, URGENCY, log);
      } catch (error) {
        signal.throwIfAborted();
        failed.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  if (failed.length > 0) throw new AggregateError(failed, `${failed.length} of ${byName.length} roles could not be read`);
}

/** Roles that unbound ServiceAccounts name, and a grant lets them have. */
function auditedIn({ audits }: Stores, account: string): RoleArn[] {
  return [...new Set(audits.byIndex('account', account).flatMap(({ role }) => role ?? []))];
}

function isAbsent({ roles }: Stores, arn: RoleArn): boolean {
  const kind = roles.get(arn)?.state.kind;
  return kind === 'missing' || kind === 'unreadable';
}

/** So many of them, in turns over namespaces, and of each namespace those first that were not read for the longest time. */
function* inTurns(stores: Stores, arns: readonly RoleArn[], most: number): Stepwise<RoleArn[]> {
  const readAt = (arn: RoleArn) => stores.roles.get(arn)?.asOf ?? 0;
  const waiting = new RoundRobin<RoleArn>();
  for (const arn of arns.toSorted((a, b) => readAt(a) - readAt(b))) {
    waiting.push(arn, namespacesOf(stores, arn));
    yield;
  }
  return Array.from({ length: Math.min(most, arns.length) }, () => waiting.shift(() => true)).filter((arn) => arn !== undefined);
}

/** Where no grant covers a binding, only roles on which trust of ours may stand from when one did: nobody learns of a role by naming it. */
function* rolesToAskFor(stores: Stores): Stepwise<RoleArn[]> {
  const roles = new Set<RoleArn>();
  for (const binding of stores.bindings.list()) {
    const isGranted = authorizationOf(stores, binding).kind === 'granted';
    for (const arn of isGranted ? rolesOf(binding) : (binding.status.roles ?? []).map((entry) => entry.arn)) roles.add(arn);
    yield;
  }
  return [...roles];
}
