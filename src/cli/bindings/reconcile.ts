import { type IrsaBinding, openRequest } from '../../api/binding.ts';
import { keyOf, type ObjectKey } from '../../api/cluster.ts';
import { conditionOf } from '../../api/condition.ts';
import type { Report } from '../report.ts';
import { type ChangeRow, changeReport, inTurn } from './change.ts';
import type { BindingPorts } from './ports.ts';
import { isReady, type Selection, selectedFrom } from './select.ts';

/** Asks the operator to read role and provider of each again. `waitMs`: how long it is waited until they are Ready; undefined: not at all. Throws `Fault`. */
export async function reconcile(
  selection: Selection,
  waitMs: number | undefined,
  ports: BindingPorts,
  signal: AbortSignal,
): Promise<Report<ChangeRow>> {
  const { bindings, clock } = ports;
  const found = selectedFrom(selection, await bindings.list(selection, signal));
  const value = new Date(clock.wall()).toISOString();
  const rows = await inTurn(found, async (binding) => {
    await bindings.requestReconcile(binding.metadata, value, signal);
    return 'requested';
  });
  if (waitMs === undefined) return changeReport(rows);
  const requested = rows.filter(({ result }) => result === 'requested');
  const ended = await waitFor(new Set(requested.map(keyOf)), selection.namespace, waitMs, ports, signal);
  return changeReport(rows.map((row) => ({ ...row, ...ended.get(keyOf(row)) })));
}

type Ended = Pick<ChangeRow, 'result' | 'message'>;

/** What became of each. Comes back when all have ended, or time is up. */
async function waitFor(
  keys: ReadonlySet<ObjectKey>,
  namespace: string | undefined,
  waitMs: number,
  { bindings, clock, progress }: BindingPorts,
  signal: AbortSignal,
): Promise<ReadonlyMap<ObjectKey, Ended>> {
  const ended = new Map<ObjectKey, Ended>();
  const last = new Map<ObjectKey, IrsaBinding>();
  const over = new AbortController();
  const timer = clock.sleep(waitMs, over.signal).then(
    () => over.abort(new DOMException('the time is up', 'TimeoutError')),
    () => {},
  );
  const either = AbortSignal.any([signal, over.signal]);
  const take = (key: ObjectKey, outcome: Ended | undefined) => {
    if (outcome !== undefined && keys.has(key)) ended.set(key, outcome);
  };
  const look = (binding: IrsaBinding) => {
    last.set(keyOf(binding.metadata), binding);
    take(keyOf(binding.metadata), outcomeOf(binding));
  };
  try {
    if (keys.size > 0)
      for await (const change of bindings.changes({ namespace }, either)) {
        if (change.kind === 'deleted') take(keyOf(change.binding.metadata), { result: 'deleted' });
        else if (change.kind === 'changed') look(change.binding);
        else {
          for (const binding of change.all) look(binding);
          const there = new Set(change.all.map(({ metadata }) => keyOf(metadata)));
          for (const key of keys) if (!there.has(key)) take(key, { result: 'deleted' });
        }
        progress(ended.size, keys.size, 'bindings');
        if (ended.size === keys.size) break;
      }
  } catch (error) {
    if (!over.signal.aborted || signal.aborted) throw error;
  } finally {
    // Also when the time is up: nobody waits for more of them.
    progress(keys.size, keys.size, 'bindings');
    over.abort();
    await timer;
  }
  for (const key of keys) if (!ended.has(key)) ended.set(key, { result: 'timedOut', message: whyNot(last.get(key)) });
  return ended;
}

/** Undefined while the operator is at it. A request is known by its echo, and Ready counts only with it. */
function outcomeOf(binding: IrsaBinding): Ended | undefined {
  const { metadata, status } = binding;
  if (openRequest(binding) !== undefined) return undefined;
  if (isReady(binding)) return { result: 'ready' };
  const stalled = status.observedGeneration === metadata.generation && conditionOf(status.conditions, 'Stalled')?.status === 'True';
  return stalled ? { result: 'stalled', message: whyNot(binding) } : undefined;
}

function whyNot(binding: IrsaBinding | undefined): string {
  if (binding === undefined || openRequest(binding) !== undefined) return 'irsa-operator has not handled the request. Is it running?';
  const ready = conditionOf(binding.status.conditions, 'Ready');
  return ready === undefined ? 'irsa-operator has not reported on it yet' : `${ready.reason}: ${ready.message}`;
}
