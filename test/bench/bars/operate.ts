import { setTimeout as wait } from 'node:timers/promises';
import type { Api, Testbed } from '@irsa-operator/testbed';
import { pathOf } from '../../harness/objects.ts';
import type { RunningOperator } from '../../harness/operator.ts';
import { type Binding, says } from '../../harness/views.ts';
import { type Counts, callsSince, writesSince } from './counts.ts';
import { arnOf, makeBinding, makeRole, type Size } from './fleet.ts';
import { type Reading, readingOf } from './process.ts';
import { type Scrape, scraping } from './scrapes.ts';
import { watching } from './watching.ts';

/** No limit: what is measured is the operator, and not its patience with AWS. */
export const UNLIMITED = ['--iam-writes-per-second', '1000', '--iam-reads-per-second', '1000'] as const;
/** A user who has just come, into a namespace of its own. */
const NEWCOMER = { namespace: 'newcomer', name: 'newcomer', role: 'newcomer', roleArn: arnOf('newcomer') };
/** When the operator has all in view and has begun with it. */
const NEWCOMER_AFTER_MS = 1_000;

export interface Converged {
  readonly operator: RunningOperator;
  readonly firstMs: number;
  readonly allMs: number;
  readonly newcomerMs: number;
  readonly scrapes: readonly Scrape[];
  readonly atEnd: Reading;
  readonly calls: Counts;
  readonly writes: Counts;
}

/** From the start of the operator until every binding of the fleet is Ready. The caller stops it. */
export async function converge(
  testbed: Testbed,
  api: Api,
  size: Size,
  timeoutMs: number,
  start: () => Promise<RunningOperator>,
): Promise<Converged> {
  await api.call('POST', pathOf('namespaces'), { body: { metadata: { name: NEWCOMER.namespace } } });
  await makeRole(testbed.aws, api, NEWCOMER.role, NEWCOMER.namespace);
  const readyAt = new Map<string, number>();
  const watch = await watching<Binding>(api, pathOf('irsabindings'), (binding) => {
    const { namespace, name } = binding.metadata;
    const key = `${namespace}/${name}`;
    if (!readyAt.has(key) && says(binding, 'Ready', 'True')) readyAt.set(key, performance.now());
  });
  const since = Date.now();
  const began = performance.now();
  const operator = await start();
  try {
    const scrapes = scraping(operator);
    await wait(NEWCOMER_AFTER_MS);
    const cameAt = performance.now();
    await makeBinding(api, NEWCOMER);
    await watch.until('every binding is Ready', () => readyAt.size === size.bindings + 1, timeoutMs);
    const atEnd = readingOf(operator.pid);
    const key = `${NEWCOMER.namespace}/${NEWCOMER.name}`;
    const newcomerMs = (readyAt.get(key) ?? 0) - cameAt;
    readyAt.delete(key);
    const times = [...readyAt.values()];
    return {
      operator,
      firstMs: times.reduce((a, b) => Math.min(a, b)) - began,
      allMs: times.reduce((a, b) => Math.max(a, b)) - began,
      newcomerMs,
      scrapes: await scrapes.end(),
      atEnd,
      calls: callsSince(testbed, since),
      writes: await writesSince(testbed, since),
    };
  } catch (error) {
    await operator.stop();
    throw error;
  } finally {
    await watch.stop();
  }
}
