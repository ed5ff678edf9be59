import { until } from '@irsa-operator/testbed';
import { expect, test } from 'vitest';
import { pathOf } from '../harness/objects.ts';
import { integrationSuite } from '../harness/suite.ts';
import type { Binding } from '../harness/views.ts';

/** What clients that wait are told of a binding before irsa-operator has seen it: kstatus compares `observedGeneration` with the generation. */
const NOT_SEEN = { observedGeneration: -1 };

const suite = integrationSuite({ grant: {}, operator: false });
const { prepared } = suite;
/** kubectl exits with 1 when the time is over. */
const waits = (namespace: string, seconds: number) =>
  suite.testbed.kubectl(['wait', '-n', namespace, 'irsab/app', '--for=condition=Ready', `--timeout=${seconds}s`]);

// Contract: report-unseen
test('a new binding has the generation -1 in its status until irsa-operator has seen it, and keeps it through a change of the spec', async () => {
  const s = await prepared('unseen');
  await s.bind();
  expect((await s.binding()).status).toEqual(NOT_SEEN);
  await s.change({ mode: 'Observe' });
  await s.change({ mode: 'Enforce' });
  expect((await s.binding()).status).toEqual(NOT_SEEN);
  await expect(waits('unseen', 2)).rejects.toThrow('timed out');

  await suite.start();
  await waits('unseen', 60);
  const { metadata, status } = await s.binding();
  expect(status?.observedGeneration).toBe(metadata.generation);
  for (const { observedGeneration } of status?.conditions ?? []) expect(observedGeneration).toBe(metadata.generation);
});

// Contract: report-unseen
test('a status that is wiped says that nothing was seen, until irsa-operator has reported again', async () => {
  const s = await prepared('wiped');
  await s.bind();
  await s.conditionIs('Ready', 'True', 'Ready');
  const path = `${pathOf('irsabindings', { namespace: 'wiped', name: 'app' })}/status`;
  const wiped = await suite.api.call<Binding>('PATCH', path, { patch: 'merge', body: { status: null } });
  expect(wiped.status).toEqual(NOT_SEEN);
  await until('it is reported again', async () => (await s.binding()).status?.observedGeneration === 1, { timeoutMs: 60_000 });
  await s.conditionIs('Ready', 'True', 'Ready');
  expect(s.writes()).toHaveLength(1);
});
