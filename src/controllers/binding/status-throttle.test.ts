import { expect, test } from 'vitest';
import type { BindingStatus } from '../../api/binding.ts';
import { type ConditionStatus, conditionsFrom } from '../../api/condition.ts';
import { NOW } from '../../domain/test-observed.ts';
import { nextReportAt } from './status-throttle.ts';

const SECOND = 1_000;
const status = (total: number, ready: ConditionStatus = 'True', part: Partial<BindingStatus> = {}): BindingStatus => ({
  conditions: conditionsFrom(
    {
      Ready: { status: ready, reason: 'Ready', message: `about ${total} pods` },
      Authorized: { status: 'True', reason: 'Granted', message: 'granted' },
    },
    [],
    1,
    NOW,
  ),
  pods: { total, current: total, stale: 0, exempt: 0, summary: `${total}/${total}` },
  ...part,
});

interface Case {
  readonly after: BindingStatus;
  /** Seconds ago. */
  readonly last?: number;
  /** Seconds from now. */
  readonly due: number | undefined;
}
const cases: Record<string, Case> = {
  'nothing, where nothing changed': { after: status(2), last: 100, due: undefined },
  'pod counts at once, where nothing was written for 30 s': { after: status(3), last: 30, due: 0 },
  'pod counts 30 s after the last write': { after: status(3), last: 1, due: 29 },
  'pod counts at once, where this process wrote nothing yet': { after: status(3), due: 0 },
  'a condition at once': { after: status(3, 'False'), last: 1, due: 0 },
  'a finding at once': {
    after: status(2, 'True', { findings: [{ code: 'TrustOverPermissive', severity: 'Warning', message: '' }] }),
    last: 1,
    due: 0,
  },
  'the echo of a request at once': { after: status(2, 'True', { lastHandledReconcileAt: 'now' }), last: 1, due: 0 },
};
for (const [sentence, { after, last, due }] of Object.entries(cases)) {
  // Contract: report-pace
  test(`it reports ${sentence}`, () => {
    const at = nextReportAt(status(2), after, last === undefined ? undefined : NOW - last * SECOND, NOW);
    expect(at === undefined ? undefined : (at - NOW) / SECOND).toEqual(due);
  });
}
