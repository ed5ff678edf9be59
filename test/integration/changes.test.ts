import { until } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { pathOf, unless } from '../harness/objects.ts';
import { install } from '../harness/operator.ts';
import { allowing, EC2, FOREIGN, isOurs, policy } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ROLE_ARN, rolesOfPod, type Statement, uidsOf } from '../harness/views.ts';

/** What changes under a binding that works, and how it ends: with its role, its competing bindings, its namespace, its CRD. */
const PATIENCE = { timeoutMs: 150_000 };
/** After which pods are restarted if they are to be, by the contract. */
const SETTLING_MS = 10_000;
const OTHER_AUDIENCE = 'sigstore';
const PAUSED = { 'irsa-operator.dev/paused': 'true' };

const audiences = ['sts.amazonaws.com', OTHER_AUDIENCE];
const suite = integrationSuite({ clientIds: audiences, grant: { audiences } });
const { working, secondLook } = suite;

function ours(s: Scene): Statement {
  const [found] = s.statements().filter((one) => isOurs(one, suite.testbed.issuer));
  if (found === undefined) throw new Error(`${s.roleName} has no statement of ours`);
  return found;
}
/** Beside the statement of irsa-operator only one of a user who was deleted since: IAM takes no document that has it. */
function trustLeaver(s: Scene, name: string): void {
  const { user, deletePrincipal } = suite.testbed.aws.account();
  const { arn } = user.put(name);
  s.setTrust({ Sid: 'Leaver', Effect: 'Allow', Principal: { AWS: arn }, Action: 'sts:AssumeRole' }, ours(s));
  deletePrincipal(arn);
}
/** What the first write of ours made of the document. */
const firstWritten = (s: Scene) => (JSON.parse(s.writes()[0] ?? '') as { Statement: Statement[] }).Statement;

describe.concurrent('a change of the spec', () => {
  // Contract: end-role-change
  test('of the audience releases the former one after the new one works', async () => {
    const s = await working('audience');
    const before = ours(s);
    await s.change({ audience: OTHER_AUDIENCE });
    await until('the former statement is gone', () => !s.statements().some(({ Sid }) => Sid === before.Sid), PATIENCE);
    const [, second, third] = s.writes();
    expect(second).toContain(before.Sid);
    expect(second).toContain(OTHER_AUDIENCE);
    expect(third).not.toContain(before.Sid);
    await until('one entry is left', async () => (await s.binding()).status?.roles?.length === 1, PATIENCE);
    expect(s.writes()).toHaveLength(3);
  });

  // Contract: rule-external
  test('to External leaves the statement of irsa-operator until the one of somebody else lets the subject in', async () => {
    const s = await working('external');
    await s.change({ trustPolicy: 'External' });
    await secondLook();
    expect([s.stands(), s.writes().length]).toEqual([true, 1]);
    const own = ours(s);
    s.setTrust(EC2, { ...own, Sid: 'Theirs' }, own);
    await until('ours is gone', () => !s.trust().includes(own.Sid ?? ''), PATIENCE);
    await until('its entry is gone', async () => (await s.binding()).status?.roles === undefined, PATIENCE);
    expect((await s.conditionIs('Trusted', 'True', 'AllowedByOthers')).status).toBe('True');
    await s.conditionIs('Ready', 'True');
  });
});

