import { isDeepStrictEqual } from 'node:util';
import type { IrsaBinding } from '../api/binding.ts';
import { keyOf, type ObjectKey } from '../api/cluster.ts';
import { conditionOf } from '../api/condition.ts';
import { FINALIZER } from '../api/names.ts';
import { isProblem } from '../api/problem.ts';
import { contendersOf, isEnforcing, MOST_EVALUATED } from '../domain/authorization/authorize.ts';
import { Oldest } from '../domain/authorization/oldest.ts';
import type { Wake } from '../runtime/controller.ts';
import type { StoreReader } from '../runtime/store.ts';

interface Member {
  readonly uid: string;
  readonly key: ObjectKey;
  readonly createdAt: number;
}

/** The bindings of one ServiceAccount, where there are several. */
interface Competition {
  /** Those that may win, if they are among the oldest. */
  readonly contenders: Oldest<Member>;
  /** Those that cannot win, and those that remember trust. */
  readonly others: Set<ObjectKey>;
}

type Listener = (keys: readonly ObjectKey[]) => void;

/**
 * Who competes for each ServiceAccount, kept a change at a time: a team can create any number of bindings for one, and to go through them
 * all for each of them would be thousands for each of thousands.
 */
export class Competitions {
  readonly #bindings: StoreReader<IrsaBinding, 'serviceAccount'>;
  readonly #competitions = new Map<ObjectKey, Competition>();
  readonly #listeners = new Set<Listener>();

