import { expect, test } from 'vitest';
import { type AccountStatus, parseAccountSpec } from '../../api/account.ts';
import type { AccountId } from '../../api/arn.ts';
import { Fault } from '../../api/fault.ts';
import { isProblem } from '../../api/problem.ts';
import { reachedAs } from '../../domain/state/account.ts';
import { ACCOUNT, ARN, binding, caller, NOW } from '../../domain/test-observed.ts';
import { silentLog } from '../../runtime/log.ts';
import { authorizationOf, reachIn } from '../observe.ts';
import { createStores } from '../stores.ts';
import { putIdentity } from '../test-identity.ts';
import { accountController } from './index.ts';

const OTHER = '444455556666' as AccountId;
const MEMBER = `arn:aws:iam::${OTHER}:role/irsa-operator-member`;
const SESSION = `arn:aws:sts::${OTHER}:assumed-role/irsa-operator-member/irsa-operator-ab12cd34ef56`;
const THERE = ARN.replace(ACCOUNT, OTHER) as typeof ARN;
const { signal } = new AbortController();
const denied = new Fault('denied', 'sts:AssumeRole: AccessDenied: User x is not authorized', { told: 'sts:AssumeRole: AccessDenied' });
const silent = new Fault('transient', `sts:AssumeRole of role "${MEMBER}": no answer within 10 s`, { code: 'NoAnswer' });

interface Answers {
  /** Undefined: there is no object. */
  readonly spec?: object | undefined;
  readonly name?: AccountId;
  readonly entered?: string | Fault;
  readonly quota?: number | Fault;
  /** It was reached before, with this quota. */
  readonly before?: number;
}