describe.concurrent('the role', () => {
  // Contract: end-role-change
  test('that changes is released when all pods have the new one: at no time is one refused', async () => {
    const s = await working('moved');
    await s.deployment();
    await s.allReady();
    const arn = s.role(FOREIGN, { name: 'moved-to' });
    await s.change({ roleArn: arn });
    await until('the former role is released', () => !s.stands(), PATIENCE);
    // Whoever asked STS for one of the roles: only pods do.
    const asked = suite.testbed.aws.journal.filter(({ params }) => [s.roleArn, arn].includes(params['RoleArn'] ?? ''));
    expect([...new Set(asked.map(({ code }) => code))]).toEqual(['OK']);
    const released = s.calls('UpdateAssumeRolePolicy').filter(({ code }) => code === 'OK');
    const releasedAt = Number(released.at(-1)?.at);
    // Two with the former role and two with the new one; when the last of them asks STS is its own affair.
    const made = (await suite.testbed.auditEvents()).filter(
      ({ verb, objectRef, requestReceivedTimestamp }) =>
        verb === 'create' &&
        objectRef?.resource === 'pods' &&
        objectRef.subresource === undefined &&
        objectRef.namespace === s.namespace &&
        Date.parse(requestReceivedTimestamp) < releasedAt,
    );
    expect([released.length, made.length]).toEqual([2, 4]);
    expect((await s.pods()).flatMap(rolesOfPod)).toEqual([arn, arn]);
    await s.conditionIs('Ready', 'True');
  });
  // Contract: trust-recreated, bad-recreated
  test('that was deleted and made again is authorized anew, and written', async () => {
    const s = await working('remade');
    const before = (await s.binding()).status?.roles?.[0]?.roleId;
    s.role();
    const id = suite.testbed.aws.account().role.get(s.roleName)?.id;
    await until('the new role is written', () => s.stands(), PATIENCE);
    await until('the entry is for the new role', async () => (await s.binding()).status?.roles?.[0]?.roleId === id, PATIENCE);
    expect(before).not.toBe(id);
    await s.conditionIs('Ready', 'True');
  });

  // Contract: end-role-gone
  test('that is gone does not hold back the end of its binding for longer than a minute', async () => {
    const s = await working('roleless');
    suite.testbed.aws.account().role.delete(s.roleName);
    await s.conditionIs('Trusted', 'False', 'RoleNotFound');
    await s.unbind();
    await s.gone();
    const missed = s.calls().filter(({ code }) => code === 'NoSuchEntity');
    // Sixty seconds from call to call; the first one may have been on its way for a moment.
    expect(Number(missed.at(-1)?.at) - Number(missed[0]?.at)).toBeGreaterThanOrEqual(59_000);
  });

  // Contract: rule-paused
  test('that its owner has paused gets no trust, and loses what is revoked', async () => {
    const s = await working('paused');
    s.setTags(PAUSED);
    s.setTrust(EC2);
    await s.conditionIs('Trusted', 'False', 'RolePaused');
    await secondLook();
    expect([(await s.condition('Trusted'))?.reason, s.writes().length]).toEqual(['RolePaused', 1]);
    s.setTrust(...firstWritten(s));
    await s.conditionIs('Ready', 'True');
    await s.unbind();
    await s.gone();
    expect(s.statements()).toHaveLength(1);
  });
});

describe.concurrent('a repair of the trust alone', () => {
  // Contract: pods-repair-daily, pods-strategy
  test('restarts with afterTrustRepair Always, once a day for each workload, though its owner rolls it out in between', async () => {
    const s = await suite.scene('repaired');
    s.role();
    await s.serviceAccount({ [ROLE_ARN]: s.roleArn });
    // Ready whatever STS says: nothing but the operator restarts them.
    await s.workload('deployments');
    const uids = async () => uidsOf(await s.allReady());
    const replaced = async (before: readonly string[]) =>
      await until(
        'both pods are others',
        async () => {
          const now = await uids();
          return !now.some((uid) => before.includes(uid)) && now;
        },
        PATIENCE,
      );
    const first = await uids();
    await s.bind({ restart: { afterTrustRepair: 'Always' } });
    const second = await replaced(first);
    await until('the attempt is done', async () => (await s.binding()).status?.restarts?.[0]?.phase === 'Done', PATIENCE);

    const annotations = { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() };
    await s.patch('deployments', 'app', { spec: { template: { metadata: { annotations } } } });
    const third = await replaced(second);
    // The pause keeps the loss in view until it is repaired.
    s.setTags(PAUSED);
    s.setTrust(EC2);
    await s.conditionIs('Trusted', 'False', 'RolePaused');
    s.setTrust(...firstWritten(s));
    await s.conditionIs('Trusted', 'True', 'AllowedByOperator');
    await secondLook(Date.now() + SETTLING_MS);
    await s.lookAgain();
    expect(await uids()).toEqual(third);
    const { status } = await s.binding();
    expect(status?.restarts?.map(({ kind, cause, phase }) => `${kind} ${cause} ${phase}`)).toEqual(['Deployment TrustRepair Done']);
  });
});

