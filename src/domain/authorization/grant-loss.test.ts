import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import { conditionsFrom, timestamp } from '../../api/condition.ts';
import { finding } from '../../api/finding.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import { refusal } from '../role/verdicts.ts';
import type { Verdict } from '../state/verdict.ts';
import { namespace } from '../test-cluster.ts';
import { ARN, allowed, arn, binding, caller, entry, grant, NOW } from '../test-observed.ts';
import { authorize } from './authorize.ts';
import {
  countedUntil,
  GUARD_OFF,
  grantLossOf,
  grantLostSince,
  guardActiveUntil,
  isGrantStillLost,
  pausedBy,
  type RevocationGuard,
  revokedAtFor,
} from './grant-loss.ts';

const LOST_AT = NOW - 5_000;
type Part = NonNullable<Parameters<typeof binding>[0]>;

/** A binding that stands on its role; its status says that the grant went. */
function losing(part: Part = {}, condition: { status?: 'True' | 'False'; reason?: string; generation?: number } = {}): IrsaBinding {
  const { status = 'False', reason = 'NotGranted', generation = 1 } = condition;
  const conditions = conditionsFrom({ Authorized: { status, reason, message: '' } }, [], generation, LOST_AT);
  return binding({ ...part, status: { conditions, roles: [entry()], ...part.status } });
}

const selecting = grant({ namespaces: { selector: { matchLabels: { team: 'platform' } } } });

function grantLoss(one: IrsaBinding, grants: readonly IrsaGrant[] = [], guard: RevocationGuard = GUARD_OFF) {
  const stores = { grants, namespace: namespace(), competingBindings: [one], caller, apiAudiences: [] };
  return grantLossOf(one, authorize(one, stores), stores, guard);
}

describe('a binding that stands on its role and has no grant any more', () => {
  test('loses its trust 60 s after its grant was deleted or narrowed', () =>
    expect(grantLoss(losing())).toEqual({ since: LOST_AT, dueAt: LOST_AT + 60_000, paused: undefined }));
  // Contract: rule-grant-lost-10min
  test('loses it 10 min after a label of its namespace went', () =>
    expect(grantLoss(losing(), [selecting])).toEqual({ since: LOST_AT, dueAt: LOST_AT + 600_000, paused: undefined }));
  test('is not lost while a grant covers it', () => expect(grantLoss(losing(), [grant()])).toBeUndefined());
});

const notLost: Record<string, IrsaBinding> = {
  'whose status does not say so yet': losing({}, { status: 'True', reason: 'Granted' }),
  'that is refused for another reason': losing({}, { reason: 'ServiceAccountTaken' }),
  'that never stood on the role': losing({ status: { conditions: losing().status.conditions, roles: [] } }),
  'without the finalizer': losing({ metadata: { finalizers: [] } }),
  'that asks for another role than it had': losing({ spec: { roleArn: arn('arn:aws:iam::111122223333:role/team/new') } }),
  'that asks for another audience than it had': losing({ spec: { audience: 'sigstore' } }),
  'whose spec changed since the status was written': losing({ metadata: { generation: 2 } }),
  'that is suspended': losing({ spec: { suspend: true } }),
  'that only observes': losing({ spec: { mode: 'Observe' } }),
  'that is being deleted': losing({ metadata: { deleting: true } }),
};
for (const [sentence, one] of Object.entries(notLost))
  test(`a binding ${sentence} has lost nothing`, () => expect([grantLostSince(one), grantLoss(one)]).toEqual([undefined, undefined]));

const STANDS = Number.POSITIVE_INFINITY;

describe('many losses', () => {
  const many = (activeUntil: number | undefined, confirmedAt?: number): RevocationGuard => ({ activeUntil, confirmedAt });
  test('that are not too many are acted on', () => expect(pausedBy(many(undefined), LOST_AT)).toBeUndefined());
  test('that are too many are not, and the message tells how to confirm them', () => {
    const paused = pausedBy(many(STANDS), LOST_AT);
    expect(paused?.until).toBe(STANDS);
    expect(paused?.finding).toEqual(
      finding(
        'RevocationPaused',
        'more than 10 bindings lost their grant within an hour. Revocation is paused until you confirm it. Restore the grants, or confirm: kubectl annotate irsagrant <any> irsa-operator.dev/revocation-confirmed="$(date -u +%FT%TZ)" --overwrite',
      ),
    );
    expect(grantLoss(losing(), [], many(STANDS))).toEqual({ since: LOST_AT, dueAt: undefined, paused });
  });
  test('that are too many for a time only tell when it is over', () => {
    const paused = pausedBy(many(NOW), LOST_AT);
    expect([paused?.until, paused?.finding.message]).toEqual([
      NOW,
      expect.stringContaining(
        'you confirm it. It continues by itself at 2026-01-01T12:00:00Z, when no more than 10 count. Restore the grants',
      ),
    ]);
  });
  test('that were confirmed after they happened are acted on', () =>
    expect(grantLoss(losing(), [], many(STANDS, LOST_AT))).toEqual({ since: LOST_AT, dueAt: LOST_AT + 60_000, paused: undefined }));
  test('are not confirmed beforehand', () => expect(pausedBy(many(STANDS, LOST_AT - 1), LOST_AT)?.finding.code).toBe('RevocationPaused'));
});

