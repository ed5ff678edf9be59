import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import { ANNOTATIONS } from '../../api/names.ts';
import { ARN, binding, NOW, OTHER_ARN } from '../../domain/test-observed.ts';
import { silentLog } from '../../runtime/log.ts';
import { createStores } from '../stores.ts';
import { ReconcileRequests } from './reconcile-requests.ts';

const INTERVAL_MS = 60_000;

/** A binding whose annotation has the value, and whose status says that another one was handled. */
function asking(value: string | undefined, handled?: string, roleArn = ARN): IrsaBinding {
  return binding({
    spec: { roleArn },
    metadata: { annotations: value === undefined ? {} : { [ANNOTATIONS.reconcileRequestedAt]: value } },
    status: handled === undefined ? {} : { lastHandledReconcileAt: handled },
  });
}

function requests(sweepIntervalMs = INTERVAL_MS) {
  const stores = createStores(silentLog);
  const kept = new ReconcileRequests(stores, sweepIntervalMs);
  return {
    kept,
    keep: (one: IrsaBinding, at: number) => kept.keep(one, NOW + at),
    open: () => stores.reconcileRequests.list().map(({ value, role, at }) => ({ value, role, at: at - NOW })),
  };
}

describe('a reconcile request', () => {
  test('is let through at once, and kept until the status says that it was handled', () => {
    const { keep, open } = requests();
    expect(keep(asking('a'), 0)).toBeUndefined();
    expect(keep(asking('a'), 5_000)).toBeUndefined();
    expect(open()).toEqual([{ value: 'a', role: ARN, at: 0 }]);
    keep(asking('a', 'a'), 6_000);
    expect(open()).toEqual([]);
  });

  // Contract: fair-requests
  test('that comes again within the interval waits for its end, and then the latest value is handled', () => {
    const { keep, open } = requests();
    keep(asking('a'), 0);
    expect(keep(asking('b', 'a'), 10_000)).toBe(50_000);
    expect(keep(asking('c', 'a'), 59_999)).toBe(1);
    expect(open()).toEqual([]);
    expect(keep(asking('c', 'a'), 60_000)).toBeUndefined();
    expect(open()).toEqual([{ value: 'c', role: ARN, at: 60_000 }]);
  });

  test('that comes while another one is under way does not make that one begin anew', () => {
    const { keep, open } = requests();
    keep(asking('a'), 0);
    expect(keep(asking('b'), 10_000)).toBe(50_000);
    expect(open()).toEqual([{ value: 'a', role: ARN, at: 0 }]);
  });

  test('that was not answered for an interval gives way to a new one', () => {
    const { keep, open } = requests();
    keep(asking('a'), 0);
    expect(keep(asking('b'), 60_000)).toBeUndefined();
    expect(open()).toEqual([{ value: 'b', role: ARN, at: 60_000 }]);
  });

  test('is of the same time where the role changes meanwhile', () => {
    const { keep, open } = requests();
    keep(asking('a'), 0);
    keep(asking('a', undefined, OTHER_ARN), 10_000);
    expect(open()).toEqual([{ value: 'a', role: OTHER_ARN, at: 0 }]);
  });

  test('is over when the annotation goes', () => {
    const { keep, open } = requests();
    keep(asking('a'), 0);
    expect(keep(asking(undefined), 10_000)).toBeUndefined();
    expect(open()).toEqual([]);
  });

  test('waits a minute at most, however seldom the operator sweeps', () => {
    const { keep } = requests(3_600_000);
    keep(asking('a'), 0);
    expect(keep(asking('b', 'a'), 1_000)).toBe(59_000);
  });

  test('of a binding that is gone is forgotten', () => {
    const { kept, keep, open } = requests();
    keep(asking('a'), 0);
    kept.forget('shop/app');
    expect(open()).toEqual([]);
    expect(keep(asking('b'), 1)).toBeUndefined();
  });
});