describe.concurrent('somebody who takes the statement of irsa-operator out three times in ten minutes', () => {
  /** The tags that each tool leaves on a role, and what it has to be told. */
  const tools: Record<string, { readonly tags: Record<string, string>; readonly advice: string }> = {
    Terraform: {
      tags: { ManagedBy: 'terraform' },
      advice: 'Terraform: lifecycle { ignore_changes = [assume_role_policy] } on the aws_iam_role',
    },
    CloudFormation: {
      tags: { 'aws:cloudformation:stack-name': 'roles', 'aws:cloudformation:logical-id': 'App' },
      advice:
        'CloudFormation: do not change AssumeRolePolicyDocument in the stack, or put the statement there and set trustPolicy: External',
    },
    ACK: {
      tags: { 'services.k8s.aws/controller-version': 'iam-v1.4.0', 'services.k8s.aws/namespace': 'roles' },
      advice: 'ACK: remove assumeRolePolicyDocument from the Role resource, or put the statement there and set trustPolicy: External',
    },
    Crossplane: {
      tags: { 'crossplane-kind': 'role.iam.aws.upbound.io', 'crossplane-name': 'app' },
      advice: 'Crossplane: managementPolicies without "Update" on the Role, or put the statement there and set trustPolicy: External',
    },
    Pulumi: { tags: { 'pulumi:project': 'roles' }, advice: 'Pulumi: ignoreChanges ["assumeRolePolicy"] on the role' },
  };
  for (const [tool, { tags, advice }] of Object.entries(tools)) {
    // Contract: contention-trust
    test(`is found by the tags of the role to be ${tool}, and Contended says what to tell it`, async () => {
      const s = await working(`contention-${tool.toLowerCase()}`);
      s.setTags(tags);
      for (let round = 1; round <= 3; round++) {
        // A revert counts when our write was believed: both read-backs, and the sweep that shows it gone.
        await s.writeIsBelieved();
        s.setTrust(EC2);
        if (round < 3) await until('it is written again', () => s.writes().length > round, PATIENCE);
      }
      const { message } = await s.conditionIs('Trusted', 'False', 'Contended');
      expect(message).toBe(
        `"${tool}" (by the tags of the role) keeps removing the statement of irsa-operator from the trust policy of "${s.roleArn}". irsa-operator writes it at most once in 5 minutes. ${advice}`,
      );
      await s.conditionIs('Stalled', 'True', 'Contended');
      expect([s.writes().length, s.stands()]).toEqual([3, false]);
    });
  }
});

describe.concurrent('the end', () => {
  const leftAlone = { 'is suspended': { suspend: true }, 'only observes by now': { mode: 'Observe' } };
  for (const [sentence, spec] of Object.entries(leftAlone)) {
    // Contract: rule-leave-alone
    test(`of a binding that ${sentence} leaves trust and annotation as they are`, async () => {
      const s = await working(Object.keys(spec)[0] ?? '');
      const before = s.trust();
      await s.change(spec);
      await s.unbind();
      await s.gone();
      expect([s.trust(), s.writes().length]).toEqual([before, 1]);
      expect(await s.annotations()).toEqual({ [ROLE_ARN]: s.roleArn });
    });
  }
  // Contract: end-handover
  test('of a binding that was renamed in Git hands trust and annotation over without a gap', async () => {
    const s = await working('handover');
    await s.bind({}, 'renamed');
    await s.unbind();
    await s.gone();
    await s.conditionIs('Ready', 'True', undefined, 'renamed');
    expect([s.writes().length, s.stands()]).toEqual([1, true]);
    expect(await s.requests('serviceaccounts')).toHaveLength(1);
  });

  // Contract: end-handover
  test('of a binding whose successor has another role waits until that one has put its own annotation in the place', async () => {
    const s = await working('other-successor');
    const arn = s.role(FOREIGN, { name: 'other-successors' });
    await s.bind({ roleArn: arn }, 'successor');
    await s.unbind();
    await s.gone();
    // It was never without one: there was no write but the successor's.
    expect([await s.annotations(), (await s.requests('serviceaccounts')).length]).toEqual([{ [ROLE_ARN]: arn }, 2]);
    await s.unbind('successor');
    await s.gone('successor');
    expect(await s.annotations()).toBeUndefined();
  });

  const refusing: Record<string, (role: string) => () => void> = {
    'refuses it': (role) => {
      const deny = allowing(suite.testbed.issuer, undefined, { Sid: 'No', Effect: 'Deny', Condition: undefined });
      suite.testbed.aws.account().role.setTrustPolicy(role, policy(EC2, deny));
      return () => {};
    },
    'does not take the write': (role) => {
      const kind = 'deniedByServiceControlPolicy';
      const denied = ['GetRole', 'UpdateAssumeRolePolicy'].map((operation) =>
        suite.testbed.aws.fault({ kind, operation, roleName: role, times: Number.POSITIVE_INFINITY }),
      );
      return () => {
        for (const fault of denied) fault.end();
      };
    },
  };
  for (const [sentence, refuse] of Object.entries(refusing)) {
    // Contract: end-handover, end-revoke
    test(`of a binding leaves no annotation behind for a successor whose role ${sentence}, whatever becomes of that`, async () => {
      const name = `successor-whose-role-${sentence.replaceAll(' ', '-')}`;
      const s = await working(name);
      const arn = s.role(FOREIGN, { name: `${name}-has` });
      const end = refuse(`${name}-has`);
      await s.bind({ roleArn: arn }, 'successor');
      await s.unbind();
      await s.gone();
      expect([await s.annotations(), s.stands()]).toEqual([undefined, false]);
      await s.unbind('successor');
      end();
      await s.gone('successor');
      expect(await s.annotations()).toBeUndefined();
    });
  }

  // Contract: end-blocked, bad-principal
  test('that IAM refuses because of a principal that somebody deleted says so, and comes when the statement is mended', async () => {
    const s = await working('refused');
    trustLeaver(s, 'leaver');
    await s.unbind();
    const { message } = await s.conditionIs('Trusted', 'Unknown', 'TrustOrphanedPrincipal');
    expect(message).toMatch(/statement \d+ trusts a role or user that was deleted/);
    expect(s.stands()).toBe(true);
    s.setTrust(EC2, ours(s));
    await s.gone();
    expect(s.stands()).toBe(false);
  });

  // Contract: trust-changed-statement
  test("whose statement the role's owner limited says so, writes nothing, and comes when the owner ends it", async () => {
    const s = await working('limited');
    const { Condition, ...own } = ours(s);
    s.setTrust(EC2, { ...own, Condition: { ...Condition, IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } });
    await s.unbind();
    const { message } = await s.conditionIs('Trusted', 'Unknown', 'TrustRevocationBlocked');
    expect(message).toContain(`another writer changed the statement "${own.Sid}"`);
    expect([s.writes().length, (await s.binding()).status?.roles?.length]).toEqual([1, 1]);
    s.setTrust(EC2);
    await s.gone();
  });

  // Contract: end-force
  test('that IAM refuses can be forced: the trust stays', async () => {
    const s = await working('forced');
    trustLeaver(s, 'forced-leaver');
    await s.unbind();
    await s.conditionIs('Trusted', 'Unknown', 'TrustOrphanedPrincipal');
    await s.patch('irsabindings', 'app', { metadata: { annotations: { 'irsa-operator.dev/force-delete': 'true' } } });
    await s.gone();
    expect(s.stands()).toBe(true);
  });

  // Contract: end-namespace
  test('of a namespace takes its trust with it', async () => {
    suite.testbed.expectRefusal('create events'); // nothing new is let into a namespace that is going
    const s = await working('namespaced');
    const path = pathOf('namespaces', { name: s.namespace });
    await suite.api.call('DELETE', path);
    await until('the namespace is gone', async () => (await unless([404], suite.api.call('GET', path))) === undefined, PATIENCE);
    expect(s.statements()).toHaveLength(1);
  });

  // Contract: rule-orphan
  test('that somebody forces past the finalizer leaves an orphan, which is kept and told to the others', async () => {
    const s = await working('orphaned');
    await s.bind({ serviceAccountName: 'other' }, 'other');
    await until('the other one stands too', () => s.trust().includes(`${s.namespace}:other`), PATIENCE);
    expect(await suite.operator.stop()).toBe(0);
    await s.unbind('other');
    await s.patch('irsabindings', 'other', { metadata: { finalizers: null } });
    await suite.start();
    await until('the orphan is told', async () => (await s.findings())?.includes('TrustOrphaned'), PATIENCE);
    expect(s.trust()).toContain(`${s.namespace}:other`);
    await s.conditionIs('Ready', 'True');
  });
});

