import { type Api, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bindingPath, EC2, FOREIGN, makeGrant } from '../harness/given.ts';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { ACCOUNT, ROLE_ARN, type Scene, scene } from '../harness/scene.ts';

/** What changes under a binding that works, and how it ends: with its role, its rivals, its namespace, its CRD. */
const PATIENCE = { timeoutMs: 150_000 };
const BINDINGS = '/apis/irsa-operator.dev/v1alpha1';
/** Longer than the settling time, 10 s, after which pods are restarted if they are to be. */
const AFTER_SETTLING_MS = 16_000;
const OTHER_AUDIENCE = 'sigstore';
/** The age of a write at which it is believed. */
const LAST_READ_BACK_MS = 8_000;

let testbed: Testbed;
let api: Api;
let operator: RunningOperator;

beforeAll(async () => {
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  testbed.aws.account().provider.put({ issuer: testbed.issuer, clientIds: ['sts.amazonaws.com', OTHER_AUDIENCE] });
  await install(testbed);
  operator = await startOperator(testbed, ['--sweep-interval', '2s']);
  await grantAll();
});

afterAll(async () => {
  expect(await operator?.stop()).toBe(0);
  api?.close();
  await testbed?.stop();
});

async function grantAll(): Promise<void> {
  const spec = {
    roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`],
    namespaces: { selector: { matchLabels: { team: 'article' } } },
    serviceAccountNames: ['*'],
    audiences: ['sts.amazonaws.com', OTHER_AUDIENCE],
  };
  await makeGrant(api, 'changes', spec);
}

/** A namespace with a binding that is Ready by our statement. */
async function working(name: string, spec: object = {}): Promise<Scene> {
  const s = await scene(testbed, api, name);
  await api.call('PATCH', `/api/v1/namespaces/${name}`, { patch: 'merge', body: { metadata: { labels: { team: 'article' } } } });
  testbed.aws.account().role.put({ name: s.roleName, trustPolicy: FOREIGN });
  await s.serviceAccount();
  await s.bind({ ...spec });
  await s.conditionIs('Ready', 'True');
  return s;
}

const change = (s: Scene, body: object) => api.call('PATCH', bindingPath(s), { patch: 'merge', body });
const policyText = (s: Scene) => testbed.aws.account().role.get(s.roleName)?.trustPolicy ?? '{}';
const statementsOf = (s: Scene) => (JSON.parse(policyText(s)) as { Statement: { Sid: string }[] }).Statement;
/** The last write of our statement is 8 s old and was read after that. */
function readBackTwice(s: Scene): boolean {
  const calls = testbed.aws.journal.filter(({ params, code }) => params['RoleName'] === s.roleName && code === 'OK');
  const written = calls.findLast(({ operation }) => operation === 'UpdateAssumeRolePolicy');
  const reads = calls.filter(({ operation, at }) => operation === 'GetRole' && Number(at) - Number(written?.at) >= LAST_READ_BACK_MS);
  return written !== undefined && reads.length > 0;
}
const stands = (s: Scene) => policyText(s).includes(s.subject);
const annotationsOf = async (s: Scene) =>
  (await api.call<{ metadata: { annotations?: object } }>('GET', `/api/v1/namespaces/${s.namespace}/serviceaccounts/app`)).metadata
    .annotations;
/** Another binding of the ServiceAccount. */
async function bindToo(s: Scene, name: string, roleArn: string): Promise<void> {
  const spec = { serviceAccountName: 'app', roleArn };
  const body = { apiVersion: 'irsa-operator.dev/v1alpha1', kind: 'IrsaBinding', metadata: { name }, spec };
  await api.call('POST', `${BINDINGS}/namespaces/${s.namespace}/irsabindings`, { body });
}
/** How often the operator wrote to ServiceAccounts of the namespace. */
const accountWrites = async (s: Scene) =>
  (await testbed.auditEvents()).filter(
    ({ objectRef, user, requestURI }) =>
      objectRef?.resource === 'serviceaccounts' && user.username.endsWith(':irsa-operator') && requestURI.includes(`/${s.namespace}/`),
  ).length;
const isGone = async (path: string) =>
  api.call('GET', path).then(
    () => false,
    () => true,
  );
const gone = (s: Scene, name?: string) => until(`the binding in ${s.namespace} is gone`, () => isGone(bindingPath(s, name)), PATIENCE);

describe.concurrent('a change of the spec', () => {
  // Contract: end-role-change
  test('of the audience releases the former one after the new one works', async () => {
    const s = await working('audience');
    const [before] = statementsOf(s).filter(({ Sid }) => Sid !== 'Ec2');
    await change(s, { spec: { audience: OTHER_AUDIENCE } });
    await until('the former statement is gone', () => !statementsOf(s).some(({ Sid }) => Sid === before?.Sid), PATIENCE);
    const [, second, third] = s.writes();
    expect(second).toContain(before?.Sid);
    expect(second).toContain(OTHER_AUDIENCE);
    expect(third).not.toContain(before?.Sid);
    await until('one entry is left', async () => (await s.binding()).status?.roles?.length === 1, PATIENCE);
    expect(s.writes()).toHaveLength(3);
  });

  // Contract: rule-external
  test('to External leaves our statement until the one of somebody else lets the subject in', async () => {
    const s = await working('external');
    await change(s, { spec: { trustPolicy: 'External' } });
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    expect([stands(s), s.writes().length]).toEqual([true, 1]);
    const ours = statementsOf(s).find(({ Sid }) => Sid !== 'Ec2');
    const theirs = { ...FOREIGN, Statement: [EC2, { ...ours, Sid: 'Theirs' }, ours] };
    testbed.aws.account().role.setTrustPolicy(s.roleName, theirs);
    await until('ours is gone', () => !policyText(s).includes(ours?.Sid ?? ''), PATIENCE);
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
    const { arn } = testbed.aws.account().role.put({ name: 'moved-to', trustPolicy: FOREIGN });
    await change(s, { spec: { roleArn: arn } });
    await until('the former role is released', () => !stands(s), PATIENCE);
    // Whoever asked STS for one of the roles: only pods do.
    const asked = testbed.aws.journal.filter(({ params }) => [s.roleArn, arn].includes(params['RoleArn'] ?? ''));
    expect([...new Set(asked.map(({ code }) => code))]).toEqual(['OK']);
    const released = testbed.aws.journal.filter(
      ({ operation, code, params }) => operation === 'UpdateAssumeRolePolicy' && code === 'OK' && params['RoleName'] === s.roleName,
    );
    const releasedAt = Number(released.at(-1)?.at);
    // Two with the former role and two with the new one; when the last of them asks STS is its own affair.
    const made = (await testbed.auditEvents()).filter(
      ({ verb, objectRef, requestReceivedTimestamp }) =>
        verb === 'create' &&
        objectRef?.resource === 'pods' &&
        objectRef.subresource === undefined &&
        objectRef.namespace === s.namespace &&
        Date.parse(requestReceivedTimestamp) < releasedAt,
    );
    expect([released.length, made.length]).toEqual([2, 4]);
    const roles = (await s.pods()).map((pod) => pod.spec.containers[0]?.env?.find(({ name }) => name === 'AWS_ROLE_ARN')?.value);
    expect(roles).toEqual([arn, arn]);
    await s.conditionIs('Ready', 'True');
  });
  // Contract: trust-recreated, bad-recreated
  test('that was deleted and made again is authorized anew, and written', async () => {
    const s = await working('remade');
    const before = (await s.binding()).status?.roles?.[0]?.roleId;
    testbed.aws.account().role.put({ name: s.roleName, trustPolicy: FOREIGN });
    const id = testbed.aws.account().role.get(s.roleName)?.id;
    await until('the new role is written', () => stands(s), PATIENCE);
    await until('the entry is for the new role', async () => (await s.binding()).status?.roles?.[0]?.roleId === id, PATIENCE);
    expect(before).not.toBe(id);
    await s.conditionIs('Ready', 'True');
  });

  // Contract: end-role-gone
  test('that is gone does not hold back the end of its binding for longer than a minute', async () => {
    const s = await working('roleless');
    testbed.aws.account().role.delete(s.roleName);
    await s.conditionIs('Trusted', 'False', 'RoleNotFound');
    await api.call('DELETE', bindingPath(s));
    await gone(s);
    const missed = testbed.aws.journal.filter(({ code, params }) => code === 'NoSuchEntity' && params['RoleName'] === s.roleName);
    expect(Number(missed.at(-1)?.at) - Number(missed[0]?.at)).toBeGreaterThanOrEqual(60_000);
  });

  // Contract: rule-paused
  test('that its owner has paused gets no trust, and loses what is revoked', async () => {
    const s = await working('paused');
    testbed.aws.account().role.setTags(s.roleName, { 'irsa-operator.dev/paused': 'true' });
    testbed.aws.account().role.setTrustPolicy(s.roleName, FOREIGN);
    await s.conditionIs('Trusted', 'False', 'RolePaused');
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect([(await s.condition('Trusted'))?.reason, s.writes().length]).toEqual(['RolePaused', 1]);
    testbed.aws.account().role.setTrustPolicy(s.roleName, JSON.parse(s.writes()[0] ?? ''));
    await s.conditionIs('Ready', 'True');
    await api.call('DELETE', bindingPath(s));
    await gone(s);
    expect(statementsOf(s)).toHaveLength(1);
  });
});

describe.concurrent('a repair of the trust alone', () => {
  // Contract: pods-repair-daily, pods-strategy
  test('restarts with afterTrustRepair Always, once a day for each workload, though its owner rolls it out in between', async () => {
    const s = await scene(testbed, api, 'repaired');
    await api.call('PATCH', '/api/v1/namespaces/repaired', { patch: 'merge', body: { metadata: { labels: { team: 'article' } } } });
    testbed.aws.account().role.put({ name: s.roleName, trustPolicy: FOREIGN });
    await s.serviceAccount({ [ROLE_ARN]: s.roleArn });
    const path = '/apis/apps/v1/namespaces/repaired/deployments';
    const labels = { app: 'app' };
    // Ready whatever STS says: nothing but the operator restarts them.
    const podSpec = { serviceAccountName: 'app', containers: [{ name: 'app', image: 'app' }] };
    const template = { metadata: { labels }, spec: podSpec };
    await api.call('POST', path, {
      body: { metadata: { name: 'app' }, spec: { replicas: 2, selector: { matchLabels: labels }, template } },
    });
    const uids = async () => (await s.allReady()).map(({ metadata }) => metadata.uid).sort();
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
    await api.call('PATCH', `${path}/app`, { patch: 'merge', body: { spec: { template: { metadata: { annotations } } } } });
    const third = await replaced(second);
    // The pause keeps the loss in view until it is repaired.
    testbed.aws.account().role.setTags(s.roleName, { 'irsa-operator.dev/paused': 'true' });
    testbed.aws.account().role.setTrustPolicy(s.roleName, FOREIGN);
    await s.conditionIs('Trusted', 'False', 'RolePaused');
    testbed.aws.account().role.setTrustPolicy(s.roleName, JSON.parse(s.writes()[0] ?? ''));
    await s.conditionIs('Trusted', 'True', 'AllowedByOperator');
    await new Promise((resolve) => setTimeout(resolve, AFTER_SETTLING_MS));
    expect(await uids()).toEqual(third);
    const { status } = await s.binding();
    expect(status?.restarts?.map(({ kind, cause, phase }) => `${kind} ${cause} ${phase}`)).toEqual(['Deployment TrustRepair Done']);
  });
});

describe.concurrent('somebody who takes our statement out three times in ten minutes', () => {
  /** The tags that each tool leaves on a role, and what it has to be told. */
  const fighters: Record<string, { readonly tags: Record<string, string>; readonly advice: string }> = {
    Terraform: {
      tags: { ManagedBy: 'terraform' },
      advice: 'Terraform: lifecycle { ignore_changes = [assume_role_policy] } on the aws_iam_role',
    },
    CloudFormation: {
      tags: { 'aws:cloudformation:stack-name': 'roles', 'aws:cloudformation:logical-id': 'App' },
      advice:
        'CloudFormation: leave AssumeRolePolicyDocument as the stack made it, and do not import drift; or put the statement into the template and set trustPolicy: External',
    },
    ACK: {
      tags: { 'services.k8s.aws/controller-version': 'iam-v1.4.0', 'services.k8s.aws/namespace': 'roles' },
      advice: 'ACK: take assumeRolePolicyDocument out of the Role resource, or put the statement there and set trustPolicy: External',
    },
    Crossplane: {
      tags: { 'crossplane-kind': 'role.iam.aws.upbound.io', 'crossplane-name': 'app' },
      advice: 'Crossplane: managementPolicies without "Update" on the Role, or put the statement there and set trustPolicy: External',
    },
    Pulumi: { tags: { 'pulumi:project': 'roles' }, advice: 'Pulumi: ignoreChanges ["assumeRolePolicy"] on the role' },
  };
  for (const [tool, { tags, advice }] of Object.entries(fighters)) {
    // Contract: fight-trust
    test(`is found by the tags of the role to be ${tool}, and Contended says what to tell it`, async () => {
      const s = await working(`fight-${tool.toLowerCase()}`);
      testbed.aws.account().role.setTags(s.roleName, tags);
      for (let round = 1; round <= 3; round++) {
        // An undo counts when our write was believed: both read-backs, and the sweep that shows it gone.
        await until('our write was read back twice', () => readBackTwice(s), PATIENCE);
        testbed.aws.account().role.setTrustPolicy(s.roleName, FOREIGN);
        if (round < 3) await until('it is written again', () => s.writes().length > round, PATIENCE);
      }
      const { message } = await s.conditionIs('Trusted', 'False', 'Contended');
      expect(message).toBe(
        `the statement of irsa-operator in the trust policy of "${s.roleArn}" is taken out again and again, by "${tool}", by the tags of the role; where it goes on it is written at most once in 5 minutes; ${advice}`,
      );
      await s.conditionIs('Stalled', 'True', 'Contended');
      expect([s.writes().length, stands(s)]).toEqual([3, false]);
    });
  }
});

describe.concurrent('the end', () => {
  const leftAlone = { 'is suspended': { suspend: true }, 'only observes by now': { mode: 'Observe' } };
  for (const [sentence, spec] of Object.entries(leftAlone)) {
    // Contract: rule-leave-alone
    test(`of a binding that ${sentence} leaves trust and annotation as they are`, async () => {
      const s = await working(Object.keys(spec)[0] ?? '');
      const before = policyText(s);
      await change(s, { spec });
      await api.call('DELETE', bindingPath(s));
      await gone(s);
      expect([policyText(s), s.writes().length]).toEqual([before, 1]);
      expect(await annotationsOf(s)).toEqual({ [ROLE_ARN]: s.roleArn });
    });
  }
  // Contract: end-handover
  test('of a binding that was renamed in Git hands trust and annotation over without a gap', async () => {
    const s = await working('handover');
    await bindToo(s, 'renamed', s.roleArn);
    await api.call('DELETE', bindingPath(s));
    await gone(s);
    const renamed = () => api.call<{ status?: { conditions?: { type: string; status: string }[] } }>('GET', bindingPath(s, 'renamed'));
    await until(
      'the new one is Ready',
      async () => ((await renamed()).status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True'),
      PATIENCE,
    );
    expect([s.writes().length, stands(s)]).toEqual([1, true]);
    expect(await accountWrites(s)).toBe(1);
  });

  // Contract: end-handover
  test('of a binding whose heir has another role waits until that one has put its own annotation in the place', async () => {
    const s = await working('other-heir');
    const { arn } = testbed.aws.account().role.put({ name: 'other-heirs', trustPolicy: FOREIGN });
    await bindToo(s, 'heir', arn);
    await api.call('DELETE', bindingPath(s));
    await gone(s);
    // It was never without one: there was no write but the heir's.
    expect([await annotationsOf(s), await accountWrites(s)]).toEqual([{ [ROLE_ARN]: arn }, 2]);
    await api.call('DELETE', bindingPath(s, 'heir'));
    await gone(s, 'heir');
    expect(await annotationsOf(s)).toBeUndefined();
  });

  const refusing: Record<string, (role: string) => () => void> = {
    'refuses it': (role) => {
      const Principal = { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${testbed.issuer.slice('https://'.length)}` };
      const deny = { Sid: 'No', Effect: 'Deny', Principal, Action: 'sts:AssumeRoleWithWebIdentity' };
      testbed.aws.account().role.setTrustPolicy(role, { ...FOREIGN, Statement: [EC2, deny] });
      return () => {};
    },
    'does not take the write': (role) => {
      const kind = 'deniedByServiceControlPolicy';
      const denied = ['GetRole', 'UpdateAssumeRolePolicy'].map((operation) =>
        testbed.aws.fault({ kind, operation, roleName: role, times: Number.POSITIVE_INFINITY }),
      );
      return () => {
        for (const fault of denied) fault.end();
      };
    },
  };
  for (const [sentence, refuse] of Object.entries(refusing)) {
    // Contract: end-handover, end-revoke
    test(`of a binding leaves no annotation behind for an heir whose role ${sentence}, whatever becomes of that`, async () => {
      const name = `heir-whose-role-${sentence.replaceAll(' ', '-')}`;
      const s = await working(name);
      const { arn } = testbed.aws.account().role.put({ name: `${name}-has`, trustPolicy: FOREIGN });
      const end = refuse(`${name}-has`);
      await bindToo(s, 'heir', arn);
      await api.call('DELETE', bindingPath(s));
      await gone(s);
      expect([await annotationsOf(s), stands(s)]).toEqual([undefined, false]);
      await api.call('DELETE', bindingPath(s, 'heir'));
      end();
      await gone(s, 'heir');
      expect(await annotationsOf(s)).toBeUndefined();
    });
  }

  // Contract: end-blocked, bad-principal
  test('that IAM refuses because of a principal that somebody deleted says so, and comes when the statement is mended', async () => {
    const s = await working('refused');
    const user = testbed.aws.account().user.put('leaver');
    const ours = statementsOf(s).find(({ Sid }) => Sid !== 'Ec2');
    const leaver = { Sid: 'Leaver', Effect: 'Allow', Principal: { AWS: user.arn }, Action: 'sts:AssumeRole' };
    testbed.aws.account().role.setTrustPolicy(s.roleName, { ...FOREIGN, Statement: [leaver, ours] });
    testbed.aws.account().deletePrincipal(user.arn);
    await api.call('DELETE', bindingPath(s));
    const { message } = await s.conditionIs('Ready', 'Unknown', 'TrustOrphanedPrincipal');
    expect(message).toContain('"Leaver"');
    expect(stands(s)).toBe(true);
    testbed.aws.account().role.setTrustPolicy(s.roleName, { ...FOREIGN, Statement: [EC2, ours] });
    await gone(s);
    expect(stands(s)).toBe(false);
  });

  // Contract: end-force
  test('that IAM refuses can be forced: the trust stays', async () => {
    const s = await working('forced');
    const user = testbed.aws.account().user.put('forced-leaver');
    const ours = statementsOf(s).find(({ Sid }) => Sid !== 'Ec2');
    const leaver = { Sid: 'Leaver', Effect: 'Allow', Principal: { AWS: user.arn }, Action: 'sts:AssumeRole' };
    testbed.aws.account().role.setTrustPolicy(s.roleName, { ...FOREIGN, Statement: [leaver, ours] });
    testbed.aws.account().deletePrincipal(user.arn);
    await api.call('DELETE', bindingPath(s));
    await s.conditionIs('Ready', 'Unknown', 'TrustOrphanedPrincipal');
    await change(s, { metadata: { annotations: { 'irsa-operator.dev/force-delete': 'true' } } });
    await gone(s);
    expect(stands(s)).toBe(true);
  });

  // Contract: end-namespace
  test('of a namespace takes its trust with it', async () => {
    testbed.expectRefusal('create events'); // nothing new is let into a namespace that is going
    const s = await working('namespaced');
    await api.call('DELETE', `/api/v1/namespaces/${s.namespace}`);
    await until('the namespace is gone', () => isGone(`/api/v1/namespaces/${s.namespace}`), PATIENCE);
    expect(statementsOf(s)).toHaveLength(1);
  });

  // Contract: rule-orphan
  test('that somebody forces past the finalizer leaves an orphan, which is kept and told to the others', async () => {
    const s = await working('orphaned');
    const body = {
      apiVersion: 'irsa-operator.dev/v1alpha1',
      kind: 'IrsaBinding',
      metadata: { name: 'other', finalizers: [] },
      spec: { serviceAccountName: 'other', roleArn: s.roleArn },
    };
    await api.call('POST', `${BINDINGS}/namespaces/${s.namespace}/irsabindings`, { body });
    await until('the other one stands too', () => policyText(s).includes(`${s.namespace}:other`), PATIENCE);
    expect(await operator.stop()).toBe(0);
    await api.call('DELETE', bindingPath(s, 'other'));
    await api.call('PATCH', bindingPath(s, 'other'), { patch: 'merge', body: { metadata: { finalizers: null } } });
    operator = await startOperator(testbed, ['--sweep-interval', '2s']);
    await until(
      'the orphan is told',
      async () => (await s.binding()).status?.findings?.some(({ code }) => code === 'TrustOrphaned'),
      PATIENCE,
    );
    expect(policyText(s)).toContain(`${s.namespace}:other`);
    await s.conditionIs('Ready', 'True');
  });
});

