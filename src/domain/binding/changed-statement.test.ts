import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import { conditionOf } from '../../api/condition.ts';
import { ANNOTATIONS } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { sidFor } from '../../trust/document/own-statement.ts';
import { planRole, type RoleObserved } from '../role/plan.ts';
import type { Verdict } from '../state/verdict.ts';
import { CHANGED } from '../test-changed-statement.ts';
import {
  ARN,
  allowed,
  arn,
  authorizationFor,
  binding,
  cluster,
  entry,
  grant,
  ISSUER,
  loss,
  NOW,
  type ObservedPart,
  OTHER_ARN,
  observed,
  own,
  policy,
  present,
  provider,
  REACHED,
  SERVICE,
  SUBJECT,
  serviceAccount,
  unreached,
  withoutQuota,
} from '../test-observed.ts';
import { planBinding } from './plan.ts';

const AUDIENCE = 'sts.amazonaws.com';
const DAY = 86_400_000;
const unmarked = serviceAccount({});
const lost = loss({ since: NOW - DAY, dueAt: NOW - DAY });
const lossOf = () => lost;
const lossTold = {
  type: 'Authorized',
  status: 'False',
  reason: 'NotGranted',
  message: 'x',
  observedGeneration: 1,
  lastTransitionTime: new Date(NOW - DAY).toISOString(),
} as const;
const readyTold = { ...lossTold, type: 'Ready', status: 'True', reason: 'Ready' } as const;
const uncovered = binding({ status: { conditions: [lossTold] } });
const moved = binding({ spec: { roleArn: OTHER_ARN }, status: { roles: [entry(), entry(OTHER_ARN)], conditions: [readyTold] } });
const gone = (part: Parameters<typeof binding>[0] = {}) => binding({ ...part, metadata: { ...part.metadata, deleting: true } });

/** What the role controller finds in the role, with the binding as the only one. */
function verdictAmong(statements: readonly object[], one: IrsaBinding, part: Partial<RoleObserved> = {}): Verdict | undefined {
  const record = present({ policy: policy(SERVICE, ...statements) });
  return planRole({
    now: NOW,
    arn: ARN,
    bindings: [authorizationFor(one)],
    record,
    cluster,
    reach: REACHED,
    provider,
    losses: [],
    ...part,
  }).verdicts[0]?.[1];
}

/** What becomes of the binding by that. */
function bindingAmong(statements: readonly object[], one: IrsaBinding, part: ObservedPart = {}, role: Partial<RoleObserved> = {}) {
  const verdict = verdictAmong(statements, one, role);
  const verdicts = new Map<string, Verdict>([[OTHER_ARN, allowed], ...(verdict === undefined ? [] : [[ARN, verdict] as const])]);
  const current = { ...present(), arn: isProblem(one.spec) ? ARN : one.spec.roleArn };
  return planBinding(observed({ binding: one, role: current, verdicts, serviceAccount: unmarked, ...part }));
}

const lostGrants: Partial<RoleObserved> = { bindings: [authorizationFor(uncovered, [])], losses: [lost] };

// Contract: trust-changed-statement
for (const [sentence, { statements, admits }] of Object.entries(CHANGED))
  describe(`our statement, changed by another writer ${sentence},`, () => {
    const stays = admits !== 'no';

    test(`${stays ? 'holds' : 'does not hold'} the deletion of the binding`, () => {
      const { steps, status } = bindingAmong(statements, gone());
      expect(steps.map((step) => step.do)).toEqual(stays ? [] : ['removeFinalizer']);
      if (!stays) return;
      expect(conditionOf(status.conditions, 'Trusted')).toMatchObject({ status: 'Unknown', reason: 'TrustRevocationBlocked' });
      expect(status.roles).toEqual([entry()]);
    });
    test.each([{ spec: { deletionPolicy: 'Retain' } }, { metadata: { annotations: { [ANNOTATIONS.forceDelete]: 'true' } } }])(
      'does not hold a deletion that leaves the trust as it is (%j)',
      (part) => expect(bindingAmong(statements, gone(part)).steps).toEqual([{ do: 'removeFinalizer' }]),
    );
    test(`is ${stays ? 'no' : 'the'} end of the trust of a lost grant`, () => {
      const { status } = bindingAmong(statements, uncovered, { grants: [], lossOf }, lostGrants);
      expect(status.roles).toEqual(stays ? [entry()] : undefined);
      expect(conditionOf(status.conditions, 'Authorized')?.message.includes('not revoked yet')).toBe(stays);
      expect(status.findings?.some(({ code }) => code === 'TrustRevocationBlocked')).toBe(stays);
    });
    test(`${stays ? 'stays' : 'does not stay'} in the status of a binding that has another role now`, () => {
      const { status } = bindingAmong(statements, moved);
      expect(status.roles?.map((one) => one.arn)).toEqual(stays ? [ARN, OTHER_ARN] : [OTHER_ARN]);
    });
    test.each([{ suspend: true }, { mode: 'Observe' }, { trustPolicy: 'External' }])(
      `${stays ? 'stays' : 'does not stay'} in the status of a binding that writes no trust (%j)`,
      (spec) => expect(bindingAmong(statements, binding({ spec })).status.roles).toEqual(stays ? [entry()] : undefined),
    );
    test('is not written to', () => {
      const record = present({ policy: policy(SERVICE, ...statements) });
      const { steps } = planRole({ ...lostGrants, ...base(gone()), record });
      expect(steps).toEqual([]);
    });
  });

