import { expect, test } from 'vitest';
import { Fault } from '../api/fault.ts';
import { ARN } from '../binding/test-observed.ts';
import { silentLog } from '../runtime/log.ts';
import { remembering } from './failures.ts';
import { world } from './world.ts';

const down = new Fault('transient', 'iam:GetRole: ServiceUnavailable');

test('an attempt that failed is remembered with its reason until one does not, and told once', async () => {
  const seen = world(silentLog);
  const told: (string | undefined)[] = [];
  seen.failures.onChange((_, next) => told.push(next?.why));
  for (let time = 0; time < 2; time++) await expect(remembering(seen, ARN, () => Promise.reject(down))).rejects.toBe(down);
  expect(await remembering(seen, ARN, async () => 'done')).toBe('done');
  expect([told, seen.failures.list()]).toEqual([[down.message, undefined], []]);
});

test('what is broken off is no failure', async () => {
  const seen = world(silentLog);
  const stop = new Error('stop');
  await expect(remembering(seen, ARN, () => Promise.reject(stop))).rejects.toBe(stop);
  expect(seen.failures.list()).toEqual([]);
});
