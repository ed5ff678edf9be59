import { randomBytes } from 'node:crypto';
import { isFault } from '../api/fault.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { microTime } from './micro-time.ts';
import { apiVersionOf, collectionPath, objectPath, type ResourceType } from './paths.ts';
import { EVENT } from './resource-types.ts';
import type { Requests } from './transport.ts';

/** The object that an event is about. */
interface Regarding {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

/** Something that happened once, told to whoever describes the object. `reason` and `action` come from closed vocabularies. */
export interface EventNote {
  readonly regarding: Regarding;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

export interface EventRecorderOptions {
  readonly transport: Requests;
  /** `reportingController`: a qualified name, `irsa-operator.dev/irsa-operator`. */
  readonly controller: string;
  /** `reportingInstance`: the pod. */
  readonly instance: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The API server's limit, in bytes (Go's `len`). */
const NOTE_BYTES = 1_024;
/** client-go's limits: a burst of 25 an object, then one in 5 minutes; 1,000 wait at most; 12 tries, 10 s apart. */
const BURST = 25;
const REFILL_MS = 300_000;
const QUEUE_LENGTH = 1_000;
const TRIES = 12;
const RETRY_MS = 10_000;
const RETRY_JITTER = 0.25;
/** Between two retries, whatever they are of: an API server in trouble gets no more than one a second. */
const RETRY_SPACING_MS = 1_000;
/** The same event again within this time is the same series (client-go's finishTime). */
const SERIES_MS = 360_000;
/** So many objects and series are remembered; beyond that the oldest start afresh. */
const REMEMBERED = 4_096;

interface Entry {
  readonly event: EventNote;
  readonly firstMs: number;
  lastMs: number;
  count: number;
  /** Chosen once, so that an event that got through although its answer did not is not told twice. */
  name: string;
  posted: boolean;
  waiting: boolean;
  tries: number;
}

interface Bucket {
  tokens: number;
  filledMs: number;
}

/** Records events without ever holding up or failing whoever has something to tell: what does not get through in time is dropped. */
export class EventRecorder {
  readonly #o: EventRecorderOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #buckets = new Map<string, Bucket>();
  readonly #queue: Entry[] = [];
  /** What failed waits here for its next try, so that it holds up no other event. */
  readonly #retries = new Set<Promise<void>>();
  readonly #end = new AbortController();
  #sending: Promise<void> | undefined;
  #lastRetryMs = 0;

  constructor(options: EventRecorderOptions) {
    this.#o = options;
  }

  /** How many wait to be sent. */
  get waiting(): number {
    return this.#queue.length + this.#retries.size;
  }

  /** Nothing waits, and nothing is under way. */
  get idle(): boolean {
    return this.#sending === undefined && this.#retries.size === 0;
  }

  record(told: EventNote): void {
    const now = this.#o.clock.now();
    // Cut before it is kept: a note may quote a document of any size.
    const event = { ...told, note: truncated(told.note) };
    const entry = this.#entryFor(event, now);
    if (entry.waiting || this.#end.signal.aborted || !this.#allowed(event.regarding.uid, now)) return; // a repeat is counted all the same
    if (this.waiting >= QUEUE_LENGTH) {
      this.#o.log.debug({ reason: event.reason }, 'event dropped, too many are queued');
      return;
    }
    entry.tries = 0;
    this.#enqueue(entry);
  }

  /** Resolves when all is sent, or the signal is aborted: what then still waits is dropped, and nothing is recorded any more. */
  async flush(signal: AbortSignal): Promise<void> {
    const give = () => this.#end.abort(signal.reason);
    if (signal.aborted) give();
    signal.addEventListener('abort', give, { once: true });
    while (!this.idle) await Promise.all([this.#sending, ...this.#retries]);
    signal.removeEventListener('abort', give);
    this.#end.abort();
  }

  #entryFor(event: EventNote, now: number): Entry {
    const key = JSON.stringify([event.regarding.uid, event.type, event.reason, event.action, event.note]);
    const standing = this.#entries.get(key);
    this.#entries.delete(key); // and in again at the end: the order is that of the last use
    if (standing !== undefined && now - standing.lastMs < SERIES_MS) {
      standing.count += 1;
      standing.lastMs = now;
      this.#entries.set(key, standing);
      return standing;
    }
    const entry: Entry = { event, firstMs: now, lastMs: now, count: 1, name: nameFor(event, now), posted: false, waiting: false, tries: 0 };
    this.#entries.set(key, entry);
    forgetOldest(this.#entries);
    return entry;
  }

  /** A token bucket for each object. */
  #allowed(uid: string, now: number): boolean {
    const bucket = this.#buckets.get(uid) ?? { tokens: BURST, filledMs: now };
    this.#buckets.delete(uid);
    this.#buckets.set(uid, bucket);
    forgetOldest(this.#buckets);
    const refilled = Math.floor((now - bucket.filledMs) / REFILL_MS);
    bucket.tokens = Math.min(BURST, bucket.tokens + refilled);
    bucket.filledMs += refilled * REFILL_MS;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #enqueue(entry: Entry): void {
    entry.waiting = true;
    this.#queue.push(entry);
    this.#sending ??= this.#send();
  }

  /** One after the other: events are told in the order in which they happened, but for those that have to be told again. */
  async #send(): Promise<void> {
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift()) {
      entry.waiting = false; // a repeat from now on is news again
      await this.#deliver(entry);
    }
    this.#sending = undefined;
  }

