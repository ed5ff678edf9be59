/**
 * How often others reverted what the operator wrote to one object. Whether something counts as a revert is the caller's to say; it lives in
 * the memory of the process, so a restart forgives.
 */
export interface Contention {
  /** The times of the last `REPEATS` reverts, oldest first: epoch milliseconds. */
  readonly reverts: readonly number[];
  /** By whom, as far as a name is known, the latest last. */
  readonly by: readonly string[];
  /** `REPEATS` reverts came within `SOON_MS`, and there was no pause of `SOON_MS` since. */
  readonly active: boolean;
}

/** Once is a person's mistake, twice may be another's; the third is meant. */
const REPEATS = 3;
/** Three times in as long are two controllers that do not know of each other. */
const SOON_MS = 10 * 60_000;
/** A deployment that sets its own value comes a few times a day. */
const LATE_MS = 24 * 3_600_000;
/** A write each five minutes costs nobody anything, and finds out whether the other writer has stopped. */
const PAUSE_MS = 5 * 60_000;
/** A sentence names no more. */
const MAX_NAMES = 4;

export const NO_CONTENTION: Contention = { reverts: [], by: [], active: false };

export function recordRevert(contention: Contention, at: number, by: readonly string[]): Contention {
  const times = [...contention.reverts, at].slice(-REPEATS);
  const names = [...contention.by.filter((name) => !by.includes(name)), ...by].slice(-MAX_NAMES);
  return { reverts: times, by: names, active: isActive(contention, at) || repeatedWithin(times, SOON_MS) };
}

/** `contended`: two writers that both keep reverting. `repeated`: it happens again and again. */
export function contentionLevel(contention: Contention, now: number): 'none' | 'repeated' | 'contended' {
  if (isActive(contention, now)) return 'contended';
  const [first = 0] = contention.reverts;
  return contention.reverts.length === REPEATS && now - first <= LATE_MS && repeatedWithin(contention.reverts, LATE_MS)
    ? 'repeated'
    : 'none';
}

/** When the next write may go out, epoch milliseconds: at once, but while the contention is active so late that two writes are `PAUSE_MS` apart. */
export function nextWriteAt(contention: Contention, now: number): number {
  const last = contention.reverts.at(-1);
  return last === undefined || !isActive(contention, now) ? now : Math.max(now, last + PAUSE_MS);
}

/** Between two reverts of an active contention lies our pause: a longer time without one ends it. */
function isActive({ active, reverts: times }: Contention, now: number): boolean {
  return active && now - (times.at(-1) ?? 0) <= SOON_MS;
}

function repeatedWithin(times: readonly number[], ms: number): boolean {
  const [first = 0] = times;
  return times.length === REPEATS && (times.at(-1) ?? 0) - first <= ms;
}

/** What the tool behind a field manager must be told so that it leaves a value alone; by what the manager's name begins with. */
export type Advice = Readonly<Record<string, string>>;

export function adviceFor(by: readonly string[], advice: Advice): string[] {
  return Object.entries(advice).flatMap(([prefix, text]) => (by.some((name) => name.startsWith(prefix)) ? [text] : []));
}

/** By object, so many of them at most: beyond that the one that was quiet longest is forgotten. */
export class Contentions {
  readonly #byKey = new Map<string, Contention>();

  of(key: string): Contention {
    return this.#byKey.get(key) ?? NO_CONTENTION;
  }

  set(key: string, contention: Contention): void {
    if (contention === this.of(key)) return;
    this.#byKey.delete(key);
    this.#byKey.set(key, contention);
    const [oldest] = this.#byKey.keys();
    if (this.#byKey.size > MAX_CONTENTIONS && oldest !== undefined) this.#byKey.delete(oldest);
  }
}

/** Some hundred bytes each. More objects than these are not contended but broken by something that hits them all. */
const MAX_CONTENTIONS = 4_096;
