import { type Effect, effectFrom, effectOf } from './effects.ts';
import type { Call, Watcher } from './proxy.ts';

/** When, seen from an external effect, the process is killed. */
export const MOMENTS = ['before it is sent', 'before its answer', 'after its answer'] as const;
export type Moment = (typeof MOMENTS)[number];

/** The nth time (from 1) that this effect is about to happen. */
export interface Point {
  readonly effect: string;
  readonly nth: number;
  readonly moment: Moment;
}

export interface Observer extends Watcher {
  /** Effects that reached their server, in the order in which they were sent, from `begin` on. */
  readonly sent: readonly Effect[];
  /** What may be done once more: sent, and nobody was told, when the process was killed. */
  readonly unanswered: readonly Effect[];
  /** Calls that it gave up by itself, for an answer did not come in time. */
  readonly givenUp: number;
  /** When the last effect was sent or answered: milliseconds of `performance.now()`. */
  readonly lastAt: number;
  /** The point was met, and the process is no more. */
  readonly dead: boolean;
  /** From now on effects count. */
  begin(): void;
}

/** Time for the process to read an answer that the kernel has, and to begin what comes next. */
const READ_MS = 20;

/** Sees the effects of one operator, and kills it at a point. `kill` resolves when the process is no more. */
export function observeEffects(point: Point | undefined, kill: () => Promise<void>): Observer {
  const sent: Effect[] = [];
  const unanswered: Effect[] = [];
  const underWay = new Map<Call, Effect>();
  /** Their connections end by its death, some of them a moment after it. */
  const firstLife = new WeakSet<Call>();
  let counts = false;
  let seen = 0;
  let target: Call | undefined;
  let dying = false;
  let dead = false;
  let givenUp = 0;
  let lastAt = performance.now();

  const crash = async (): Promise<false> => {
    target = undefined;
    dying = true;
    await kill();
    unanswered.push(...underWay.values());
    dead = true;
    return false;
  };
  return {
    sent,
    unanswered,
    get lastAt() {
      return lastAt;
    },
    get dead() {
      return dead;
    },
    get givenUp() {
      return givenUp;
    },
    begin() {
      counts = true;
    },
    async before(call) {
      if (!dead) firstLife.add(call);
      const effect = effectOf(call);
      if (effect === undefined) return true;
      lastAt = performance.now();
      if (!counts) return true;
      if (point?.effect === effect && ++seen === point.nth) {
        target = call;
        if (point.moment === 'before it is sent') return crash();
      }
      const whole = effectFrom(call, effect);
      sent.push(whole);
      underWay.set(call, whole);
      return true;
    },
    async answered(call) {
      if (underWay.has(call)) lastAt = performance.now();
      return call === target && point?.moment === 'before its answer' ? crash() : true;
    },
    gaveUp(call) {
      if (!(dying && firstLife.has(call))) givenUp += 1;
    },
    told(call) {
      if (call !== target || point?.moment !== 'after its answer') underWay.delete(call);
      // The effect at which it was killed may be done again, though it was told: nothing of it may stand anywhere but where it was done.
      else setTimeout(() => void crash(), READ_MS);
    },
  };
}
