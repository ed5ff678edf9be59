import { expect, test } from 'vitest';
import { Fault, LEASE_UNCERTAIN } from '../api/fault.ts';
import { ARN } from '../domain/test-observed.ts';
import { silentLog } from '../runtime/log.ts';
import { recordFailure } from './failures.ts';
import { createStores } from './stores.ts';

const down = new Fault('transient', 'iam:GetRole: ServiceUnavailable');

test('an attempt that failed is remembered with its reason until one does not, and told once', async () => {
  const { roleFailures } = createStores(silentLog);
  const told: (string | undefined)[] = [];
  roleFailures.onChange((_, next) => told.push(next?.why));
  for (let time = 0; time < 2; time++) await expect(recordFailure(roleFailures, ARN, () => Promise.reject(down))).rejects.toBe(down);
  expect(await recordFailure(roleFailures, ARN, async () => 'done')).toBe('done');
  expect([told, roleFailures.list()]).toEqual([[down.message, undefined], []]);
});

test('what is remembered is what a status may say', async () => {
  const { roleFailures } = createStores(silentLog);
  const fault = new Fault('transient', 'no credentials: User: arn:aws:sts::...', { told: 'no credentials' });
  await expect(recordFailure(roleFailures, ARN, () => Promise.reject(fault))).rejects.toBe(fault);
  expect(roleFailures.get(ARN)?.why).toBe('no credentials');
});

const none: Record<string, Error> = {
  'what is broken off': new Error('stop'),
  'what was not sent because the lease may end': new Fault('transient', 'not written', { code: LEASE_UNCERTAIN }),
};
for (const [sentence, error] of Object.entries(none)) {
  test(`${sentence} is no failure of AWS`, async () => {
    const { roleFailures } = createStores(silentLog);
    await expect(recordFailure(roleFailures, ARN, () => Promise.reject(error))).rejects.toBe(error);
    expect(roleFailures.list()).toEqual([]);
  });
}
