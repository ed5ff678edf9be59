import { until } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { LEASE, OPERATOR_USER } from '../harness/objects.ts';
import { FOREIGN } from '../harness/policies.ts';
import { inWords } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ROLE_ARN } from '../harness/views.ts';

/** What a binding does after it works: change, end, a restart of the operator, another replica. Everything runs with the RBAC that ships. */
const PATIENCE = { timeoutMs: 60_000 };

const suite = integrationSuite({ grant: {} });
const { prepared, working, secondLook } = suite;

/** The writes of the operator that the API server saw, without its Lease and Events. */
async function operatorWrites(): Promise<string[]> {
  return (await suite.testbed.auditEvents())
    .filter(({ user, objectRef }) => user.username === OPERATOR_USER && !['leases', 'events'].includes(objectRef?.resource ?? ''))
    .map(({ verb, requestURI, responseStatus }) => `${responseStatus?.code} ${verb} ${requestURI}`);
}

describe.concurrent('the end of a binding', () => {
  // Contract: end-revoke
  test('a deleted binding releases its subject and its annotation, and leaves every other statement', async () => {
    const s = await working('deleted');
    expect(s.statements()).toHaveLength(2);
    await s.unbind();
    await s.gone();
    expect(JSON.parse(s.trust())).toEqual(FOREIGN);
    expect(await s.annotations()).toBeUndefined();
    expect(s.writes()).toHaveLength(2);
  });

  // Contract: end-revoke
  test('a binding that is deleted beside a suspended one of the same ServiceAccount does not wait for it', async () => {
    const s = await working('neighbour');
    await s.bind({ suspend: true }, 'resting');
    await s.unbind();
    await s.gone();
    expect(JSON.parse(s.trust())).toEqual(FOREIGN);
    expect(await s.annotations()).toBeUndefined();
  });

  // Contract: end-retain
  test('with deletionPolicy Retain both stay', async () => {
    const s = await prepared('retained');
    await s.bind({ deletionPolicy: 'Retain' });
    await s.conditionIs('Ready', 'True');
    const before = s.trust();
    await s.unbind();
    await s.gone();
    expect(s.trust()).toEqual(before);
    expect(await s.annotations()).toEqual({ [ROLE_ARN]: s.roleArn });
    expect(s.writes()).toHaveLength(1);
  });

  // Contract: end-role-change
  test('when roleArn changes the old role is released after the new one works', async () => {
    const s = await working('moved');
    const arn = s.role(FOREIGN, { name: 'moved-to' });
    await s.change({ roleArn: arn });
    await until('the old role is released', () => s.statements().length === 1, PATIENCE);
    const trustWrites = suite.testbed.aws.journal.filter(({ operation, code }) => operation === 'UpdateAssumeRolePolicy' && code === 'OK');
    const order = trustWrites.map(({ params }) => params['RoleName']).filter((role) => role === s.roleName || role === 'moved-to');
    expect(order).toEqual([s.roleName, 'moved-to', s.roleName]);
    expect(s.statements('moved-to')).toHaveLength(2);
    await until(
      'status names the new role only',
      async () => (await s.binding()).status?.roles?.map((role) => role.arn).join() === arn,
      PATIENCE,
    );
    expect(await s.annotations()).toEqual({ [ROLE_ARN]: arn });
  });
});

