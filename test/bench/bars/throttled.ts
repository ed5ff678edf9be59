import type { Api, Testbed } from '@irsa-operator/testbed';
import { pathOf } from '../../harness/objects.ts';
import { AS_IT_SHIPS, startOperator } from '../../harness/operator.ts';
import { type Binding, says } from '../../harness/views.ts';
import type { Size } from './fleet.ts';
import { watching } from './watching.ts';

/** Of IAM for the writes of an account, and what the flags of the operator say. */
const BUCKET = { perSecond: 5, burst: 5 };

export interface Throttled {
  /** From the first write to the last one, and what the bucket needs for as many. */
  readonly tookMs: number;
  readonly floorMs: number;
  readonly writes: number;
  /** Of all calls. */
  readonly throttledPart: number;
}

/** An AWS that throttles in earnest, and the operator with the flags that ship. */
export async function throttled(testbed: Testbed, api: Api, size: Size, timeoutMs: number): Promise<Throttled> {
  testbed.aws.behave({ limits: { 'iam:UpdateAssumeRolePolicy': BUCKET } });
  const ready = new Set<string>();
  const watch = await watching<Binding>(api, pathOf('irsabindings'), (binding) => {
    if (says(binding, 'Ready', 'True')) ready.add(binding.metadata.uid);
  });
  const operator = await startOperator(testbed, [], [], undefined, undefined, AS_IT_SHIPS);
  try {
    await watch.until('every binding is Ready', () => ready.size === size.bindings, timeoutMs);
  } finally {
    await operator.stop();
    await watch.stop();
  }
  const calls = testbed.aws.journal.filter(({ userAgent }) => userAgent.includes('irsa-operator'));
  const writes = calls
    .filter(({ operation, code }) => operation === 'UpdateAssumeRolePolicy' && code === 'OK')
    .map(({ at }) => at.getTime());
  return {
    tookMs: (writes.at(-1) ?? 0) - (writes[0] ?? 0),
    floorMs: ((size.roles - BUCKET.burst) * 1_000) / BUCKET.perSecond,
    writes: writes.length,
    throttledPart: calls.filter(({ code }) => code === 'Throttling').length / calls.length,
  };
}
