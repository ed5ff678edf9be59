import { readFileSync } from 'node:fs';
import { until } from '@irsa-operator/testbed';
import { beforeAll, describe, expect, test } from 'vitest';
import { pathOf, unless } from '../harness/objects.ts';
import { FOREIGN, policy, statementsIn } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';
import { ACCOUNT, type Condition } from '../harness/views.ts';

/** An organization of three accounts. The operator has EKS Pod Identity in one, and what ships in config/iam/accounts in all of them. */
const MEMBER = '444455556666';
const OTHER = '777788889999';
const ORGANIZATION = 'o-exampleorgid';
const EXTERNAL_ID = 'EXAMPLE-EXTERNAL-ID';
const ship = (name: string) => readFileSync(`config/iam/accounts/${name}`, 'utf8');

const suite = integrationSuite({
  grant: { roleArns: [ACCOUNT, MEMBER, OTHER].map((account) => `arn:aws:iam::${account}:role/*`), serviceAccountNames: ['app'] },
  flags: SWEEP,
  morePolicies: [ship('hub.json')],
  podIdentity: true,
});

const account = (id: string) => suite.testbed.aws.account(id);
const memberRole = (id: string) => `arn:aws:iam::${id}:role/irsa-operator-member`;

/** Makes the role that the operator assumes there, and the cluster's provider. */
function openAccount(id: string): void {
  account(id).setOrganization(ORGANIZATION);
  account(id).provider.put({ issuer: suite.testbed.issuer });
  const identityPolicy = ship('member.json').replaceAll(MEMBER, id);
  account(id).role.put({ name: 'irsa-operator-member', trustPolicy: ship('member-trust.json'), identityPolicy });
}

async function putAccount(id: string, part: object = {}): Promise<void> {
  const body = {
    apiVersion: 'irsa-operator.dev/v1alpha1',
    kind: 'IrsaAccount',
    metadata: { name: id },
    spec: { roleArn: memberRole(id), ...part },
  };
  await suite.api.call('POST', pathOf('irsaaccounts'), { body });
}

async function changeAccount(id: string, spec: object): Promise<void> {
  await suite.api.call('PATCH', pathOf('irsaaccounts', { name: id }), { patch: 'merge', body: { spec } });
}

const dropAccount = (id: string) => unless([404], suite.api.call('DELETE', pathOf('irsaaccounts', { name: id })));

async function accountIs(id: string, status: string, reason: string): Promise<Condition> {
  return await until(
    `account ${id} is Reachable=${status}, ${reason}`,
    async () => {
      const { status: found } = await suite.api.call<{ status?: { conditions?: Condition[] } }>(
        'GET',
        pathOf('irsaaccounts', { name: id }),
      );
      const condition = found?.conditions?.find(({ type }) => type === 'Reachable');
      return condition?.status === status && condition.reason === reason ? condition : undefined;
    },
    { timeoutMs: 120_000 },
  );
}

/** A namespace with a role of that account, a workload, and a binding of the two. */
async function bound(name: string, id: string): Promise<Scene> {
  const scene = await suite.scene(name);
  account(id).role.put({ name: `role-of-${name}`, trustPolicy: FOREIGN });
  await scene.serviceAccount();
  await scene.deployment();
  await scene.bind({ roleArn: roleIn(name, id) });
  return scene;
}

const roleIn = (name: string, id: string) => `arn:aws:iam::${id}:role/role-of-${name}`;
const trustIn = (name: string, id: string) => account(id).role.get(`role-of-${name}`)?.trustPolicy ?? '';
const stands = (name: string, id: string) => trustIn(name, id).includes(`system:serviceaccount:${name}:app`);
const callsIn = (id: string, from = 0) => suite.testbed.aws.journal.slice(from).filter(({ caller }) => caller.includes(`:${id}:`));

beforeAll(() => {
  account(ACCOUNT).setOrganization(ORGANIZATION);
  for (const id of [MEMBER, OTHER]) openAccount(id);
  suite.testbed.expectRefusal('sts:AssumeRole');
});