describe.concurrent('leaving alone', () => {
  // Contract: report-plan, rule-leave-alone
  test('a binding that observes says in words what it would do, and changes nothing', async () => {
    const s = await prepared('observed');
    await s.bind({ mode: 'Observe' });
    await s.conditionIs('Trusted', 'False', 'TrustNoWebIdentityStatement');
    const { status, metadata } = await s.binding();
    expect(status?.plan).toEqual([
      expect.stringMatching(
        /^add "system:serviceaccount:observed:app" to the statement of irsa-operator in the trust policy of "arn:aws:iam::111122223333:role\/role-of-observed" \(\d+ of 2048 characters then\)$/,
      ),
      `annotate ServiceAccount "app" with ${ROLE_ARN}: "${s.roleArn}"`,
    ]);
    expect(metadata.finalizers).toBeUndefined();
    await secondLook();
    expect(s.writes()).toEqual([]);
    expect(await s.annotations()).toBeUndefined();
    expect((await s.requests()).map(inWords).filter((line) => !line.endsWith('/status'))).toEqual([]);
  });

  // Contract: rule-leave-alone
  test('a suspended binding is only judged', async () => {
    const s = await prepared('suspended');
    await s.bind({ suspend: true });
    await s.conditionIs('Trusted', 'False', 'TrustNoWebIdentityStatement');
    await secondLook();
    expect(s.writes()).toEqual([]);
    expect(await s.annotations()).toBeUndefined();
  });

  for (const [name, rest] of [
    ['left-observing', { mode: 'Observe' }],
    ['left-suspended', { suspend: true }],
  ] as const) {
    // Contract: rule-leave-alone
    test(`a binding that is deleted with ${JSON.stringify(rest)} leaves what stands, as with Retain`, async () => {
      const s = await working(name);
      const before = s.trust();
      await s.change(rest);
      await until('that is seen', async () => (await s.binding()).status?.observedGeneration === 2, PATIENCE);
      await s.unbind();
      await s.gone();
      await secondLook();
      expect([s.trust(), await s.annotations(), s.writes().length]).toEqual([before, { [ROLE_ARN]: s.roleArn }, 1]);
    });
  }

  // Contract: competing-older
  test('of two bindings for one ServiceAccount the older one wins; the other is Stalled, takes over while the older one is suspended, and when it goes, without a gap', async () => {
    const s = await working('competing');
    await s.bind({}, 'younger');
    await s.conditionIs('Stalled', 'True', 'ServiceAccountTaken', 'younger');
    await s.change({ suspend: true });
    await s.conditionIs('Ready', 'True', 'Ready', 'younger');
    await s.change({ suspend: false });
    await s.conditionIs('Stalled', 'True', 'ServiceAccountTaken', 'younger');
    await s.unbind();
    await s.gone();
    await s.conditionIs('Ready', 'True', 'Ready', 'younger');
    expect(s.writes()).toHaveLength(1);
    expect(s.statements()).toHaveLength(2);
    expect(await s.annotations()).toEqual({ [ROLE_ARN]: s.roleArn });
  });

  // Contract: annotate-awaiting
  test('a ServiceAccount that does not exist yet does not hold back Ready, and is annotated when it comes', async () => {
    const s = await suite.scene('late');
    s.role();
    await s.bind();
    await s.conditionIs('Ready', 'True', 'AwaitingServiceAccount');
    expect((await s.condition('Annotated'))?.status).toBe('Unknown');
    await s.serviceAccount();
    await s.conditionIs('Annotated', 'True');
    expect(await s.annotations()).toEqual({ [ROLE_ARN]: s.roleArn });
  });
});

describe('the process', () => {
  // Contract: trust-fixpoint, pods-one-attempt
  test('a restart with nothing to do writes nothing anywhere, and restarts no pod', async () => {
    const s = await prepared('restarted');
    await s.deployment();
    await s.bind();
    await s.allReady();
    await s.conditionIs('Ready', 'True');
    expect(await suite.operator.stop()).toBe(0);
    const { spec } = await suite.api.call<{ spec: { holderIdentity: string } }>('GET', LEASE);
    expect(spec.holderIdentity).toBe('');
    const [writes, calls, pods] = [await operatorWrites(), suite.testbed.aws.journal.length, await s.pods()];
    await suite.start();
    await secondLook();
    expect(await operatorWrites()).toEqual(writes);
    expect(suite.testbed.aws.journal.slice(calls).filter(({ operation }) => operation === 'UpdateAssumeRolePolicy')).toEqual([]);
    expect((await s.pods()).map(({ metadata }) => metadata.uid)).toEqual(pods.map(({ metadata }) => metadata.uid));
  });

  // Contract: two-leaders
  test('a standby with full caches is ready, and leads within 5 s when the leader is stopped', async () => {
    const leader = suite.operator;
    const standby = await suite.start();
    expect(standby.log.some(({ msg }) => msg === 'became leader')).toBe(false);
    expect(await leader.stop()).toBe(0);
    const stopped = Date.now();
    await until('the standby leads', () => standby.log.some(({ msg }) => msg === 'became leader'), { timeoutMs: 20_000 });
    expect(Date.now() - stopped).toBeLessThan(5_000);
  });

  // Contract: report-series
  test('its metrics have the names that dashboards expect, and no series of what is gone', async () => {
    const wanted = [
      'controller_runtime_reconcile_total{controller="role",result="success"}',
      'workqueue_depth{name="binding",controller="binding",priority=""}',
      'leader_election_master_status{name="irsa-operator"} 1',
      'rest_client_requests_total{code="200",method="GET"',
      'irsa_aws_requests_total{service="iam",operation="ListRoles",code="ok"}',
      'irsa_bindings{condition="Ready",status="True",reason="Ready"} ',
      'irsa_trust_policy_writes_total{result="written"}',
      'irsa_build_info{version="0.1.0"',
    ];
    // A new leader has yet to look at everything once.
    const text = await until(
      'every metric is there',
      async () => {
        const found = await suite.metrics();
        const missing = wanted.filter((name) => !found.includes(name));
        if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`);
        return found;
      },
      PATIENCE,
    );
    expect(text).not.toContain('namespace="deleted"');
    expect((await fetch(`${suite.operator.healthUrl}/livez`)).status).toBe(200);
  });

  test('the RBAC that ships is enough: the API server refused nothing', async () => {
    const refused = (await operatorWrites()).filter((line) => /^(401|403) /.test(line));
    expect(refused).toEqual([]);
    // Of what it writes, dry runs are meant to be refused: by them it finds out whether it is confined.
    expect(await suite.metrics()).not.toMatch(/rest_client_requests_total\{code="40[13]",method="GET"/);
  });
});