const revoked = (at: number, part: Part['status'] = {}): IrsaBinding =>
  losing({ status: { conditions: losing().status.conditions, roles: [], revokedAt: timestamp(at), ...part } });

const counting: Record<string, { one: IrsaBinding; until: number | undefined }> = {
  'in order does not count': { one: binding(), until: undefined },
  'that lost its grant counts as long as its trust stands': { one: losing(), until: STANDS },
  'that lost its trust for it counts for an hour': { one: revoked(NOW), until: NOW + 3_600_000 },
  // Its entry stays, for the tags may come back.
  'that lost its trust for want of a tag of the role counts for an hour': {
    one: revoked(NOW, { roles: [entry()] }),
    until: NOW + 3_600_000,
  },
  'that got its grant back and lost it anew counts anew': { one: revoked(LOST_AT - 60_000, { roles: [entry()] }), until: STANDS },
};
for (const [sentence, { one, until }] of Object.entries(counting))
  test(`a binding ${sentence}`, () => expect(countedUntil(one)).toBe(until));

describe('how many count', () => {
  const of = (count: number, one: IrsaBinding) => Array<IrsaBinding>(count).fill(one);
  const [early, late] = [revoked(NOW - 60_000), revoked(NOW)];
  const cases: Record<string, { bindings: IrsaBinding[]; until: number | undefined }> = {
    'ten are not many': { bindings: of(10, losing()), until: undefined },
    'eleven are, for as long as they stand': { bindings: of(11, losing()), until: STANDS },
    'ten of whom some stand are not many': { bindings: [...of(5, losing()), ...of(5, late)], until: undefined },
    'eleven of whom one went are many until that is an hour ago': { bindings: [...of(10, losing()), late], until: NOW + 3_600_000 },
    'twelve are many until two of them do not count any more': {
      bindings: [...of(5, late), ...of(5, losing()), early, late],
      until: NOW + 3_600_000,
    },
    'twelve of whom two went early are many until the second of them is an hour ago': {
      bindings: [...of(10, losing()), early, early],
      until: NOW + 3_540_000,
    },
    'who is in order adds nothing': { bindings: [...of(10, losing()), ...of(10, binding())], until: undefined },
  };
  for (const [sentence, { bindings, until }] of Object.entries(cases)) test(sentence, () => expect(guardActiveUntil(bindings)).toBe(until));
});

describe('the time at which trust went for want of a grant', () => {
  const told = (one: IrsaBinding, verdict: Verdict | undefined, now = NOW) => revokedAtFor({ binding: one, verdictOn: () => verdict, now });
  const gone: Verdict = { kind: 'released' };
  const tagless = { ...refusal(finding('NotGranted', 'no grant'), { mayStand: false }) };
  const earlier = timestamp(NOW - 600_000);
  const cases: Record<string, { now: string | undefined; wanted: string | undefined }> = {
    'is none while it stands': { now: told(losing(), allowed), wanted: undefined },
    'is none while nobody has looked': { now: told(losing(), undefined), wanted: undefined },
    'is now when it was seen to be gone': { now: told(losing(), gone), wanted: timestamp(NOW) },
    'is now when it was seen to be gone for want of a tag': { now: told(losing(), tagless), wanted: timestamp(NOW) },
    'is not moved as long as the tag is away': {
      now: told(revoked(NOW, { roles: [entry()] }), tagless, NOW + 600_000),
      wanted: timestamp(NOW),
    },
    'stays for the hour': { now: told(revoked(NOW - 600_000), gone), wanted: earlier },
    'is forgotten after the hour': { now: told(revoked(NOW - 600_000), gone, NOW + 3_000_000), wanted: undefined },
    'is not forgotten while the tag is away: it would be lost anew': {
      now: told(revoked(NOW, { roles: [entry()] }), tagless, NOW + 4_000_000),
      wanted: timestamp(NOW),
    },
    'is none for a binding in order whose trust somebody else gives': {
      now: told(binding(), { ...allowed, mayStand: false }),
      wanted: undefined,
    },
  };
  for (const [sentence, { now, wanted }] of Object.entries(cases)) test(sentence, () => expect(now).toBe(wanted));
});

describe('the last look before trust is taken away', () => {
  test('finds the grant that no cache shows', () =>
    expect(isGrantStillLost(losing(), { grants: [grant()], namespace: namespace() })).toBe(false));
  test('finds the label that no cache shows', () =>
    expect(isGrantStillLost(losing(), { grants: [selecting], namespace: namespace({ team: 'platform' }) })).toBe(false));
  test('confirms that there is none', () => expect(isGrantStillLost(losing(), { grants: [selecting], namespace: namespace() })).toBe(true));
  test('is about the role that the binding names', () => {
    const elsewhere = grant({ roleArns: [`${ARN}2`] });
    expect(isGrantStillLost(losing(), { grants: [elsewhere], namespace: namespace() })).toBe(true);
  });
});
