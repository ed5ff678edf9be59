import { describe, expect, test } from 'vitest';
import { loss, NOW } from '../test-observed.ts';
import { dueLoss, isUngranted, type Loss } from './loss.ts';
import { GUARD_OFF } from './revocation-guard.ts';

const [MINUTE, DAY] = [60_000, 86_400_000];
const due = (part: Partial<Loss>, graceMs = DAY) => dueLoss(loss({ since: NOW, ...part }), GUARD_OFF, graceMs);

describe('a loss is acted on', () => {
  for (const [cause, part, grace] of [
    ['a minute after a grant was taken away', { cause: 'grant' }, MINUTE],
    ['ten minutes after a label or tag went', { cause: 'labelOrTag' }, 10 * MINUTE],
    ['a day after it was found where nobody saw a grant', { cause: 'unseen' }, DAY],
    ['a day after it came back, whatever it was lost for', { cause: 'grant', returns: 1 }, DAY],
  ] as const)
    test(cause, () => expect(due(part)).toMatchObject({ dueAt: NOW + grace, paused: undefined }));

  test('never where the grace is without end', () =>
    expect(due({ cause: 'unseen' }, Number.POSITIVE_INFINITY)).toMatchObject({ dueAt: undefined, paused: undefined }));

  // Contract: fleet-undo-not-fought
  test('never when it came back twice: it is told what to do', () => {
    const { dueAt, paused } = due({ returns: 2 });
    expect([dueAt, paused?.until]).toEqual([undefined, Number.POSITIVE_INFINITY]);
    expect(paused?.finding.code).toBe('TrustUngranted');
    expect(paused?.finding.message).toMatch(
      /Another cluster with this issuer may need it: give each cluster a --cluster-id\. irsa-operator does not revoke it again/,
    );
  });
});

test('a loss is reported where this cluster did not take a grant away, or where somebody wrote it again', () => {
  expect(
    [{ cause: 'grant' }, { cause: 'unseen' }, { cause: 'grant', returns: 1 }, { cause: 'unseen', revokedAt: NOW }].map((part) =>
      isUngranted(loss(part as Partial<Loss>)),
    ),
  ).toEqual([false, true, true, false]);
});
