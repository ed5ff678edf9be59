import { expect, test } from 'vitest';
import { AwsError } from '../aws-error.ts';
import { createFaultScript, type ScriptedFault } from './faults.ts';

const call = (service: string, operation: string, params: Record<string, string> = {}, account = '111122223333') => ({
  account,
  service,
  operation,
  params: new Map(Object.entries(params)),
});
const GET = call('iam', 'GetRole', { RoleName: 'lbc' });

const fits: Record<string, [Omit<ScriptedFault, 'kind'>, ReturnType<typeof call>, boolean]> = {
  'a fault of everything': [{}, GET, true],
  'a fault of the service': [{ service: 'iam' }, GET, true],
  'a fault of another service': [{ service: 'sts' }, GET, false],
  'a fault of the operation': [{ operation: 'GetRole' }, GET, true],
  'a fault of another operation': [{ operation: 'ListRoles' }, GET, false],
  'a fault of the role': [{ roleName: 'lbc' }, GET, true],
  'a fault of another role': [{ roleName: 'other' }, GET, false],
  'a fault of the role, by its ARN': [
    { roleName: 'lbc' },
    call('sts', 'AssumeRole', { RoleArn: 'arn:aws:iam::111122223333:role/team/lbc' }),
    true,
  ],
  'a fault of the account': [{ account: '111122223333' }, GET, true],
  'a fault of another account': [{ account: '444455556666' }, GET, false],
  'a fault of the account of a role, which somebody of another account assumes': [
    { account: '444455556666' },
    call('sts', 'AssumeRole', { RoleArn: 'arn:aws-cn:iam::444455556666:role/lbc' }),
    true,
  ],
  'a fault of the account of a role, which a token assumes': [
    { account: '444455556666' },
    call('sts', 'AssumeRoleWithWebIdentity', { RoleArn: 'arn:aws:iam::444455556666:role/lbc' }, ''),
    true,
  ],
  'a fault of a role, where the call names none': [{ roleName: 'lbc' }, call('iam', 'ListRoles'), false],
};
test.each(Object.entries(fits))('%s', (_, [fault, met, expected]) => {
  const script = createFaultScript();
  script.next({ ...fault, kind: 'serviceFailure' });
  expect(script.meet(met) !== undefined).toBe(expected);
});

test('a fault comes once, or as often as is said, or until it is ended', () => {
  const met = (times?: number) => {
    const script = createFaultScript();
    const fault = script.next({ kind: 'connectionReset', ...(times === undefined ? {} : { times }) });
    const calls = Array.from({ length: 4 }, () => script.meet(GET) !== undefined);
    fault.end();
    return [...calls, script.meet(GET) !== undefined, fault.met];
  };
  expect(met()).toEqual([true, false, false, false, false, 1]);
  expect(met(2)).toEqual([true, true, false, false, false, 2]);
  expect(met(Number.POSITIVE_INFINITY)).toEqual([true, true, true, true, false, 4]);
});

test('faults are met one after the other, the oldest that fits first', () => {
  const script = createFaultScript();
  script.next({ kind: 'connectionReset', service: 'iam' });
  script.next({ kind: 'timeoutAfterCommit' });
  const kinds = Array.from({ length: 3 }, () => script.meet(GET));
  expect(kinds).toEqual([{ lost: 'request', by: 'reset' }, { lost: 'answer', by: 'silence' }, undefined]);
});

test('an error is the answer itself', () => {
  const script = createFaultScript();
  const kind = new AwsError('RegionDisabledException', 403, 'STS is not activated in this region');
  script.next({ kind, service: 'sts' });
  const met = script.meet(call('sts', 'AssumeRoleWithWebIdentity'));
  expect(met !== undefined && 'error' in met && met.error()).toBe(kind);
});

test('all that are left can be ended at once', () => {
  const script = createFaultScript();
  script.next({ kind: 'throttling', times: 2 });
  script.next({ kind: 'timeout', operation: 'ListRoles' });
  script.clear();
  expect([script.meet(GET), script.meet(call('iam', 'ListRoles'))]).toEqual([undefined, undefined]);
});
