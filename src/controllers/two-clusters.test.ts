import { afterEach, expect, test } from 'vitest';
import { ARN, binding, grant, NOW, own, policy, SERVICE, SUBJECT } from '../domain/test-observed.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { type Iam, MINUTE_MS, operatorOver, SECOND_MS, worldOf } from './test-grant-loss.ts';

/** Two clusters with one issuer and without IDs write one statement, in virtual time. Only green binds and grants what both see. */
const GRACE_MS = 10 * MINUTE_MS;
const clusters: Awaited<ReturnType<typeof operatorOver>>[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.stop();
});

/** Trust policies, and how often a document was stored that lets nobody in. */
class CountingIam extends Map<typeof ARN, string> {
  emptied = 0;
  override set(role: typeof ARN, document: string): this {
    if (!document.includes(SUBJECT)) this.emptied += 1;
    return super.set(role, document);
  }
}

async function twoClusters(sweepIntervalMs = MINUTE_MS) {
  const clock = new ManualClock(NOW);
  const iam = new CountingIam([[ARN, policy(SERVICE, own([SUBJECT]))]]);
  const over = async (part: Pick<Parameters<typeof worldOf>[0], 'bindings' | 'grants'>) => {
    const cluster = await operatorOver(worldOf({ clock, iam: iam satisfies Iam, namespaces: ['shop'], ...part }), {
      ungrantedGraceMs: GRACE_MS,
      sweepIntervalMs,
    });
    clusters.push(cluster);
    return cluster;
  };
  const green = await over({ bindings: [binding()], grants: [grant()] });
  // Another grant is left in blue: it is no cluster whose grants are not restored yet.
  const blue = await over({
    bindings: [],
    grants: [grant(), { ...grant({ serviceAccountNames: ['nobody'] }), name: 'beside', uid: 'beside' }],
  });
  return { clock, iam, blue, green };
}

// Contract: fleet-undo-not-fought
test('what the other cluster allows again is told as that, and not taken out a third time', async () => {
  const { clock, iam, blue, green } = await twoClusters();
  blue.seen.grants.delete('platform');
  await clock.advance(2 * MINUTE_MS + 30 * SECOND_MS);
  expect([iam.emptied, green.standing()['app']]).toEqual([1, [SUBJECT]]);
  const told = () => blue.told.flatMap(({ reason, note }) => (reason === 'TrustUngranted' ? [note] : []));
  expect(told()).toEqual([
    expect.stringMatching(
      /and another writer allowed it again\. .* Another cluster with this issuer may need it: .* It is revoked at 2026-/,
    ),
  ]);

  await clock.advance(24 * 60 * MINUTE_MS);
  expect([iam.emptied, green.standing()['app']]).toEqual([2, [SUBJECT]]);
  expect(told().map((note) => note.includes('irsa-operator does not revoke it again'))).toEqual([false, true]);
});

// Contract: fleet-undo-not-fought
test('the same where the other cluster is so quick that no write is ever confirmed', async () => {
  const { clock, iam, blue, green } = await twoClusters(2 * SECOND_MS);
  blue.seen.grants.delete('platform');
  await clock.advance(GRACE_MS - MINUTE_MS);
  expect([iam.emptied, green.standing()['app']]).toEqual([2, [SUBJECT]]);
  expect(green.bindingOf('shop', 'app')?.status.findings ?? []).toEqual([]);
  await clock.advance(24 * 60 * MINUTE_MS);
  // Of the same day: one more is enough to see it.
  expect([iam.emptied, green.standing()['app']]).toEqual([3, [SUBJECT]]);
});

// Contract: fleet-undo-not-fought
test('what one document brought back that somebody restored is revoked after the grace', async () => {
  const { clock, iam, blue, green } = await twoClusters();
  await green.stop();
  clusters.splice(clusters.indexOf(green), 1);
  blue.seen.grants.delete('platform');
  await clock.advance(2 * MINUTE_MS);
  iam.set(ARN, policy(SERVICE, own([SUBJECT])));
  await clock.advance(GRACE_MS);
  expect([iam.emptied, blue.standing()['app']]).toEqual([1, [SUBJECT]]);
  await clock.advance(2 * MINUTE_MS);
  expect([iam.emptied, blue.standing()['app']]).toEqual([2, []]);
});