function base(one: IrsaBinding): RoleObserved {
  return { now: NOW, arn: ARN, bindings: [authorizationFor(one)], record: undefined, cluster, reach: REACHED, provider, losses: [] };
}

describe('a revocation that is blocked by another writer', () => {
  const twice = [{ ...own(), Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'] }];
  const message = `trust policy of ${ARN}: another writer changed the statement "${sidFor(ISSUER, AUDIENCE)}", which has the Sid of irsa-operator, or added a second one. It still allows the subject of this binding, and irsa-operator does not change it. Remove the subject or the statement. To keep the access without irsa-operator, give the statement another Sid`;

  test('says what was changed, that it still allows the subject, and what to do', () =>
    expect(conditionOf(bindingAmong(twice, gone()).status.conditions, 'Trusted')?.message).toBe(message));
  test('says where it is not certain that it allows the subject', () =>
    expect(
      conditionOf(bindingAmong([{ ...own(), Effect: 'allow' }], gone()).status.conditions, 'Trusted')?.message.includes(
        'It may still allow',
      ),
    ).toBe(true));
  test('is a finding of a binding that works with another role now', () =>
    expect(
      bindingAmong(twice, moved, { serviceAccount: serviceAccount({ 'eks.amazonaws.com/role-arn': OTHER_ARN }), pods: [] }).status.findings,
    ).toContainEqual(expect.objectContaining({ code: 'TrustRevocationBlocked', message })));
  test('is in the words of a binding without a grant', () => {
    const { status } = bindingAmong(twice, uncovered, { grants: [], lossOf }, lostGrants);
    expect(conditionOf(status.conditions, 'Authorized')?.message).toMatch(
      `Its trust is to be revoked since 2025-12-31T12:00:00Z. It is not revoked yet: ${message}`,
    );
  });
  test('is held also where the role lost the tag that its grant requires, and only told to whom had it', () => {
    const wants = [grant({ requiredRoleTags: { owner: 'shop' } })];
    const tags = { values: new Map<string, string>(), asOf: NOW, since: NOW - DAY };
    const record = present({ policy: policy(SERVICE, ...twice), tags });
    const told = (one: IrsaBinding, losses: RoleObserved['losses']) => {
      const verdict = verdictAmong(twice, one, { record, bindings: [authorizationFor(one, wants)], losses });
      return verdict?.kind === 'refused' && [verdict.mayStand, verdict.findings.map(({ code }) => code)];
    };
    expect(told(binding(), [lost])).toEqual([true, ['NotGranted', 'TrustRevocationBlocked']]);
    expect(told(binding({ status: { roles: [] } }), [])).toEqual([true, ['NotGranted']]);
  });
  test('goes on when the subject is out', () => expect(bindingAmong([], gone()).steps).toEqual([{ do: 'removeFinalizer' }]));
  test('goes on when the statement has our form again: it is released then', () =>
    expect(planRole({ ...base(gone()), record: present() }).steps.map((step) => step.do)).toEqual(['edit']));
});

describe('what nothing can be asked or written for', () => {
  const FAR = arn('arn:aws:iam::999900001111:role/team/app');
  const why: Record<string, { part: ObservedPart; role?: typeof ARN; reason: string; says: string; advice: string; stalled?: boolean }> = {
    'while it is not known who we are': {
      part: { reachOf: unreached('no credentials') },
      reason: 'CallerUnknown',
      says: 'sts:GetCallerIdentity failed: no credentials. irsa-operator writes nothing and asks again. Check its AWS credentials',
      advice: 'Check the AWS credentials of irsa-operator and its way to STS. The call sts:GetCallerIdentity needs no permission',
    },
    'while the issuer is not known': {
      part: { cluster: { kind: 'unknown', why: 'no answer' } },
      reason: 'IssuerUnknown',
      says: "the issuer of this cluster's tokens is unknown, so irsa-operator writes nothing: no answer",
      advice: 'Set --oidc-issuer',
    },
    'while the quota is not known': {
      part: { reachOf: withoutQuota },
      reason: 'QuotaUnknown',
      says: 'iam:GetAccountSummary did not report how long a trust policy may be. irsa-operator writes no trust policy and asks again. See its log',
      advice: 'Check the AWS credentials of irsa-operator and its way to IAM. Its log says why iam:GetAccountSummary failed',
    },
    'of a role in another account': {
      part: {},
      role: FAR,
      reason: 'RoleInOtherAccount',
      says: `role "${FAR}" is in account 999900001111. The credentials of irsa-operator reach only account 111122223333. To give it a role there, a cluster administrator applies {"apiVersion":"irsa-operator.dev/v1alpha1","kind":"IrsaAccount","metadata":{"name":"999900001111"},"spec":{"roleArn":"arn:aws:iam::999900001111:role/irsa-operator-member"}}`,
      advice: 'Create an IrsaAccount for the account of the role',
      stalled: true,
    },
  };
  for (const [sentence, { part, role = ARN, reason, says, advice, stalled = false }] of Object.entries(why)) {
    const status = { roles: [entry(role)], conditions: [lossTold] };
    const one = { spec: { roleArn: role }, status };

    // Contract: end-early-checks
    test(`is named by a deletion ${sentence}, and the finalizer stays`, () => {
      const plan = planBinding(observed({ binding: gone(one), verdicts: new Map(), ...part }));
      expect(plan.steps).toEqual([]);
      expect(plan.status.roles).toEqual([entry(role)]);
      expect(conditionOf(plan.status.conditions, 'ProviderReady')).toMatchObject({ status: 'Unknown', reason, message: says });
      expect(conditionOf(plan.status.conditions, 'Ready')).toMatchObject({ reason, message: `${advice}. See condition ProviderReady` });
      expect(conditionOf(plan.status.conditions, stalled ? 'Stalled' : 'Reconciling')?.status).toBe('True');
    });
    test(`is named by a revocation for want of a grant ${sentence}`, () => {
      const plan = planBinding(observed({ binding: binding(one), grants: [], lossOf, verdicts: new Map(), ...part }));
      expect(conditionOf(plan.status.conditions, 'Authorized')?.message.endsWith(`It is not revoked yet: ${says}`)).toBe(true);
      expect([plan.status.roles, plan.status.revokedAt]).toEqual([[entry(role)], undefined]);
    });
    test.each([{}, { suspend: true }, { mode: 'Observe' }, { trustPolicy: 'External' }])(
      `is named by a binding that lives (%j) ${sentence}`,
      (spec) => {
        const grants = [grant({ roleArns: [role] })];
        const living = binding({ spec: { roleArn: role, ...spec }, status: { roles: [] } });
        const plan = planBinding(observed({ binding: living, grants, verdicts: new Map(), ...part }));
        expect(conditionOf(plan.status.conditions, 'ProviderReady')).toMatchObject({ status: 'Unknown', reason, message: says });
        expect(conditionOf(plan.status.conditions, 'Ready')).toMatchObject({ reason, message: `${advice}. See condition ProviderReady` });
      },
    );
  }
  test('is not told of what nobody waits for: the deletion retains', () =>
    expect(planBinding(observed({ binding: gone({ spec: { deletionPolicy: 'Retain' } }), reachOf: unreached() })).steps).toEqual([
      { do: 'removeFinalizer' },
    ]));
  test('does not alarm a binding in order while only the quota is not known yet', () => {
    const whole = { ...readyTold, type: 'ProviderReady' } as const;
    const one = binding({ status: { observedGeneration: 1, conditions: [whole, readyTold] } });
    expect(planBinding(observed({ binding: one, reachOf: withoutQuota })).status.conditions).toEqual([whole, readyTold]);
  });
  test('is named by a binding that left a role in an account that the credentials do not reach any more', () => {
    const one = binding({ status: { roles: [entry(FAR), entry()], conditions: [readyTold] } });
    expect(planBinding(observed({ binding: one })).status.findings?.map(({ code }) => code)).toEqual(['RoleInOtherAccount']);
  });
  test(`is told of the subject ${SUBJECT} only by its own binding`, () => expect(planBinding(observed()).status.findings).toBeUndefined());
});

test('after a restart, a revocation that was seen is not said to be still to come while the role was not looked at', () => {
  const message = (roles: ReturnType<typeof entry>[]) => {
    const { status } = planBinding(observed({ binding: binding({ status: { roles } }), grants: [], lossOf, verdicts: new Map() }));
    return conditionOf(status.conditions, 'Authorized')?.message;
  };
  expect(message([])).toMatch(/covers all four$/);
  expect(message([entry()])).toMatch(/not revoked yet: removing the subject of this binding/);
});
