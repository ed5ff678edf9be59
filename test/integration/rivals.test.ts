import { until } from '@irsa-operator/testbed';
import { expect, test } from 'vitest';
import { LEASE, unless } from '../harness/objects.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { type Binding, conditionOf } from '../harness/views.ts';

/** What one tenant can create by the thousand, beside another tenant who creates one, on the real control plane. */
const MANY = 1_000;
const EVALUATED = 16;
/** At once, as `kubectl apply` of several people does. */
const AT_ONCE = 20;
const PATIENCE = { timeoutMs: 240_000 };
/** The bar is 10 s on a quiet machine; this one has other tests beside it. */
const MOST_SECONDS = 30;

const suite = integrationSuite({ grant: {} });
const { prepared } = suite;

interface Lease {
  readonly spec: { readonly holderIdentity: string; readonly leaseTransitions: number };
}
const leader = async () => {
  const { holderIdentity, leaseTransitions } = (await suite.api.call<Lease>('GET', LEASE)).spec;
  return { holderIdentity, leaseTransitions };
};
/** A replica is ready before it leads. */
async function leads(): ReturnType<typeof leader> {
  await until('a replica leads', async () => (await unless([404], leader())) !== undefined, PATIENCE);
  return await leader();
}
const numbers = Array.from({ length: MANY }, (_, at) => at);
const nameOf = (at: number) => `app-${String(at).padStart(4, '0')}`;

async function bindMany(s: Scene, spec: (at: number) => object): Promise<void> {
  const left = numbers.values();
  const worker = async () => {
    for (const at of left) await s.bind(spec(at), nameOf(at));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** How long a tenant who comes now waits until the role trusts the ServiceAccount. */
async function neighbour(name: string): Promise<number> {
  const s = await prepared(name);
  const began = performance.now();
  await s.bind();
  await s.conditionIs('Trusted', 'True');
  expect(s.stands()).toBe(true);
  return (performance.now() - began) / 1_000;
}

/** The longest that the event loop of the operator was held, as its metrics have it since the last scrape. */
async function longestBlock(): Promise<string | undefined> {
  return /^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(await suite.metrics())?.[1];
}

const told = (one: Binding) => conditionOf(one, 'Authorized');

// Contract: competing-bound, slices
test(`${MANY} bindings of one ServiceAccount by one tenant: another tenant's new binding is trusted, and the operator keeps its lease`, async () => {
  const before = await leads();
  const s = await prepared('crowded');
  await bindMany(s, () => ({}));
  const seconds = await neighbour('beside-crowded');
  const all = await until(
    'each of them has its answer',
    async () => {
      const found = await s.list<Binding>('irsabindings');
      return found.every((one) => told(one) !== undefined) && found;
    },
    PATIENCE,
  );
  console.log(
    `beside ${MANY} bindings of one ServiceAccount: trusted after ${seconds.toFixed(1)} s, longest block ${await longestBlock()} s`,
  );
  expect(seconds).toBeLessThan(MOST_SECONDS);
  expect(all.filter((one) => told(one)?.status === 'True')).toHaveLength(1);
  const stalled = all.filter((one) => conditionOf(one, 'Stalled')?.reason === 'ServiceAccountTaken');
  expect(stalled).toHaveLength(MANY - 1);
  expect(stalled.filter((one) => told(one)?.message.includes('evaluates the 16 oldest IrsaBindings'))).toHaveLength(MANY - EVALUATED);
  expect(s.writes()).toHaveLength(1);
  expect(await leader()).toEqual(before);
});

// Contract: slices
test(`${MANY} bindings of one role by one tenant: another tenant's new binding is trusted, and the operator keeps its lease`, async () => {
  const before = await leads();
  const s = await prepared('shared');
  await bindMany(s, (at) => ({ serviceAccountName: nameOf(at) }));
  const seconds = await neighbour('beside-shared');
  console.log(`beside ${MANY} bindings of one role: trusted after ${seconds.toFixed(1)} s, longest block ${await longestBlock()} s`);
  expect(seconds).toBeLessThan(MOST_SECONDS);
  await until(
    'each of them has its answer',
    async () => (await s.list<Binding>('irsabindings')).every((one) => conditionOf(one, 'Trusted')?.reason !== undefined),
    PATIENCE,
  );
  expect(await leader()).toEqual(before);
});
