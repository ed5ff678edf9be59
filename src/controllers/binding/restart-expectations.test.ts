import { expect, test } from 'vitest';
import { timestamp } from '../../api/condition.ts';
import { podOf, replicaSet, workload } from '../../domain/test-cluster.ts';
import { NOW } from '../../domain/test-observed.ts';
import { RestartExpectations } from './restart-expectations.ts';

const [first, second] = [podOf(replicaSet, 'a'), podOf(replicaSet, 'b')];
const view = { pods: [first, second], workloads: [workload()] };
const AT = timestamp(NOW);

test('without a restart of ours the view is what the watch shows', () => expect(new RestartExpectations().applyTo(view, NOW)).toBe(view));

for (const how of ['evict', 'delete'] as const)
  test(`a pod that we took is going, though the watch does not show it yet: ${how}`, () => {
    const restarts = new RestartExpectations();
    restarts.expect({ how, pod: first }, NOW);
    expect(restarts.applyTo(view, NOW)).toEqual({ ...view, pods: [{ ...first, deleting: true, deletingSince: NOW }, second] });
  });

test('a workload that we rolled out has the new template', () => {
  const restarts = new RestartExpectations();
  restarts.expect({ how: 'rollout', workload: workload(), restartedAt: AT }, NOW);
  expect(restarts.applyTo(view, NOW)).toEqual({ ...view, workloads: [workload({ restartedAt: AT })] });
});

test('a pod of the same name that was made since is another one', () => {
  const restarts = new RestartExpectations();
  restarts.expect({ how: 'evict', pod: first }, NOW);
  const next = { ...view, pods: [{ ...first, uid: 'made-since' }, second] };
  expect(restarts.applyTo(next, NOW)).toEqual(next);
});

test('after two minutes the watch is believed again', () => {
  const restarts = new RestartExpectations();
  restarts.expect({ how: 'evict', pod: first }, NOW);
  expect(restarts.applyTo(view, NOW + 120_000).pods[0]?.deleting).toBe(true);
  expect(restarts.applyTo(view, NOW + 120_001)).toBe(view);
});
