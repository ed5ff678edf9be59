import { describe, expect, test } from 'vitest';
import { aContainer, aPod } from './pod.builder.ts';
import type { Pod } from './pod.ts';
import { type Outcome, statusAfter } from './status.ts';

const T0 = '2026-11-24T05:00:00Z';
const T1 = '2026-11-24T05:00:01Z';

const crashed: Outcome = { kind: 'crashed', message: 'AccessDenied', backOffMs: 2_000 };
const of = (outcome: Outcome) => new Map([['controller', outcome]]);

/** The pod as the API server would have it after the patch. */
function patched(pod: Pod, outcome: Outcome, now: string): Pod {
  return { ...pod, status: statusAfter(pod, of(outcome), now) };
}

test('a container that runs makes the pod Running and Ready', () => {
  expect(statusAfter(aPod({}), of({ kind: 'running' }), T0)).toEqual({
    phase: 'Running',
    startTime: T0,
    conditions: ['Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
      reason: null,
      message: null,
      lastTransitionTime: T0,
    })),
    containerStatuses: [
      {
        name: 'controller',
        image: 'lbc:v2',
        imageID: '',
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: T0 } },
      },
    ],
  });
});

test('a container that crashed waits, its last words in its last state, and the pod is not Ready', () => {
  const unready = { reason: 'ContainersNotReady', message: 'containers with unready status: [controller]', lastTransitionTime: T0 };
  expect(statusAfter(aPod({}), of(crashed), T0)).toEqual({
    phase: 'Running',
    startTime: T0,
    conditions: [
      { type: 'Initialized', status: 'True', reason: null, message: null, lastTransitionTime: T0 },
      { type: 'ContainersReady', status: 'False', ...unready },
      { type: 'Ready', status: 'False', ...unready },
    ],
    containerStatuses: [
      {
        name: 'controller',
        image: 'lbc:v2',
        imageID: '',
        ready: false,
        started: false,
        restartCount: 1,
        state: {
          waiting: { reason: 'CrashLoopBackOff', message: 'back-off 2s restarting failed container=controller pod=lbc-1_kube-system(u-1)' },
        },
        lastState: { terminated: { exitCode: 1, reason: 'Error', message: 'AccessDenied', startedAt: T0, finishedAt: T0 } },
      },
    ],
  });
});

describe('over several attempts', () => {
  const once = patched(aPod({}), crashed, T0);
  const twice = patched(once, crashed, T1);
  const healed = patched(twice, { kind: 'running' }, T1);

  test('each crash counts', () => expect(twice.status?.containerStatuses?.[0]?.restartCount).toBe(2));
  test('a condition that stays as it was keeps the time of its last change', () =>
    expect(twice.status?.conditions?.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([T0, T0, T0]));
  test('a condition that changes has the time of the change', () =>
    expect(healed.status?.conditions?.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([T0, T1, T1]));
  test('what runs at last keeps its restarts and the words of the last crash', () => {
    const [{ restartCount, lastState, state } = {}] = healed.status?.containerStatuses ?? [];
    expect({ restartCount, message: lastState?.terminated?.message, state }).toEqual({
      restartCount: 2,
      message: 'AccessDenied',
      state: { running: { startedAt: T1 } },
    });
  });
});

test('a pod whose volume cannot be made stays Pending and says why', () => {
  const status = statusAfter(aPod({}), of({ kind: 'notMounted', message: 'no token' }), T0);
  expect([status.phase, status.containerStatuses?.[0]?.state]).toEqual([
    'Pending',
    { waiting: { reason: 'ContainerCreating', message: 'no token' } },
  ]);
});

test('one container of two that does not run keeps the pod from being Ready', () => {
  const pod = aPod({ containers: [aContainer(), aContainer({ name: 'proxy' })] });
  const status = statusAfter(
    pod,
    new Map<string, Outcome>([
      ['controller', { kind: 'running' }],
      ['proxy', crashed],
    ]),
    T0,
  );
  expect(status.conditions?.map(({ type, status: value }) => [type, value])).toEqual([
    ['Initialized', 'True'],
    ['ContainersReady', 'False'],
    ['Ready', 'False'],
  ]);
});
