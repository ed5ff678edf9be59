import { isFault } from '../api/fault.ts';
import type { LeaseLock, LeaseRecord, ReadLease } from '../runtime/elector.ts';
import { microTime } from './micro-time.ts';
import { type JsonObject, metaOf, object, text, timeOf } from './objects.ts';
import { collectionPath, objectPath } from './paths.ts';
import { LEASE } from './resource-types.ts';
import type { Requests } from './transport.ts';

/** As controller-runtime: half of the renew deadline, so that a call that hangs leaves time for another; never less than a second. */
const MIN_DEADLINE_MS = 1_000;

/** A `coordination.k8s.io/v1` Lease. Written by PUT with the resource version that was read: compare and swap. */
export function leaseLock(
  transport: Requests,
  at: { readonly namespace: string; readonly name: string },
  renewDeadlineMs: number,
): LeaseLock & { readonly uid: string } {
  const deadlineMs = Math.max(MIN_DEADLINE_MS, renewDeadlineMs / 2);
  const path = objectPath(LEASE, at);
  /** The whole object as last seen: fields of it that are not ours are sent back as they came. */
  let last: JsonObject = {};
  const remember = (raw: unknown): ReadLease => {
    last = object(raw);
    return { record: recordOf(object(last['spec'])), version: metaOf(raw).resourceVersion };
  };
  return {
    /** Of the Lease as last seen; empty before. */
    get uid() {
      return metaOf(last).uid;
    },
    async get(signal) {
      try {
        return remember(await transport.request({ method: 'GET', path, deadlineMs }, signal));
      } catch (error) {
        if (isFault(error, 'notFound')) return undefined;
        throw error;
      }
    },
    async create(record, signal) {
      const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: at, spec: specOf(record) };
      return remember(await transport.request({ method: 'POST', path: collectionPath(LEASE, at.namespace), body, deadlineMs }, signal));
    },
    async update(record, version, signal) {
      const metadata = { ...object(last['metadata']), resourceVersion: version };
      const body = { ...last, metadata, spec: { ...object(last['spec']), ...specOf(record) } };
      return remember(await transport.request({ method: 'PUT', path, body, deadlineMs }, signal));
    },
  };
}

function recordOf(spec: JsonObject): LeaseRecord {
  return {
    holderIdentity: text(spec['holderIdentity']) ?? '',
    leaseDurationSeconds: Number(spec['leaseDurationSeconds'] ?? 0),
    acquireTimeMs: timeOf(spec['acquireTime']) ?? 0,
    renewTimeMs: timeOf(spec['renewTime']) ?? 0,
    leaseTransitions: Number(spec['leaseTransitions'] ?? 0),
  };
}

function specOf(record: LeaseRecord): object {
  return {
    holderIdentity: record.holderIdentity,
    leaseDurationSeconds: record.leaseDurationSeconds,
    acquireTime: microTime(record.acquireTimeMs),
    renewTime: microTime(record.renewTimeMs),
    leaseTransitions: record.leaseTransitions,
  };
}
