import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../api/binding.ts';
import { conditionsFrom } from '../api/condition.ts';
import type { IrsaGrant } from '../api/grant.ts';
import { claimOf } from './claim.ts';
import { isStillLost, type Losses, lossOf, lostSince, pausedBy } from './loss.ts';
import { ARN, arn, binding, caller, entry, grant, NO_LOSSES, NOW } from './test-observed.ts';
import { namespace } from './test-world.ts';

const LOST_AT = NOW - 5_000;
type Part = NonNullable<Parameters<typeof binding>[0]>;

/** A binding that stands on its role; its status says that the grant went. */
function losing(part: Part = {}, condition: { status?: 'True' | 'False'; reason?: string; generation?: number } = {}): IrsaBinding {
  const { status = 'False', reason = 'NotGranted', generation = 1 } = condition;
  const conditions = conditionsFrom({ Authorized: { status, reason, message: '' } }, [], generation, LOST_AT);
  return binding({ ...part, status: { conditions, roles: [entry()], ...part.status } });
}

const selecting = grant({ namespaces: { selector: { matchLabels: { team: 'platform' } } } });

function loss(one: IrsaBinding, grants: readonly IrsaGrant[] = [], losses: Losses = NO_LOSSES) {
  const world = { grants, namespace: namespace(), rivals: [one], caller, apiAudiences: [] };
  return lossOf(one, claimOf(one, world), world, losses);
}

describe('a binding that stands on its role and has no grant any more', () => {
  test('loses its trust 60 s after its grant was deleted or narrowed', () =>
    expect(loss(losing())).toEqual({ since: LOST_AT, dueAt: LOST_AT + 60_000, paused: undefined }));
  // Contract: rule-grant-lost-10min
  test('loses it 10 min after a label of its namespace went', () =>
    expect(loss(losing(), [selecting])).toEqual({ since: LOST_AT, dueAt: LOST_AT + 600_000, paused: undefined }));
  test('is not lost while a grant covers it', () => expect(loss(losing(), [grant()])).toBeUndefined());
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
  test(`a binding ${sentence} has lost nothing`, () => expect([lostSince(one), loss(one)]).toEqual([undefined, undefined]));

describe('many losses', () => {
  const many = (count: number, confirmedAt?: number): Losses => ({ count, confirmedAt });
  test('of ten bindings are acted on', () => expect(pausedBy(many(10), LOST_AT)).toBeUndefined());
  test('of eleven are not, and the message tells how to confirm them', () => {
    const found = pausedBy(many(11), LOST_AT);
    expect(found?.code).toBe('RevocationPaused');
    expect(found?.message).toBe(
      '11 bindings lost their grant within an hour, which is more than 10: no trust is taken away before somebody confirms that it is meant: kubectl annotate irsagrant <any> irsa-operator.dev/revocation-confirmed="$(date -u +%FT%TZ)" --overwrite; or give the grants back',
    );
    expect(loss(losing(), [], many(11))).toEqual({ since: LOST_AT, dueAt: undefined, paused: found });
  });
  test('that were confirmed after they happened are acted on', () =>
    expect(loss(losing(), [], many(11, LOST_AT))).toEqual({ since: LOST_AT, dueAt: LOST_AT + 60_000, paused: undefined }));
  test('are not confirmed beforehand', () => expect(pausedBy(many(11, LOST_AT - 1), LOST_AT)?.code).toBe('RevocationPaused'));
});

describe('the last look before trust is taken away', () => {
  test('finds the grant that no cache shows', () =>
    expect(isStillLost(losing(), { grants: [grant()], namespace: namespace() })).toBe(false));
  test('finds the label that no cache shows', () =>
    expect(isStillLost(losing(), { grants: [selecting], namespace: namespace({ team: 'platform' }) })).toBe(false));
  test('confirms that there is none', () => expect(isStillLost(losing(), { grants: [selecting], namespace: namespace() })).toBe(true));
  test('is about the role that the binding names', () => {
    const elsewhere = grant({ roleArns: [`${ARN}2`] });
    expect(isStillLost(losing(), { grants: [elsewhere], namespace: namespace() })).toBe(true);
  });
});