  async #deliver(entry: Entry): Promise<void> {
    const { signal } = this.#end;
    if (signal.aborted) return;
    try {
      await this.#write(entry, signal);
    } catch (error) {
      // Whatever is wrong with the event itself stays wrong: the namespace goes, the RBAC does not allow it.
      if (isFault(error, 'transient') || isFault(error, 'throttled')) this.#retry(entry);
      else this.#o.log.debug({ err: error, reason: entry.event.reason }, 'event refused by the API server');
    }
  }

  #retry(entry: Entry): void {
    const { clock, random } = this.#o;
    entry.tries += 1;
    if (entry.tries >= TRIES) return;
    entry.waiting = true; // a repeat is counted, and told with it
    const now = clock.now();
    this.#lastRetryMs = Math.max(now + RETRY_MS * (1 + RETRY_JITTER * random()), this.#lastRetryMs + RETRY_SPACING_MS);
    const wait = clock.sleep(this.#lastRetryMs - now, this.#end.signal).then(
      () => {
        this.#retries.delete(wait);
        this.#enqueue(entry);
      },
      () => void this.#retries.delete(wait), // the end: what still waits is dropped
    );
    this.#retries.add(wait);
  }

  async #write(entry: Entry, signal: AbortSignal): Promise<void> {
    const { transport } = this.#o;
    const { regarding } = entry.event;
    const namespace = regarding.namespace ?? 'default'; // where events about cluster-scoped objects go
    if (entry.posted) {
      const path = objectPath(EVENT, { namespace, name: entry.name });
      try {
        const body = { series: seriesOf(entry) };
        await transport.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body }, signal);
        return;
      } catch (error) {
        if (!isFault(error, 'notFound')) throw error;
        entry.posted = false; // it expired (after an hour by default): told anew
      }
    }
    try {
      await transport.request({ method: 'POST', path: collectionPath(EVENT, namespace), body: this.#body(entry, namespace) }, signal);
    } catch (error) {
      if (!isFault(error, 'conflict')) throw error; // an earlier try got through
    }
    entry.posted = true;
  }

  #body({ event, firstMs, lastMs, count, name }: Entry, namespace: string) {
    const { regarding, type, reason, action, note } = event;
    return {
      apiVersion: apiVersionOf(EVENT),
      kind: EVENT.kind,
      metadata: { name, namespace },
      eventTime: microTime(firstMs),
      reportingController: this.#o.controller,
      reportingInstance: this.#o.instance,
      regarding: {
        apiVersion: apiVersionOf(regarding.type),
        kind: regarding.type.kind,
        name: regarding.name,
        uid: regarding.uid,
        ...(regarding.namespace === undefined ? {} : { namespace: regarding.namespace }),
      },
      type,
      reason,
      action,
      note,
      ...(count > 1 ? { series: seriesOf({ count, lastMs }) } : {}),
    };
  }
}

/** Names of objects have 253 characters at most, and so have those of events. */
const NAME_LENGTH = 253;

function nameFor({ regarding }: EventNote, now: number): string {
  const suffix = `.${now.toString(16)}${randomBytes(4).toString('hex')}`;
  return `${regarding.name.slice(0, NAME_LENGTH - suffix.length).replace(/[-.]+$/, '')}${suffix}`;
}

function seriesOf({ count, lastMs }: Pick<Entry, 'count' | 'lastMs'>) {
  return { count, lastObservedTime: microTime(lastMs) };
}

function forgetOldest(map: Map<string, unknown>): void {
  const oldest = map.size > REMEMBERED ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
}

/** Cut to the API server's limit, not within a character. */
function truncated(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= NOTE_BYTES) return note;
  const cut = bytes
    .subarray(0, NOTE_BYTES - 3)
    .toString('utf8')
    .replace(/\uFFFD$/, '');
  return `${cut}...`;
}
