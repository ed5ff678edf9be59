import { until } from '@irsa-operator/testbed';
import { beforeAll, expect, test } from 'vitest';
import { callsSince, sum, writesSince } from '../bench/bars/counts.ts';
import { makeFleet } from '../bench/bars/fleet.ts';
import { pathOf } from '../harness/objects.ts';
import { samples } from '../harness/scrape.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';
import { type Binding, conditionOf } from '../harness/views.ts';

/*
 * The small sister of `make bench`: of a fleet that is there before the operator starts, what does not depend on how fast the machine is.
 */
const SIZE = { bindings: 500, roles: 50, pods: 0 };
/** For 500 bindings on a machine that does much else. */
const PATIENCE = { timeoutMs: 300_000 };
const TEST = { timeout: 2 * PATIENCE.timeoutMs };
/** Of the contract, for 10,000 bindings on 1,000 roles. */
const CALLS_OF_A_RESTART = 12;
const UNLIMITED = [...SWEEP, '--iam-writes-per-second', '1000', '--iam-reads-per-second', '1000'];

const suite = integrationSuite({ operator: false });

beforeAll(async () => {
  await makeFleet(suite.testbed, suite.api, SIZE);
  await suite.start(UNLIMITED);
});

async function bindingsThatAre(ready: 'True' | 'False'): Promise<number> {
  const { items } = await suite.api.call<{ items: Binding[] }>('GET', pathOf('irsabindings'));
  return items.filter((binding) => conditionOf(binding, 'Ready')?.status === ready).length;
}

test('every binding of the fleet becomes Ready, and then nothing is written', TEST, async () => {
  await until('every binding is Ready', async () => (await bindingsThatAre('True')) === SIZE.bindings, PATIENCE);
  // Events come last: on a busy machine a thousand of them wait behind the statuses.
  const isStill = async () => {
    const since = Date.now();
    await suite.secondLook();
    return (await writesSince(suite.testbed, since)).size === 0;
  };
  await until('nothing is written between two looks', isStill, PATIENCE);
  const since = Date.now();
  await suite.secondLook();
  expect(await writesSince(suite.testbed, since)).toEqual(new Map());
  expect(await bindingsThatAre('False')).toBe(0);
});

test('a binding that is Ready has no series of its own, and neither has its ServiceAccount', async () => {
  const own = (await samples(suite.operator)).filter(({ labels }) => labels['namespace']?.startsWith('team-'));
  expect(own).toEqual([]);
});

test('a restart reads the roles in one list, and writes nothing', TEST, async () => {
  const since = Date.now();
  const operator = await suite.restart(UNLIMITED);
  const sweeps = () => callsSince(suite.testbed, since).get('ListRoles') ?? 0;
  await until('it swept once', () => sweeps() > 0, PATIENCE);
  expect(sum(callsSince(suite.testbed, since))).toBeLessThanOrEqual(CALLS_OF_A_RESTART);
  await suite.secondLook();
  expect(await writesSince(suite.testbed, since)).toEqual(new Map());
  expect(operator.log.filter(({ level }) => level === 'error')).toEqual([]);
  // Each sweep is a list: no role is read by itself.
  const calls = callsSince(suite.testbed, since);
  expect(sum(calls, (what) => !/^(ListRoles|GetOpenIDConnectProvider|GetAccountSummary|GetCallerIdentity)$/.test(what))).toBe(0);
});
