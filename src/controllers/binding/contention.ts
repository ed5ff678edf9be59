import { keyOf } from '../../api/cluster.ts';
import { undoneBy } from '../../domain/service-account/contention.ts';
import { Fights, undone } from '../../domain/state/contention.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { World } from '../stores.ts';

/** Counts what others undo, by the uid of the ServiceAccount: on each change that the watch shows, since a reconcile may see only the last of several. */
export function annotationFights({ serviceAccounts, bindings }: World, clock: Clock): Fights {
  const fights = new Fights();
  serviceAccounts.onChange((previous, next) => {
    if (previous === undefined || next === undefined) return;
    for (const binding of bindings.byIndex('serviceAccount', keyOf(next))) {
      const by = undoneBy(previous, next, binding);
      if (by === undefined) continue;
      fights.keep(next.uid, undone(fights.of(next.uid), clock.now(), by));
      return;
    }
  });
  return fights;
}
