import { standing } from './documents.ts';
import { acts, isCovered, isTaken, subject } from './judge.ts';
import type { Recorded, Seen } from './look.ts';
import { trustKey } from './world.ts';

/** Everything that there is after a step, and what the operator sent since the step before. */
export interface Moment {
  readonly now: number;
  readonly seen: Seen;
  readonly record: readonly Recorded[];
  readonly sent: readonly { readonly role: string; readonly text: string }[];
  /** When the operator was started last: the one before may have known more. */
  readonly startedAt: number;
  /** Losses up to this time were confirmed by the platform team. */
  readonly confirmedAt: number;
}

const GRACE_MS = 60_000;
/** A lease that a killed leader left, a sweep, read-backs, and the faults and retries that the walk makes. */
const KNOWN_MS = 90_000;
const SLACK_MS = 2 * 60_000;
/** Whatever the operator hears of late it heard of after this. */
const SETTLED_MS = 10_000;
const HOUR_MS = 3_600_000;

/** In words of its own: more than ten, of which five at most count for a namespace. */
function isPaused(record: readonly Recorded[], now: number): boolean {
  const counted = record.filter(({ revokedAt }) => revokedAt === undefined || now - revokedAt < HOUR_MS + SLACK_MS);
  const byNamespace = Map.groupBy(counted, ({ subject: text }) => text.split(':')[2]);
  return [...byNamespace.values()].reduce((sum, of) => sum + Math.min(5, of.length), 0) > 10;
}

/** Of a subject that stands: whether a grant covers it, since when, and whether the operator that runs saw that one did. */
interface Entry {
  readonly covered: boolean;
  readonly since: number;
  readonly seenCovered: boolean;
}

/**
 * What holds after every step: a subject in the statement of irsa-operator is covered by a grant, or within its grace, or paused; and what is
 * granted and asked for is not taken out.
 */
export class Authorization {
  #entries = new Map<string, Entry>();
  #wantedSince = new Map<string, number>();
  readonly #wrong = new Map<string, string>();
  /** How many subjects the operator took out that no grant covered. */
  revoked = 0;

  get wrong(): readonly string[] {
    return [...this.#wrong.values()];
  }

  judge(moment: Moment): void {
    const wanted = wantedIn(moment.seen);
    for (const { role, text } of moment.sent) this.#judgeSent(role, text, wanted, moment);
    this.#wantedSince = new Map([...wanted].map((key) => [key, this.#wantedSince.get(key) ?? moment.now]));
    const entries = new Map<string, Entry>();
    for (const [role, { text }] of moment.seen.roles)
      for (const one of standing(text, moment.seen.issuer)) {
        const [, , namespace, serviceAccountName] = one.subject.split(':');
        // A statement whose last subject went keeps one that no token can carry.
        if (namespace === undefined || serviceAccountName === undefined || namespace === 'irsa-operator') continue;
        const key = trustKey(role, one.subject, one.audience);
        const entry = this.#entryOf(
          key,
          isCovered({ namespace, serviceAccountName, roleArn: role, audience: one.audience }, moment.seen),
          moment,
        );
        entries.set(key, entry);
        if (!entry.covered) this.#judgeUncovered(key, entry, moment);
      }
    this.#entries = entries;
  }

  #judgeSent(role: string, text: string, wanted: ReadonlySet<string>, { now, seen }: Moment): void {
    const keys = new Set(standing(text, seen.issuer).map((one) => trustKey(role, one.subject, one.audience)));
    const isOut = (key: string) => key.startsWith(`${role}|`) && !keys.has(key);
    for (const [key, since] of this.#wantedSince)
      if (isOut(key) && wanted.has(key) && now - since > SETTLED_MS) this.#say(key, `is granted and asked for, and was taken out: ${text}`);
    for (const [key, { covered }] of this.#entries) if (!covered && isOut(key)) this.revoked += 1;
  }

  #entryOf(key: string, covered: boolean, { now, startedAt }: Moment): Entry {
    const before = this.#entries.get(key);
    if (before?.covered === covered) return before;
    // Long enough for this operator to know.
    const seenCovered = before?.covered === true && now - Math.max(before.since, startedAt) > KNOWN_MS;
    return { covered, since: now, seenCovered };
  }

  #judgeUncovered(key: string, entry: Entry, { now, record, startedAt, confirmedAt }: Moment): void {
    const loss = record.find((one) => trustKey(one.role, one.subject, one.audience) === key && one.revokedAt === undefined);
    const age = now - Math.max(entry.since, startedAt);
    const without = `has no grant for ${Math.round(age / 1_000)} s`;
    if (loss === undefined && age > KNOWN_MS) this.#say(key, `${without}, and the record does not know`);
    if (loss?.cause === 'unseen' && entry.seenCovered) this.#say(key, 'was seen to be covered, and counts as unseen');
    const mayStand = isPaused(record, now) && loss !== undefined && loss.since > confirmedAt;
    if (loss?.cause === 'grant' && age > GRACE_MS + SLACK_MS && !mayStand) this.#say(key, `${without}, and stands`);
  }

  #say(key: string, what: string): void {
    if (!this.#wrong.has(key)) this.#wrong.set(key, `${key} ${what}`);
  }
}

/** What a binding asks for that may have it, and that stands. */
function wantedIn(seen: Seen): ReadonlySet<string> {
  const stands = new Set(
    [...seen.roles].flatMap(([role, { text }]) => standing(text, seen.issuer).map((one) => trustKey(role, one.subject, one.audience))),
  );
  const keys = seen.bindings
    .filter((binding) => acts(binding) && binding.spec.trustPolicy === 'Managed' && !isTaken(binding, seen))
    .filter(({ metadata: { namespace }, spec }) => isCovered({ ...spec, namespace }, seen))
    .map((binding) => trustKey(binding.spec.roleArn, subject(binding), binding.spec.audience));
  return new Set(keys.filter((key) => stands.has(key)));
}
