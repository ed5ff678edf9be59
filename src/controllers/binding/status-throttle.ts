import { isDeepStrictEqual } from 'node:util';
import type { BindingStatus } from '../../api/binding.ts';

/** Pods come and go by the dozen in a rollout; nobody reads their number more often than this. */
const COUNTS_EVERY_MS = 30_000;

/** When a status is to be written: epoch milliseconds; undefined where it says nothing new. What matters is never held back. */
export function nextReportAt(
  before: BindingStatus,
  after: BindingStatus,
  lastReportAt: number | undefined,
  now: number,
): number | undefined {
  if (isDeepStrictEqual(before, after)) return undefined;
  if (lastReportAt === undefined || !isDeepStrictEqual(withoutCounts(before), withoutCounts(after))) return now;
  return Math.max(now, lastReportAt + COUNTS_EVERY_MS);
}

/** Without the numbers, and without the words of what holds, which tell them too. */
function withoutCounts({ pods: _, conditions, ...rest }: BindingStatus): unknown {
  return { ...rest, conditions: conditions.map((one) => (one.status === 'True' && GOOD.has(one.type) ? { ...one, message: '' } : one)) };
}

const GOOD: ReadonlySet<string> = new Set(['Ready', 'PodsCurrent']);
