import { expect, test } from 'vitest';
import type { Blocked } from '../../domain/pods/restart/attempt.ts';
import { Contentions } from '../../domain/state/contention.ts';
import { podOf, replicaSet } from '../../domain/test-cluster.ts';
import { binding, NOW, observed } from '../../domain/test-observed.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { createStores } from '../stores.ts';
import { perform } from './perform.ts';
import type { BindingWrites, Removal } from './ports.ts';
import { RestartExpectations } from './restart-expectations.ts';
import { WriteExpectations } from './write-expectations.ts';

const pod = podOf(replicaSet, 'a', { ready: false });

/** Deletes the pod with this answer of the API server, and tells what was made of it. */
async function deleted(answer: Removal) {
  const told: string[] = [];
  const note =
    (what: string) =>
    (...words: unknown[]) =>
      void told.push([what, ...words].filter((word) => typeof word === 'string').join(' '));
  const unexpected = async () => {
    throw new Error('only the pod was to be deleted');
  };
  const writes: BindingWrites = {
    addFinalizer: unexpected,
    removeFinalizer: unexpected,
    annotate: unexpected,
    evict: unexpected,
    rollOut: unexpected,
    report: unexpected,
    deletePod: async () => answer,
  };
  const blocked = new Map<string, Blocked>();
  const stores = createStores(silentLog);
  const restarts = new RestartExpectations();
  const outcome = await perform(
    { do: 'restart', how: 'delete', pod },
    observed({ binding: binding() }),
    {
      stores,
      owned: stores,
      writes,
      events: { record: (_, { reason }) => note('event')(reason) },
      metrics: { drifted: note('drifted'), repaired: note('repaired'), restarted: note('metric') },
      sweepIntervalMs: 60_000,
      clock: new ManualClock(NOW),
      blocked,
      contentions: new Contentions(),
      expectations: {
        bindings: new WriteExpectations(new ManualClock()),
        serviceAccounts: new WriteExpectations(new ManualClock()),
        restarts,
      },
      log: silentLog,
    },
    new AbortController().signal,
  );
  const going = restarts.applyTo({ pods: [pod], workloads: [] }, NOW).pods.some(({ deleting }) => deleting);
  return { outcome, told, blocked: [...blocked.keys()], going };
}

test('a pod that was deleted is told, and going from now on', async () =>
  expect(await deleted({ kind: 'gone' })).toEqual({
    outcome: 'done',
    told: ['metric delete done', 'event PodRestarted'],
    blocked: [],
    going: true,
  }));

test('a pod that may not be deleted is blocked', async () =>
  expect(await deleted({ kind: 'forbidden', message: 'no' })).toEqual({
    outcome: 'blocked',
    told: ['metric delete blocked'],
    blocked: [pod.uid],
    going: false,
  }));

test('a pod that is not as it was looked at is looked at again: nothing is told, nothing is used up', async () =>
  expect(await deleted({ kind: 'changed' })).toEqual({ outcome: 'changed', told: [], blocked: [], going: false }));