describe('somebody', () => {
  // Contract: bad-status
  test('who wipes a status loses nothing: the entry comes back, nothing is written', async () => {
    const s = await working('wiped');
    await s.patch('irsabindings', 'app/status', { status: null });
    await s.conditionIs('Ready', 'True');
    expect((await s.binding()).status?.roles).toHaveLength(1);
    expect([s.writes().length, s.stands()]).toEqual([1, true]);
  });

  // Contract: rule-status-hint
  test("who plants another role in a status costs nobody but this binding's own subject", async () => {
    const s = await working('planted');
    const victim = await working('victim');
    const planted = { arn: victim.roleArn, roleId: 'AROAPLANTED', audience: 'sts.amazonaws.com', sid: 'Irsaaaaaaaaaaaaa' };
    const roles = [...((await s.binding()).status?.roles ?? []), planted];
    await s.patch('irsabindings', 'app/status', { status: { roles } });
    await until('the planted entry is gone', async () => (await s.binding()).status?.roles?.length === 1, PATIENCE);
    expect([victim.writes().length, victim.stands()]).toEqual([1, true]);
  });

  // Contract: rule-crd-deleted
  test('who deletes the CRD takes every binding and no trust; it works again when it is made again', async () => {
    const s = await working('retired');
    const before = s.trust();
    await suite.testbed.kubectl(['delete', 'crd', 'irsabindings.irsa-operator.dev', '--wait=true', '--timeout=60s']);
    expect(s.trust()).toBe(before);
    expect(await s.annotations()).toEqual({ [ROLE_ARN]: s.roleArn });
    await install(suite.testbed);
    await s.bind();
    await s.conditionIs('Ready', 'True');
    expect(s.writes()).toHaveLength(1);
  });
});
