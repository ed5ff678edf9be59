import { jitterLater } from './backoff.ts';
import type { Clock, Random } from './clock.ts';
import type { Log } from './log.ts';
import type { ElectorMetrics, RuntimeMetrics } from './metrics.ts';
import { withDeadline } from './signals.ts';

/** What stands in the lease. Times are wall clocks of whoever wrote them: shown to people, never compared. */
export interface LeaseRecord {
  /** Empty: nobody holds it. */
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTimeMs: number;
  readonly renewTimeMs: number;
  /** How often the holder changed. */
  readonly leaseTransitions: number;
}

/** A record with the version under which it was read; any change of it gives another version. */
export interface ReadLease {
  readonly record: LeaseRecord;
  readonly version: string;
}

/** Where the lease is kept. Each call is bounded in time by the adapter; all throw when they did not succeed, a lost race included. */
export interface LeaseLock {
  get(signal: AbortSignal): Promise<ReadLease | undefined>;
  create(record: LeaseRecord, signal: AbortSignal): Promise<ReadLease>;
  /** Compare and swap: fails unless the lease still has that version. */
  update(record: LeaseRecord, version: string, signal: AbortSignal): Promise<ReadLease>;
}

export interface ElectionTimes {
  readonly leaseMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

/** A lease with client-go's proportions, which are those of every Kubernetes component: 15 s, 10 s, 2 s. Whole milliseconds: Node takes no others. */
export function electionTimes(leaseMs: number): ElectionTimes {
  return { leaseMs, renewDeadlineMs: Math.floor((leaseMs * 10) / 15), retryMs: Math.floor((leaseMs * 2) / 15) };
}

/** client-go's default. */
export const ELECTION_TIMES = electionTimes(15_000);

/** client-go's JitterFactor: who waits for the lease tries every 2.0 to 4.4 s. */
const JITTER_FACTOR = 1.2;
/** The lease that is given back says it is over at once; 0 is refused by the API server. */
const RELEASED_LEASE_SECONDS = 1;

export interface ElectorOptions {
  /** Name of the lease, for metrics and logs. */
  readonly name: string;
  /** Unique to this process: host name and a random part. */
  readonly identity: string;
  readonly lock: LeaseLock;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: RuntimeMetrics;
  readonly times?: ElectionTimes;
}

/**
 * client-go's leader election. Whether another's lease is over is judged by how long *we* saw it unchanged on our own monotonic clock, never
 * by comparing clocks. Two processes can think that they lead only while one of them is frozen: `mayWrite` is for that.
 */
export class Elector {
  readonly #o: ElectorOptions;
  readonly #times: ElectionTimes;
  readonly #metrics: ElectorMetrics;
  #observed: (ReadLease & { readonly at: number }) | undefined;
  /** Since when nobody else can take the lease for `leaseMs`, on both our clocks: from before the request that renewed it. */
  #held = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };
  #leading = false;

  constructor(options: ElectorOptions) {
    this.#o = options;
    this.#times = options.times ?? ELECTION_TIMES;
    const { leaseMs, renewDeadlineMs, retryMs } = this.#times;
    if (!(leaseMs > renewDeadlineMs && renewDeadlineMs > retryMs * JITTER_FACTOR)) {
      throw new RangeError(
        `leader election: lease ${leaseMs} ms > renew deadline ${renewDeadlineMs} ms > ${JITTER_FACTOR} x retry ${retryMs} ms is required`,
      );
    }
    this.#metrics = options.metrics.elector(options.name);
    this.#metrics.leading(false);
  }

  get leading(): boolean {
    return this.#leading;
  }