// Contract: accounts-article
describe('a role in another account', () => {
  let shop: Scene;

  test('is told with the object to apply, and no call is made there', async () => {
    shop = await bound('shop', MEMBER);
    const { message } = await shop.conditionIs('ProviderReady', 'Unknown', 'RoleInOtherAccount');
    expect(callsIn(MEMBER)).toEqual([]);
    await suite.api.call('POST', pathOf('irsaaccounts'), { body: JSON.parse(/\{.*\}/.exec(message)?.[0] ?? '') });
  });

  test('whose account asks for an external ID is refused with what to check', async () => {
    await accountIs(MEMBER, 'False', 'AccountRoleDenied');
    const { message } = await shop.conditionIs('ProviderReady', 'Unknown', 'AccountRoleDenied');
    expect(message).toMatch(/trust policy.*external ID.*sts:TagSession/);
    expect(message).not.toContain('is not authorized');
  });

  test('with it is trusted, its pods get in, and every call there is of the member role', async () => {
    await changeAccount(MEMBER, { externalId: EXTERNAL_ID });
    await accountIs(MEMBER, 'True', 'Reached');
    await shop.allReady();
    await shop.conditionIs('Ready', 'True');
    expect(stands('shop', MEMBER)).toBe(true);
    const writes = suite.testbed.aws.journal.filter(
      ({ operation, params }) => operation === 'UpdateAssumeRolePolicy' && params['RoleName'] === 'role-of-shop',
    );
    expect(
      writes.map(({ caller, allowedBy, code }) => [
        caller.includes(`:${MEMBER}:assumed-role/irsa-operator-member/irsa-operator-`),
        allowedBy,
        code,
      ]),
    ).toEqual([[true, ['WriteTrustPolicies'], 'OK']]);
  });

  test('is mended after drift, also when AWS ended the session', async () => {
    account(MEMBER).expireSessions();
    account(MEMBER).role.setTrustPolicy('role-of-shop', FOREIGN);
    await until('the trust is back', () => stands('shop', MEMBER), { timeoutMs: 60_000 });
  });
});

// Contract: accounts-never-revoke
describe('an account that is not reached any more', () => {
  test('whose object was deleted: nothing is revoked, and a deletion waits with the reason until it is there again', async () => {
    const kept = await bound('kept', OTHER);
    await putAccount(OTHER, { externalId: EXTERNAL_ID });
    await kept.conditionIs('Ready', 'True');
    const before = trustIn('kept', OTHER);
    await dropAccount(OTHER);
    await kept.conditionIs('ProviderReady', 'Unknown', 'RoleInOtherAccount');
    await kept.unbind();
    await kept.conditionIs('Ready', 'Unknown', 'RoleInOtherAccount');
    expect(trustIn('kept', OTHER)).toBe(before);
    await putAccount(OTHER, { externalId: EXTERNAL_ID });
    await kept.gone();
    expect(stands('kept', OTHER)).toBe(false);
  });

  test('that is suspended: no call is made there, what stands stays, and the others go on', async () => {
    const held = await bound('held', OTHER);
    await held.conditionIs('Ready', 'True');
    await changeAccount(OTHER, { suspend: true });
    await accountIs(OTHER, 'False', 'AccountSuspended');
    const from = suite.testbed.aws.journal.length;
    account(OTHER).role.setTrustPolicy('role-of-held', FOREIGN);
    account(MEMBER).role.setTrustPolicy('role-of-shop', FOREIGN);
    await until('the trust of the other account is back', () => stands('shop', MEMBER), { timeoutMs: 60_000 });
    expect([stands('held', OTHER), callsIn(OTHER, from)]).toEqual([false, []]);
    await changeAccount(OTHER, { suspend: false });
    await until('the trust is back', () => stands('held', OTHER), { timeoutMs: 120_000 });
    expect(statementsIn(trustIn('held', OTHER))).toHaveLength(2);
  });

  test('whose member role does not allow sts:TagSession is refused as long as the session of Pod Identity has tags', async () => {
    const [assume] = (JSON.parse(ship('member-trust.json')) as { Statement: object[] }).Statement;
    account(OTHER).role.setTrustPolicy('irsa-operator-member', policy(assume ?? {}));
    account(OTHER).expireSessions();
    await changeAccount(OTHER, { readsPerSecond: 9 });
    await accountIs(OTHER, 'False', 'AccountRoleDenied');
    account(OTHER).role.setTrustPolicy('irsa-operator-member', ship('member-trust.json'));
    await changeAccount(OTHER, { readsPerSecond: 10 }); // sooner than in a minute
    await accountIs(OTHER, 'True', 'Reached');
  });
});

// Contract: accounts-object
describe('an IrsaAccount', () => {
  const wrong: Record<string, { name?: string; spec: object; says: RegExp }> = {
    'has twelve digits as its name': { name: 'payments', spec: { roleArn: memberRole(MEMBER) }, says: /twelve digits/ },
    'has a role of the account that is its name': { name: '111111111111', spec: { roleArn: memberRole(MEMBER) }, says: /another account/ },
    'has an external ID that IAM allows': {
      name: '111111111111',
      spec: { roleArn: memberRole('111111111111'), externalId: 'a b' },
      says: /externalId/,
    },
  };
  for (const [sentence, { name = MEMBER, spec, says }] of Object.entries(wrong))
    test(sentence, async () => {
      const body = { apiVersion: 'irsa-operator.dev/v1alpha1', kind: 'IrsaAccount', metadata: { name }, spec };
      await expect(suite.api.call('POST', pathOf('irsaaccounts'), { body })).rejects.toThrow(says);
    });
});
