import { describe, expect, test } from 'vitest';
import { finding } from '../../api/finding.ts';
import { loss, NOW } from '../test-observed.ts';
import { dueLoss } from './loss.ts';
import { GUARD_OFF, guardActiveUntil, pausedBy, type RevocationGuard, rememberedUntil } from './revocation-guard.ts';

const STANDS = Number.POSITIVE_INFINITY;
const LOST_AT = NOW - 5_000;
const HOUR = 3_600_000;
const guard = (part: Partial<RevocationGuard> = {}): RevocationGuard => ({ ...GUARD_OFF, ...part });

describe('when a loss is acted on', () => {
  const dueAt = (part: Parameters<typeof loss>[0], graceMs = 24 * HOUR, by = GUARD_OFF) => {
    const found = dueLoss(loss({ since: LOST_AT, ...part }), by, graceMs).dueAt;
    return found === undefined ? undefined : found - LOST_AT;
  };
  test('60 s after a grant was deleted or narrowed', () => expect(dueAt({ cause: 'grant' })).toBe(60_000));
  // Contract: rule-grant-lost-10min
  test('10 min after a label or a tag went', () => expect(dueAt({ cause: 'labelOrTag' })).toBe(600_000));
  // Contract: rule-ungranted
  test('after the grace of the flag, where nobody saw a grant', () => expect(dueAt({ cause: 'unseen' }, HOUR)).toBe(HOUR));
  test('never, where the flag says never', () => expect(dueAt({ cause: 'unseen' }, STANDS)).toBeUndefined());
  test('not while it is paused', () => expect(dueAt({ cause: 'grant' }, HOUR, guard({ activeUntil: STANDS }))).toBeUndefined());
  test('and what was revoked is not paused any more', () =>
    expect(dueLoss(loss({ revokedAt: NOW }), guard({ activeUntil: STANDS }), HOUR).paused).toBeUndefined());
});

const confirm = 'irsa-operator.dev/revocation-confirmed="$(date -u +%FT%TZ)" --overwrite';
describe('many losses', () => {
  test('that are not too many are acted on', () => expect(pausedBy(guard(), LOST_AT)).toBeUndefined());
  test('that are too many are not, and the message tells how to confirm them', () => {
    const message = `more than 10 subjects lost their grant within an hour. Revocation is paused until you confirm it. Restore the grants, or confirm: kubectl annotate irsagrant <any> ${confirm}`;
    expect(pausedBy(guard({ activeUntil: STANDS }), LOST_AT)).toEqual({ finding: finding('RevocationPaused', message), until: STANDS });
  });
  test('that are too many for a time only tell when it is over', () => {
    const found = pausedBy(guard({ activeUntil: NOW }), LOST_AT);
    expect([found?.until, found?.finding.message]).toEqual([
      NOW,
      expect.stringContaining(
        'you confirm it. It continues by itself at 2026-01-01T12:00:00Z, when no more than 10 count. Restore the grants',
      ),
    ]);
  });
  test('that were confirmed after they happened are acted on', () =>
    expect(pausedBy(guard({ activeUntil: STANDS, confirmedAt: LOST_AT }), LOST_AT)).toBeUndefined());
  test('are not confirmed beforehand', () =>
    expect(pausedBy(guard({ activeUntil: STANDS, confirmedAt: LOST_AT - 1 }), LOST_AT)?.finding.code).toBe('RevocationPaused'));
});

describe('everything stays', () => {
  const said = (part: Partial<RevocationGuard>) => pausedBy(guard(part), LOST_AT)?.finding.message;
  // Contract: rule-crd-deleted
  test('while a CRD is being deleted, also what was confirmed', () =>
    expect(said({ definitionGone: true, confirmedAt: NOW })).toBe(
      'a CRD of irsa-operator is being deleted, or does not exist, so nothing is revoked. Install the CRDs again',
    ));
  // Contract: rule-no-grant-seen
  test('while no grant was seen, until it is confirmed that there is none', () => {
    expect(said({ noGrantSeen: true })).toContain(`kubectl annotate namespace <namespace of irsa-operator> ${confirm}`);
    expect(said({ noGrantSeen: true, confirmedAt: NOW })).toBeUndefined();
  });
});

// Contract: rule-revocation-paused
describe('how many count', () => {
  const inNamespaces = (count: number, revokedAt?: number, name = 'n') =>
    Array.from({ length: count }, (_, at) => loss({ subject: `system:serviceaccount:${name}-${at}:app`, revokedAt }));
  const inOne = (count: number, namespace: string, revokedAt?: number) =>
    Array.from({ length: count }, (_, at) => loss({ subject: `system:serviceaccount:${namespace}:app-${at}`, revokedAt }));
  const cases: Record<string, { losses: ReturnType<typeof inOne>; until: number | undefined }> = {
    'ten are not many': { losses: inNamespaces(10), until: undefined },
    'eleven are, for as long as they stand': { losses: inNamespaces(11), until: STANDS },
    'a thousand of one namespace are five': { losses: [...inOne(1_000, 'shop'), ...inNamespaces(5)], until: undefined },
    'of three namespaces with five each they are many': {
      losses: ['a', 'b', 'c'].flatMap((name) => inOne(5, name)),
      until: STANDS,
    },
    'eleven of whom one went are many until that is an hour ago': {
      losses: [...inNamespaces(10), ...inNamespaces(1, NOW, 'gone')],
      until: NOW + HOUR,
    },
    'twelve of whom two went early are many until the second of them is an hour ago': {
      losses: [...inNamespaces(10), ...inNamespaces(2, NOW - 60_000, 'gone')],
      until: NOW + HOUR - 60_000,
    },
    'of one namespace those that count longest count': {
      losses: [...inNamespaces(6), ...inOne(5, 'shop'), ...inOne(5, 'shop', NOW)],
      until: STANDS,
    },
  };
  for (const [sentence, { losses, until }] of Object.entries(cases)) test(sentence, () => expect(guardActiveUntil(losses)).toBe(until));
  test('what was revoked is remembered for an hour', () => expect(rememberedUntil({ revokedAt: NOW })).toBe(NOW + HOUR));
});
