import { isDeepStrictEqual } from 'node:util';
import type { RoleArn } from '../../api/arn.ts';
import { isFault } from '../../api/fault.ts';
import { type Loss, trustEntryKey } from '../../domain/authorization/loss.ts';
import { readRecord, writeRecord } from '../../domain/authorization/revocation-record.ts';
import type { LedgerOptions } from './ports.ts';

/**
 * Keeps the revocation record: a loss is in the store once it is written down, and not before, so that no crash can start its time anew. Roles
 * that change while a write is under way go together in the next one.
 */
export class Ledger {
  readonly #o: LedgerOptions;
  /** What the record is to say, by role; undefined while it was not read. */
  #wanted: Map<RoleArn, readonly Loss[]> | undefined;
  /** Whether the record says it. */
  #isWritten = true;
  #last: Promise<void> = Promise.resolve();

  constructor(options: LedgerOptions) {
    this.#o = options;
  }

  /** Reads the record, once. Where that fails the next loss tries again, and nothing is revoked before. */
  async load(signal: AbortSignal): Promise<void> {
    if (this.#wanted !== undefined) return;
    const { owned, record, log } = this.#o;
    const text = await record.read(signal);
    const losses = text === undefined ? [] : readRecord(text);
    if (losses === undefined) log.error({}, 'revocation record not readable, the time of each loss begins again');
    this.#wanted = Map.groupBy(losses ?? [], ({ role }) => role);
    for (const loss of losses ?? []) owned.losses.put(loss);
  }

  /** All losses of a role. Resolves when they are written down. */
  async put(role: RoleArn, losses: readonly Loss[], signal: AbortSignal): Promise<void> {
    if (this.#wanted === undefined && losses.length === 0) return;
    await this.load(signal);
    if (!isDeepStrictEqual(this.#wanted?.get(role) ?? [], losses)) {
      if (losses.length === 0) this.#wanted?.delete(role);
      else this.#wanted?.set(role, losses);
      this.#isWritten = false;
    }
    if (this.#isWritten) return this.#last;
    this.#last = this.#last.catch(() => {}).then(() => this.#write(signal));
    await this.#last;
  }

  async #write(signal: AbortSignal): Promise<void> {
    if (this.#isWritten || this.#wanted === undefined) return;
    const { owned, record, log } = this.#o;
    const all = [...this.#wanted.values()].flat();
    const { text, kept } = writeRecord(all);
    this.#isWritten = true;
    try {
      await record.write(text, signal);
    } catch (error) {
      this.#isWritten = false;
      // Nobody but the leader writes it: what another wrote is replaced, once it was read.
      if (isFault(error, 'conflict') || isFault(error, 'notFound')) await record.read(signal);
      throw error;
    }
    if (kept.length < all.length) log.warn({ left: all.length - kept.length }, 'revocation record full, the losses that are left out wait');
    const keys = new Set(kept.map(trustEntryKey));
    for (const key of owned.losses.list().map(trustEntryKey)) if (!keys.has(key)) owned.losses.delete(key);
    for (const loss of kept) if (!isDeepStrictEqual(owned.losses.get(trustEntryKey(loss)), loss)) owned.losses.put(loss);
  }
}