  constructor(bindings: StoreReader<IrsaBinding, 'serviceAccount'>) {
    this.#bindings = bindings;
    bindings.onChange((previous, next) => {
      const [was, is] = [previous, next].map(accountOf);
      for (const account of new Set([was, is])) {
        if (account === undefined) continue;
        const keys = this.#change(account, was === account ? previous : undefined, is === account ? next : undefined);
        if (keys.length > 0) for (const listener of this.#listeners) listener(keys);
      }
    });
  }

  /** The bindings of a ServiceAccount that may win: the oldest first, and no more than are evaluated. */
  contenders(account: ObjectKey): IrsaBinding[] {
    const competition = this.#competitions.get(account);
    if (competition === undefined) return contendersOf(this.#bindings.byIndex('serviceAccount', account));
    return competition.contenders.withPlace.flatMap(({ key }) => this.#bindings.get(key) ?? []);
  }

  /** False for a binding at which nobody looks: too many that are older have its ServiceAccount. */
  isEvaluated(binding: IrsaBinding): boolean {
    const [account, member] = [accountOf(binding), memberOf(binding)];
    if (account === undefined || member === undefined) return true;
    return this.#competitions.get(account)?.contenders.hasPlace(member) ?? true;
  }

  /** The bindings on which the ServiceAccount bears, its pods and its trust: all but those that nobody evaluates. */
  concerned(account: ObjectKey): ObjectKey[] {
    const competition = this.#competitions.get(account);
    if (competition === undefined) return this.#bindings.byIndex('serviceAccount', account).map(({ metadata }) => keyOf(metadata));
    return [...new Set([...keysOf(competition.contenders.withPlace), ...competition.others])];
  }

  /** A binding, and those that win or lose by what becomes of it. */
  around(key: ObjectKey): ObjectKey[] {
    const account = accountOf(this.#bindings.get(key));
    return [...new Set([key, ...(account === undefined ? [] : this.contenders(account).map(({ metadata }) => keyOf(metadata)))])];
  }

  /** Wakes what is to be looked at for the bindings whose outcome a change of another one may change. */
  wake<K extends string>(keysOf: (key: ObjectKey) => Iterable<K>): Wake<K> {
    return {
      all: () => [],
      subscribe: (wake) => {
        const listener: Listener = (keys) => {
          const urgency = this.#bindings.hasSynced ? 'change' : 'resync';
          for (const key of new Set(keys.flatMap((one) => [...keysOf(one)]))) wake(key, urgency);
        };
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      synced: (signal) => this.#bindings.synced(signal),
    };
  }

  /** Returns whose outcome may be another one now. */
  #change(account: ObjectKey, previous: IrsaBinding | undefined, next: IrsaBinding | undefined): ObjectKey[] {
    const competition = this.#competitions.get(account) ?? this.#begin(account, next);
    if (competition === undefined) return [];
    const { contenders, others } = competition;
    const woken = new Set<ObjectKey>();
    const placed = contenders.withPlace;
    const bore = bearsOnDeletions(previous, contenders);

    const [was, is] = [previous, next].map(memberOf);
    if (was?.uid !== is?.uid || was?.createdAt !== is?.createdAt) {
      if (was) contenders.remove(was);
      if (is) contenders.add(is);
    }
    if (previous) others.delete(keyOf(previous.metadata));
    if (next && (is === undefined || next.status.roles?.length)) others.add(keyOf(next.metadata));

    const asksForOther = is && previous && next && !isDeepStrictEqual(previous.spec, next.spec) && contenders.hasPlace(is);
    const now = contenders.withPlace;
    if (asksForOther || placed.length !== now.length || placed.some(({ uid }, at) => uid !== now[at]?.uid))
      for (const key of keysOf([...placed, ...now])) woken.add(key);
    if (!isDeepStrictEqual(bore, bearsOnDeletions(next, contenders))) for (const key of others) if (this.#isEnding(key)) woken.add(key);
    // One binding may be among both; and all of them are listed only where they are few.
    const isFew = contenders.all.length + others.size < 3;
    if (isFew && this.#bindings.byIndex('serviceAccount', account).length < 2) this.#competitions.delete(account);
    return [...woken];
  }

  /** Most bindings are alone with their ServiceAccount, and need no competition. */
  #begin(account: ObjectKey, next: IrsaBinding | undefined): Competition | undefined {
    const all = this.#bindings.byIndex('serviceAccount', account);
    if (all.length < 2) return undefined;
    const competition = { contenders: new Oldest<Member>(MOST_EVALUATED), others: new Set<ObjectKey>() };
    this.#competitions.set(account, competition);
    for (const one of all) if (one !== next) this.#change(account, undefined, one);
    return competition;
  }

  #isEnding(key: ObjectKey): boolean {
    const { deleting, finalizers } = this.#bindings.get(key)?.metadata ?? {};
    return deleting === true && finalizers?.includes(FINALIZER) === true;
  }
}

function accountOf(binding: IrsaBinding | undefined): ObjectKey | undefined {
  if (binding === undefined || isProblem(binding.spec)) return undefined;
  return keyOf({ namespace: binding.metadata.namespace, name: binding.spec.serviceAccountName });
}

function memberOf(binding: IrsaBinding | undefined): Member | undefined {
  if (binding === undefined || !isEnforcing(binding)) return undefined;
  const { uid, createdAt } = binding.metadata;
  return { uid, createdAt, key: keyOf(binding.metadata) };
}

const keysOf = (members: readonly Member[]): ObjectKey[] => members.map(({ key }) => key);

/** Of a binding what one of the same ServiceAccount waits for that is being deleted: whether it takes over, and whether it has the trust too. */
function bearsOnDeletions(binding: IrsaBinding | undefined, contenders: Oldest<Member>): unknown {
  if (binding === undefined || binding.metadata.deleting) return undefined;
  const { metadata, spec, status } = binding;
  const entries = metadata.finalizers.includes(FINALIZER) ? (status.roles ?? []) : [];
  const member = memberOf(binding);
  const mayTakeOver = member !== undefined && contenders.hasPlace(member);
  if (!mayTakeOver && entries.length === 0) return undefined;
  const said = (['Trusted', 'Stalled'] as const).map((type) => conditionOf(status.conditions, type));
  return [metadata.uid, entries, mayTakeOver && [spec, metadata.generation, said]];
}
