import { afterEach, expect, test } from 'vitest';
import type { IrsaBinding } from '../api/binding.ts';
import { conditionOf } from '../api/condition.ts';
import { ARN, binding, grant, NOW, OTHER_ARN, policy, SERVICE, SUBJECT } from '../domain/test-observed.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { operatorOver, SECOND_MS, worldOf } from './test-grant-loss.ts';

/** Forty bindings of one ServiceAccount, by turns of two roles, with the real controllers in virtual time: who has it, as they come and go. */
const COUNT = 40;
/** A write, and both read-backs. */
const SETTLED_MS = 30 * SECOND_MS;

let running: Awaited<ReturnType<typeof operatorOver>> | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

const nameOf = (at: number) => `b-${String(at).padStart(2, '0')}`;
const roleOf = (at: number) => (at % 2 === 0 ? ARN : OTHER_ARN);
const one = (at: number): IrsaBinding =>
  binding({
    metadata: { name: nameOf(at), uid: nameOf(at), createdAt: NOW + at, finalizers: [] },
    spec: { roleArn: roleOf(at) },
    status: { roles: [] },
  });

async function started() {
  const clock = new ManualClock(NOW);
  const iam = new Map([ARN, OTHER_ARN].map((role) => [role, policy(SERVICE)]));
  const bindings = Array.from({ length: COUNT }, (_, at) => one(COUNT - 1 - at));
  const world = worldOf({ clock, iam, bindings, grants: [grant()], namespaces: ['shop'] });
  const of = await operatorOver(world);
  running = of;
  const change = (at: number, spec: object, metadata: object = {}) =>
    of.edit('shop', nameOf(at), ({ metadata: before, spec: stood }) => ({
      metadata: { ...before, generation: before.generation + 1, ...metadata },
      spec: { ...(stood as object), ...spec } as IrsaBinding['spec'],
    }));
  /** As the API server does: what has no finalizer is gone at once. */
  const remove = (at: number) => {
    if (of.bindingOf('shop', nameOf(at))?.metadata.finalizers.length === 0) of.seen.bindings.delete(`shop/${nameOf(at)}`);
    else change(at, {}, { deleting: true });
  };
  const ready = ({ status, metadata }: IrsaBinding) => {
    const condition = conditionOf(status.conditions, 'Ready');
    return condition?.status === 'True' && condition.observedGeneration === metadata.generation;
  };
  const summary = () => {
    const all = of.seen.bindings.list().filter(({ metadata, spec }) => !metadata.deleting && !('suspend' in spec && spec.suspend));
    const messages = all.map(({ status }) => conditionOf(status.conditions, 'Authorized')?.message ?? '');
    return {
      has: all.filter(ready).map(({ metadata }) => metadata.name),
      taken: messages.filter((message) => message.includes('is bound by the older IrsaBinding')).length,
      notEvaluated: messages.filter((message) => message.includes('evaluates the 16 oldest')).length,
      stands: Object.entries(of.standing()).flatMap(([role, subjects]) => (subjects.includes(SUBJECT) ? [role] : [])),
    };
  };
  const later = async () => {
    await clock.advance(SETTLED_MS);
    return summary();
  };
  return { of, change, remove, later };
}

// Contract: competing-older, competing-bound
test('the oldest has it, gives it up while it is suspended, and has it again; the others are told why not', async () => {
  const { change, later } = await started();
  expect(await later()).toEqual({ has: ['b-00'], taken: 15, notEvaluated: 24, stands: ['app'] });
  change(0, { suspend: true });
  // What stands of a suspended binding stays.
  expect(await later()).toEqual({ has: ['b-01'], taken: 15, notEvaluated: 23, stands: ['app', 'former'] });
  change(0, { suspend: false });
  expect(await later()).toMatchObject({ has: ['b-00'], taken: 15, notEvaluated: 24 });
});

// Contract: competing-older, competing-bound
test('each that is deleted hands over to the next one, down to the last, and then nothing stands', async () => {
  const { of, remove, later } = await started();
  await later();
  for (let at = 0; at < COUNT - 1; at += 1) {
    remove(at);
    const left = COUNT - 1 - at;
    expect([at, await later()]).toEqual([
      at,
      {
        has: [nameOf(at + 1)],
        taken: Math.min(left, 16) - 1,
        notEvaluated: Math.max(0, left - 16),
        stands: [roleOf(at + 1) === ARN ? 'app' : 'former'],
      },
    ]);
    expect(of.bindingOf('shop', nameOf(at))).toBeUndefined();
  }
  remove(COUNT - 1);
  expect(await later()).toEqual({ has: [], taken: 0, notEvaluated: 0, stands: [] });
  expect(of.seen.bindings.list()).toEqual([]);
});

test('those that are deleted together go, whichever of them had it', async () => {
  const { of, remove, later } = await started();
  await later();
  for (let at = 0; at < COUNT - 1; at += 1) remove(at);
  expect(await later()).toEqual({ has: [nameOf(COUNT - 1)], taken: 0, notEvaluated: 0, stands: ['former'] });
  expect(of.seen.bindings.size).toBe(1);
});