describe('somebody', () => {
  // Contract: bad-status
  test('who wipes a status loses nothing: the entry comes back, nothing is written', async () => {
    const s = await working('wiped');
    await api.call('PATCH', `${bindingPath(s)}/status`, { patch: 'merge', body: { status: null } });
    await s.conditionIs('Ready', 'True');
    expect((await s.binding()).status?.roles).toHaveLength(1);
    expect([s.writes().length, stands(s)]).toEqual([1, true]);
  });

  // Contract: rule-status-hint
  test("who plants another role in a status costs nobody but this binding's own subject", async () => {
    const s = await working('planted');
    const victim = await working('victim');
    const planted = { arn: victim.roleArn, roleId: 'AROAPLANTED', audience: 'sts.amazonaws.com', sid: 'Irsaaaaaaaaaaaaa' };
    const roles = [...((await s.binding()).status?.roles ?? []), planted];
    await api.call('PATCH', `${bindingPath(s)}/status`, { patch: 'merge', body: { status: { roles } } });
    await until('the planted entry is gone', async () => (await s.binding()).status?.roles?.length === 1, PATIENCE);
    expect([victim.writes().length, stands(victim)]).toEqual([1, true]);
  });

  // Contract: rule-crd-deleted
  test('who deletes the CRD takes every binding and no trust; it works again when it is made again', async () => {
    const s = await working('retired');
    const before = policyText(s);
    await testbed.kubectl(['delete', 'crd', 'irsabindings.irsa-operator.dev', '--wait=true', '--timeout=60s']);
    expect(policyText(s)).toBe(before);
    expect(await annotationsOf(s)).toEqual({ [ROLE_ARN]: s.roleArn });
    await install(testbed);
    await s.bind();
    await s.conditionIs('Ready', 'True');
    expect(s.writes()).toHaveLength(1);
  });
});
