import { keyOf } from '../../api/cluster.ts';
import { revertedBy } from '../../domain/service-account/contention.ts';
import { Contentions, recordRevert } from '../../domain/state/contention.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Stores } from '../stores.ts';

/** Counts what others revert, by the uid of the ServiceAccount: on each change that the watch shows, since a reconcile may see only the last of several. */
export function annotationContentions({ serviceAccounts, bindings, settings }: Stores, clock: Clock): Contentions {
  const contentions = new Contentions();
  serviceAccounts.onChange((previous, next) => {
    if (previous === undefined || next === undefined) return;
    for (const binding of bindings.byIndex('serviceAccount', keyOf(next))) {
      const by = revertedBy(previous, next, binding, settings.webhook);
      if (by === undefined) continue;
      contentions.set(next.uid, recordRevert(contentions.of(next.uid), clock.now(), by));
      return;
    }
  });
  return contentions;
}