/** One attempt for one account; what is known of it then, and what its object says. */
async function reconcile({ entered = SESSION, quota = 4096, before, name = OTHER, ...rest }: Answers = {}) {
  const seen = createStores(silentLog);
  putIdentity(seen);
  const spec = 'spec' in rest ? rest.spec : { roleArn: MEMBER };
  if (spec !== undefined)
    seen.irsaAccounts.put({
      account: name,
      uid: 'uid',
      resourceVersion: '1',
      generation: 2,
      spec: parseAccountSpec(name, spec),
      status: { conditions: [] },
    });
  if (before !== undefined) seen.accounts.put(reachedAs({ arn: SESSION }, OTHER, before));
  seen.sweptAccounts.put({ account: OTHER });
  const calls: string[] = [];
  let status: AccountStatus | undefined;
  const answer = async <T>(call: string, value: T | Fault): Promise<T> => {
    calls.push(call);
    if (value instanceof Fault) throw value;
    return value;
  };
  const controller = accountController({
    stores: seen,
    owned: seen,
    ports: {
      enter: ({ externalId }) => answer(`enter${externalId === undefined ? '' : ` as ${externalId}`}`, entered),
      leave: (account) => void calls.push(`leave ${account}`),
      policyQuota: (account) => answer(`quota of ${account}`, quota),
      async report(_, next) {
        status = next;
      },
    },
    clock: { now: () => NOW },
  });
  const end = await controller.reconcile(name, signal, { id: 'x', urgency: 'change', failures: 0, log: silentLog }).then(
    (outcome) => (outcome.kind === 'recheck' ? outcome.afterMs / 1_000 : outcome.kind),
    (error: Error) => error.message,
  );
  const conditions = Object.fromEntries((status?.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is} ${reason}`]));
  return { seen, calls, status, conditions, end, reach: reachIn(seen, THERE) };
}

const code = (reach: ReturnType<typeof reachIn>) => (reach.kind === 'refused' ? reach.finding.code : reach.kind);

test('an account that lets us in is reached, with its own quota, and its object says as whom', async () => {
  const { calls, status, conditions, end, reach } = await reconcile({ spec: { roleArn: MEMBER, externalId: 'ours' } });
  expect([calls, end, reach]).toEqual([['enter as ours', `quota of ${OTHER}`], 300, { kind: 'reached', quota: 4096 }]);
  expect(conditions).toEqual({ Ready: 'True Ready', Reachable: 'True Reached' });
  expect(status).toMatchObject({ observedGeneration: 2, callerArn: SESSION, trustPolicyQuota: 4096 });
});

test('one that refuses us is asked again every minute, and no status has the words of AWS, nor the role that we act as', async () => {
  const { status, conditions, end, reach } = await reconcile({ entered: denied });
  expect([code(reach), end]).toEqual(['AccountRoleDenied', 60]);
  expect(conditions).toEqual({
    Ready: 'False AccountRoleDenied',
    Reachable: 'False AccountRoleDenied',
    Stalled: 'True AccountRoleDenied',
  });
  expect(JSON.stringify([status, reach])).not.toMatch(/User x|irsa-operator-member/);
  expect(status?.conditions[1]?.message).toMatch(/trust policy.*external ID.*sts:TagSession.*organization/);
});

test('one that answers as another account is not used', async () => {
  const { reach, calls, status } = await reconcile({ entered: caller.arn });
  expect(JSON.stringify([status, reach])).not.toContain('assumed-role');
  expect([code(reach), calls]).toEqual(['AccountMismatch', ['enter']]);
});

const unasked: Record<string, { answers: Answers; wanted: string }> = {
  'a suspended one': { answers: { spec: { roleArn: MEMBER, suspend: true } }, wanted: 'AccountSuspended' },
  'one in another partition': { answers: { spec: { roleArn: MEMBER.replace('arn:aws:', 'arn:aws-cn:') } }, wanted: 'PartitionUnreachable' },
  'one whose role is of a third account': { answers: { spec: { roleArn: MEMBER.replace(OTHER, '777788889999') } }, wanted: 'InvalidSpec' },
  'one whose object cannot be read': { answers: { spec: { roleArn: MEMBER, externalId: 'x' } }, wanted: 'InvalidSpec' },
};
for (const [sentence, { answers, wanted }] of Object.entries(unasked))
  test(`no call is made for ${sentence}: ${wanted}`, async () => {
    const { calls, end, reach } = await reconcile(answers);
    expect([calls, end, code(reach)]).toEqual([[], 'settled', wanted]);
  });

test('one that was reached stays so while AWS merely does not answer, and is asked again', async () => {
  const { reach, conditions, end } = await reconcile({ entered: silent, before: 4096 });
  expect([reach.kind, conditions['Ready'], end]).toEqual(['reached', 'True Ready', silent.message]);
});

test('one that was never reached is waited for while AWS does not answer', async () => {
  const { reach, conditions, status, end } = await reconcile({ entered: silent });
  expect([reach, end]).toEqual([expect.objectContaining({ kind: 'unknown', reason: 'AccountUnknown' }), silent.message]);
  expect(conditions).toEqual({ Ready: 'Unknown Asking', Reachable: 'Unknown Asking', Reconciling: 'True Asking' });
  expect(JSON.stringify([status, reach])).not.toContain('irsa-operator-member');
});

test('without its object an account is another one again, and nothing is kept for it', async () => {
  const { reach, calls, seen } = await reconcile({ spec: undefined, before: 4096 });
  expect([code(reach), calls, seen.accounts.has(OTHER)]).toEqual(['RoleInOtherAccount', [`leave ${OTHER}`], false]);
});

test('the own account may have an object, for which nothing is assumed', async () => {
  const { calls, conditions, status } = await reconcile({ name: ACCOUNT, spec: { roleArn: MEMBER.replace(OTHER, ACCOUNT) } });
  expect([calls, conditions['Ready'], status?.callerArn]).toEqual([[], 'True Ready', caller.arn]);
});

// Contract: api-own-role-hops
test('the role of each account is no target of a binding, also while AWS refuses it', async () => {
  const { seen } = await reconcile({ entered: denied });
  const one = binding({ spec: { roleArn: MEMBER } });
  if (isProblem(one.spec)) throw new TypeError(one.spec.problem);
  seen.grants.put({
    name: 'all',
    uid: 'grant',
    generation: 1,
    spec: {
      roleArns: [`arn:aws:iam::${OTHER}:role/*`],
      namespaces: { names: ['shop'] },
      serviceAccountNames: ['*'],
      audiences: ['sts.amazonaws.com'],
      requiredRoleTags: {},
      allowVerification: false,
    },
    revocationConfirmedAt: undefined,
  });
  expect(authorizationOf(seen, one)).toMatchObject({ kind: 'refused', finding: { code: 'RoleIsOperator' } });
});
