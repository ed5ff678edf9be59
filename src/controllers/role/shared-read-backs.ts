import type { AccountId } from '../../api/arn.ts';
import { isFault } from '../../api/fault.ts';
import type { Stepwise } from '../../api/stepwise.ts';
import { pendingIn } from '../../domain/state/role-record.ts';
import type { ListedRole, Roles } from '../../ports/roles.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { inSlices } from '../../runtime/slices.ts';
import type { OwnedStores } from '../stores.ts';
import { listed } from './records.ts';

export interface SharedReadBackOptions {
  readonly account: AccountId;
  readonly owned: Pick<OwnedStores, 'roles'>;
  readonly roles: Pick<Roles, 'list'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A write is read back twice within 8 s: by three lists or so. */
const EVERY_MS = 3_000;
/** Below so many roles for each call of a list, a read of each is cheaper. */
const WORTH = 2;
/** A list that was begun too early, one that failed, and one that lags behind: then the role is read by itself. */
const PATIENCE_MS = 3 * EVERY_MS;
/** In their turn they are reads of what has drifted, perhaps. */
const URGENCY = 'drift';

/** Reads back many writes by one list: where a thousand roles are written, a read of each by its name would take the reads that the writes need. */
export class SharedReadBacks {
  readonly #o: SharedReadBackOptions;
  /** What a list costs: as the last one did, and for an account of a thousand roles before the first one. */
  #calls = 5;
  #denied = false;

  constructor(options: SharedReadBackOptions) {
    this.#o = options;
  }

  /** Whether a read-back that is due since then, in epoch milliseconds, is left to the next list. */
  leaves(dueAt: number): boolean {
    return this.#isWorthIt() && this.#o.clock.now() - dueAt < PATIENCE_MS;
  }

  /** Ends with the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#o;
    while (!signal.aborted) {
      await clock.sleep(EVERY_MS, signal).catch(() => {});
      if (signal.aborted || !this.#isWorthIt()) continue;
      try {
        await this.#list(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!isFault(error)) throw error;
        this.#denied = error.kind === 'denied';
        log.debug({ account: this.#o.account, err: error }, 'no list for read-backs, reading roles by name');
      }
    }
  }

  #isWorthIt(): boolean {
    return !this.#denied && this.#o.owned.roles.countByIndex('pending', this.#o.account) > WORTH * this.#calls;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { owned, roles, clock } = this.#o;
    function* take(page: readonly ListedRole[], asOf: number): Stepwise<void> {
      for (const role of page) {
        if (pendingIn(owned.roles.get(role.arn)) === undefined) continue;
        listed(owned.roles, role.arn, role.parse(), asOf);
        yield;
      }
    }
    let calls = 0;
    let asOf = clock.now();
    for await (const page of roles.list(signal, URGENCY)) {
      calls += 1;
      await inSlices(take(page, asOf), clock);
      asOf = clock.now();
    }
    this.#calls = calls;
  }
}
