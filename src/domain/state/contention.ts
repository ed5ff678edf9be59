/**
 * How often somebody undid what we wrote to one object. Whether something counts as an undo is the caller's to say; it lives in the memory
 * of the process, so a restart forgives.
 */
export interface Fight {
  /** The last `REPEATS` undoes, oldest first: epoch milliseconds. */
  readonly undone: readonly number[];
  /** Who did it, as far as somebody signed for it, the latest last. */
  readonly by: readonly string[];
  /** It came to blows, and there was no peace of `SOON_MS` since. */
  readonly fierce: boolean;
}

/** Once is a person's mistake, twice may be another's; the third time somebody means it. */
const REPEATS = 3;
/** Three times in as long are two controllers that do not know of each other. */
const SOON_MS = 10 * 60_000;
/** A deployment that sets its own value comes a few times a day. */
const LATE_MS = 24 * 3_600_000;
/** A write each five minutes costs nobody anything, and finds out whether the other one has given in. */
const PAUSE_MS = 5 * 60_000;
/** A sentence names no more. */
const MAX_NAMES = 4;

export const peace: Fight = { undone: [], by: [], fierce: false };

export function undone(fight: Fight, at: number, by: readonly string[]): Fight {
  const times = [...fight.undone, at].slice(-REPEATS);
  const names = [...fight.by.filter((name) => !by.includes(name)), ...by].slice(-MAX_NAMES);
  return { undone: times, by: names, fierce: isFierce(fight, at) || repeatedWithin(times, SOON_MS) };
}

/** `contended`: two that will not give in. `repeated`: it happens again and again. */
export function tempers(fight: Fight, now: number): 'calm' | 'repeated' | 'contended' {
  if (isFierce(fight, now)) return 'contended';
  const [first = 0] = fight.undone;
  return fight.undone.length === REPEATS && now - first <= LATE_MS && repeatedWithin(fight.undone, LATE_MS) ? 'repeated' : 'calm';
}

/** When the next write may go out, epoch milliseconds: at once, but in a fierce fight so late that two writes are `PAUSE_MS` apart. */
export function mayWriteAt(fight: Fight, now: number): number {
  const last = fight.undone.at(-1);
  return last === undefined || !isFierce(fight, now) ? now : Math.max(now, last + PAUSE_MS);
}

/** Between two undoes of a fierce fight lies our pause: a longer time without one is peace. */
function isFierce({ fierce, undone: times }: Fight, now: number): boolean {
  return fierce && now - (times.at(-1) ?? 0) <= SOON_MS;
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

/** Fights by object, so many of them at most: beyond that the one that was quiet longest is forgotten. */
export class Fights {
  readonly #byKey = new Map<string, Fight>();

  of(key: string): Fight {
    return this.#byKey.get(key) ?? peace;
  }

  keep(key: string, fight: Fight): void {
    if (fight === this.of(key)) return;
    this.#byKey.delete(key);
    this.#byKey.set(key, fight);
    const [oldest] = this.#byKey.keys();
    if (this.#byKey.size > MAX_FIGHTS && oldest !== undefined) this.#byKey.delete(oldest);
  }
}

/** Some hundred bytes each. More objects than these are not fought over but broken by something that hits them all. */
const MAX_FIGHTS = 4_096;