  /**
   * Milliseconds until somebody else may take the lease; 0 when we do not lead. The wall clock is asked too, because the monotonic one stands
   * still while a machine is suspended; a wall clock that is set only ever makes us wait for the next renewal.
   */
  remaining(): number {
    if (!this.#leading) return 0;
    const { clock } = this.#o;
    const age = Math.max(clock.monotonic() - this.#held.monotonic, clock.wall() - this.#held.wall);
    return Math.max(0, this.#times.leaseMs - age);
  }

  /** The fence, asked right before each external write: the call will be over before somebody else can lead. */
  mayWrite(deadlineMs: number): boolean {
    return this.remaining() > deadlineMs;
  }

  /**
   * Waits for the lease, runs `work` and renews meanwhile, also while `work` winds down after `stop`; then gives the lease back.
   * The signal handed to `work` is aborted when the lease is lost; `work` must end then.
   */
  async lead(stop: AbortSignal, work: (lost: AbortSignal) => Promise<void>): Promise<'stopped' | 'lost'> {
    if (!(await this.#acquire(stop))) return 'stopped';
    const lost = new AbortController();
    const over = new AbortController();
    const renewing = this.#renew(over.signal).then((kept) => {
      if (!kept) lost.abort(new Error(`the lease "${this.#o.name}" could not be renewed for ${this.#times.renewDeadlineMs / 1_000} s`));
    });
    try {
      await work(lost.signal);
    } finally {
      over.abort();
      await renewing;
      if (!lost.signal.aborted) await this.#release();
      this.#setLeading(false);
    }
    return lost.signal.aborted ? 'lost' : 'stopped';
  }

  async #acquire(stop: AbortSignal): Promise<boolean> {
    const { clock, random } = this.#o;
    while (!stop.aborted) {
      if ((await this.#try(stop)) === 'ours') {
        this.#setLeading(true);
        return true;
      }
      await clock.sleep(jitterLater(this.#times.retryMs, JITTER_FACTOR, random), stop).catch(() => {});
    }
    return false;
  }

  /** False when the lease was lost, true when `over` was aborted first. */
  async #renew(over: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#o;
    let deadline = clock.monotonic() + this.#times.renewDeadlineMs;
    while (!over.aborted) {
      await clock.sleep(this.#times.retryMs, over).catch(() => {});
      if (over.aborted) return true;
      const asked = clock.monotonic();
      // A call that hangs must not hide that the time is up; after a freeze there is no time left to ask at all.
      const found =
        asked < deadline ? await withDeadline(deadline - asked, clock, (late) => this.#try(AbortSignal.any([over, late]))) : 'unknown';
      if (found === 'ours') deadline = asked + this.#times.renewDeadlineMs;
      if (over.aborted) return true;
      if (found === 'others' || clock.monotonic() >= deadline) {
        log.error({ lease: this.#o.name, holder: this.#observed?.record.holderIdentity }, 'the lease was lost');
        this.#setLeading(false);
        return false;
      }
    }
    return true;
  }

  async #try(signal: AbortSignal): Promise<'ours' | 'others' | 'unknown'> {
    const { clock, log } = this.#o;
    const asked = { monotonic: clock.monotonic(), wall: clock.wall() };
    try {
      const ours = await this.#swap(signal);
      if (ours === undefined) return 'others';
      this.#see(ours);
      this.#held = asked;
      return 'ours';
    } catch (error) {
      if (!signal.aborted) log.debug({ lease: this.#o.name, err: error }, 'lease not acquired or renewed');
      return 'unknown';
    }
  }

  /** The lease with us as its holder, or undefined while it is another's. */
  async #swap(signal: AbortSignal): Promise<ReadLease | undefined> {
    const { lock, log, name } = this.#o;
    // Who holds the lease needs no read first; when that write fails somebody else wrote, and the read tells who.
    if (this.#observed !== undefined && this.remaining() > 0) {
      try {
        return await lock.update(this.#record(this.#observed.record), this.#observed.version, signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#metrics.slowPath();
        log.debug({ lease: name, err: error }, 'lease renewal conflicted, reading the lease');
      }
    }
    const read = await lock.get(signal);
    if (read !== undefined) this.#see(read);
    // A lease that was deleted is still its holder's until it would have expired: that one makes it again, and nobody leads beside it.
    if (this.#isAnothers()) return undefined;
    return read === undefined ? lock.create(this.#record(undefined), signal) : lock.update(this.#record(read.record), read.version, signal);
  }

  #isAnothers(): boolean {
    const { clock, identity } = this.#o;
    if (this.#observed === undefined) return false;
    const { record, at } = this.#observed;
    if (record.holderIdentity === '' || record.holderIdentity === identity) return false;
    return clock.monotonic() < at + record.leaseDurationSeconds * 1_000;
  }

  #record(standing: LeaseRecord | undefined): LeaseRecord {
    const { clock, identity } = this.#o;
    const now = clock.now();
    const kept = standing?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#times.leaseMs / 1_000),
      acquireTimeMs: kept ? standing.acquireTimeMs : now,
      renewTimeMs: now,
      leaseTransitions: standing === undefined ? 0 : standing.leaseTransitions + (kept ? 0 : 1),
    };
  }

  /** Only a change of the version starts the clock anew: whoever merely stands there will expire. */
  #see(read: ReadLease): void {
    if (this.#observed?.version !== read.version) this.#observed = { ...read, at: this.#o.clock.monotonic() };
  }

  /** Reads first: a renewal that was just broken off may have got through, and its version would then be the right one. */
  async #release(): Promise<void> {
    const { clock, identity, lock, log, name } = this.#o;
    this.#setLeading(false);
    try {
      await withDeadline(this.#times.renewDeadlineMs, clock, async (late) => {
        const read = await lock.get(late);
        if (read?.record.holderIdentity !== identity) return;
        const now = clock.now();
        const times = { leaseDurationSeconds: RELEASED_LEASE_SECONDS, acquireTimeMs: now, renewTimeMs: now };
        await lock.update({ ...read.record, ...times, holderIdentity: '' }, read.version, late);
      });
      log.info({ lease: name }, 'released lease');
    } catch (error) {
      log.warn({ lease: name, err: error }, 'releasing lease failed, the next leader waits until it expires');
    }
  }

  #setLeading(is: boolean): void {
    if (this.#leading === is) return;
    this.#leading = is;
    if (is) this.#o.log.info({ lease: this.#o.name, identity: this.#o.identity }, 'became leader');
    this.#metrics.leading(is);
  }
}
