import { expect, test } from 'vitest';
import { Fault } from '../../api/fault.ts';
import type { Installation } from '../../domain/confinement/installation.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { type InstallationRequests, refuseSecond } from './installation.ts';

const SELF = { namespace: 'platform', name: 'keeper' };
const OTHER: Installation = { serviceAccount: { namespace: 'acme', name: 'trust' }, name: 'irsa-operator-status', createdAt: 1 };
const REFUSAL =
  'another irsa-operator is installed in this cluster, with the ServiceAccount acme/trust. A cluster has one. Uninstall one of them: docs/uninstall.md#two-installations';

/** Answers one after the other, the last one again and again. */
function stage(...answers: (readonly Installation[] | Fault)[]) {
  const clock = new ManualClock();
  const stop = new AbortController();
  let asked = 0;
  const requests: InstallationRequests = {
    self: async () => SELF,
    async installations() {
      const answer = answers[Math.min(asked, answers.length - 1)] ?? [];
      asked += 1;
      if (answer instanceof Fault) throw answer;
      return answer;
    },
  };
  const options = { requests, clock, random: () => 0.5, log: silentLog };
  return { clock, stop, requests, asked: () => asked, check: (given = options) => refuseSecond(given, stop.signal), options };
}

// Contract: install-second
test('the second of two is refused, and the message names the first and the page', async () => {
  await expect(stage([OTHER]).check()).rejects.toThrow(REFUSAL);
});

test('the only one, and one that is no ServiceAccount, are not', async () => {
  await stage([]).check();
  await stage([{ ...OTHER, serviceAccount: SELF }]).check();
  const s = stage([OTHER]);
  await s.check({ ...s.options, requests: { ...s.requests, self: async () => undefined } });
  expect(s.asked()).toBe(0);
});

// Contract: install-second
test('while the API server does not answer, nothing is decided', async () => {
  const s = stage(new Fault('transient', 'no answer'), new Fault('throttled', 'later'), [OTHER]);
  const checked = expect(s.check()).rejects.toThrow(REFUSAL);
  await s.clock.advance(60_000);
  await checked;
  expect(s.asked()).toBe(3);
});

test('without the right to read the policies there is no check', async () => {
  const s = stage(new Fault('denied', 'forbidden'));
  await s.check();
  expect(s.asked()).toBe(1);
});

test('a stop ends the wait', async () => {
  const s = stage(new Fault('transient', 'no answer'));
  const checked = s.check();
  await s.clock.advance(0);
  s.stop.abort();
  await checked;
  expect(s.asked()).toBe(1);
});

test('a bug is no answer', async () => {
  const s = stage([]);
  const requests = { ...s.requests, installations: () => Promise.reject(new TypeError('x is not a function')) };
  await expect(s.check({ ...s.options, requests })).rejects.toThrow(TypeError);
});
