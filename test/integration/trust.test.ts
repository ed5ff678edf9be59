import { createHash } from 'node:crypto';
import { type Api, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bindingPath, EC2, FOREIGN, makeGrant } from '../harness/given.ts';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { ACCOUNT, type Scene, scene } from '../harness/scene.ts';

/** Step 4 of the contract as IAM sees it: what is sent, what is not, and what comes of it when others write too, or IAM does not answer. */
const SWEEP = ['--sweep-interval', '2s'];
/** Two sweeps and a moment: whatever the operator would do on a second look, it has done by then. */
const SECOND_LOOK_MS = 5_000;
const PATIENCE = { timeoutMs: 90_000 };
const QUOTA = 2048;

let testbed: Testbed;
let api: Api;
let operator: RunningOperator;
let host: string;

beforeAll(async () => {
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  host = testbed.issuer.slice('https://'.length);
  testbed.aws.account().provider.put({ issuer: testbed.issuer });
  await install(testbed);
  operator = await startOperator(testbed, SWEEP);
  const namespaces = { selector: { matchLabels: { team: 'trust' } } };
  await makeGrant(api, 'trust', { roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`], namespaces, serviceAccountNames: ['*'] });
});

afterAll(async () => {
  expect(await operator?.stop()).toBe(0);
  api?.close();
  await testbed?.stop();
});

async function prepared(name: string, ...statements: object[]): Promise<Scene> {
  const s = await scene(testbed, api, name);
  await api.call('PATCH', `/api/v1/namespaces/${name}`, { patch: 'merge', body: { metadata: { labels: { team: 'trust' } } } });
  testbed.aws.account().role.put({ name: s.roleName, trustPolicy: statements.length === 0 ? FOREIGN : policy(...statements) });
  await s.serviceAccount();
  return s;
}

async function working(name: string, ...statements: object[]): Promise<Scene> {
  const s = await prepared(name, ...statements);
  await s.bind();
  await s.conditionIs('Ready', 'True', 'Ready');
  return s;
}

async function bindAs(s: Scene, serviceAccountName: string): Promise<void> {
  const body = {
    apiVersion: 'irsa-operator.dev/v1alpha1',
    kind: 'IrsaBinding',
    metadata: { name: serviceAccountName },
    spec: { serviceAccountName, roleArn: s.roleArn },
  };
  await api.call('POST', `/apis/irsa-operator.dev/v1alpha1/namespaces/${s.namespace}/irsabindings`, { body });
}

interface Conditioned {
  readonly status?: { readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[] };
}
/** A condition of one of several bindings of a namespace. */
const conditionOf = async (s: Scene, name: string, type: string) =>
  (await api.call<Conditioned>('GET', bindingPath(s, name))).status?.conditions?.find((condition) => condition.type === type);

const policy = (...statements: object[]) => ({ Version: '2012-10-17', Statement: statements });
const policyOf = (s: Scene) => testbed.aws.account().role.get(s.roleName)?.trustPolicy ?? '';
const statementsOf = (s: Scene) => (JSON.parse(policyOf(s)) as { Statement: { Sid: string }[] }).Statement;
const setPolicy = (s: Scene, ...statements: object[]) => testbed.aws.account().role.setTrustPolicy(s.roleName, policy(...statements));
const isGone = (s: Scene) =>
  api.call('GET', bindingPath(s)).then(
    () => false,
    () => true,
  );
const callsAbout = (s: Scene) => testbed.aws.journal.filter(({ params }) => params['RoleName'] === s.roleName);
const secondLook = () => new Promise((resolve) => setTimeout(resolve, SECOND_LOOK_MS));

/** The contract's words, not the operator's code: `Irsa` and 12 characters of base32 of a SHA-256 over both. */
function sid(audience = 'sts.amazonaws.com'): string {
  const bits = [...createHash('sha256').update(`${testbed.issuer}\n${audience}`).digest()].map((byte) => byte.toString(2).padStart(8, '0'));
  const letters = bits.join('').match(/.{5}/g) ?? [];
  return `Irsa${letters
    .slice(0, 12)
    .map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(five, 2)])
    .join('')}`;
}

/** A statement for subjects of this cluster: ours, unless it is said otherwise. */
const statement = (sub: unknown, part: object = {}, more: object = {}) => ({
  Sid: sid(),
  Effect: 'Allow',
  Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${host}` },
  Action: 'sts:AssumeRoleWithWebIdentity',
  Condition: { StringEquals: { [`${host}:aud`]: 'sts.amazonaws.com', [`${host}:sub`]: sub, ...more } },
  ...part,
});
const subjects = (s: Scene, ...names: string[]) => names.map((name) => `system:serviceaccount:${s.namespace}:${name}`);

describe.concurrent('our statement', () => {
  // Contract: trust-own-statement, trust-one-write, trust-no-wildcard
  test('is one for all bindings of the role, exact and sorted, and ten bindings that come together do not make ten writes', async () => {
    const s = await prepared('together');
    const names = Array.from({ length: 10 }, (_, index) => `app-${9 - index}`);
    for (const name of names) await bindAs(s, name);
    const stand = () => policyOf(s).split('system:serviceaccount:').length - 1;
    await until('all ten stand', () => stand() === names.length, PATIENCE);
    const sent = JSON.parse(s.writes().at(-1) ?? '') as object;
    expect(sent).toEqual(policy(EC2, statement(subjects(s, ...names.toSorted()))));
    // Who comes after the moment in which they are gathered makes another one.
    expect(s.writes().length).toBeLessThanOrEqual(3);
  });

  // Contract: trust-read-before-write, trust-read-back
  test('is written right after a read of the role, and read back after 2 s and after 8 s, and then no more', async () => {
    const s = await working('read-back');
    const reads = () => callsAbout(s).filter(({ operation }) => operation === 'GetRole');
    const [write] = callsAbout(s).filter(({ operation }) => operation === 'UpdateAssumeRolePolicy');
    const writtenAt = Number(write?.at);
    const ages = () => reads().map(({ at }) => Number(at) - writtenAt);
    await until('it is read back for the second time', () => ages().some((age) => age >= 8_000), PATIENCE);
    await secondLook();
    expect(
      callsAbout(s)
        .map(({ operation }) => operation)
        .slice(-4),
    ).toEqual(['GetRole', 'UpdateAssumeRolePolicy', 'GetRole', 'GetRole']);
    const [first = 0, second = 0] = ages().filter((age) => age > 0);
    expect([first >= 2_000, second >= 8_000]).toEqual([true, true]);
    expect(s.writes()).toHaveLength(1);
  });

  // Contract: trust-stays, trust-fixpoint
  test('keeps a subject also when somebody else comes to allow it too', async () => {
    const s = await working('stays');
    const [, ours = {}] = statementsOf(s);
    setPolicy(s, EC2, statement(s.subject, { Sid: 'Theirs' }), ours);
    const before = policyOf(s);
    await secondLook();
    expect([policyOf(s), s.writes().length]).toEqual([before, 1]);
    await s.conditionIs('Trusted', 'True', 'AllowedByOperator');
  });

  // Contract: trust-last-statement
  test('stays with a subject that no token can carry where it is the last one of the document', async () => {
    const s = await working('last');
    const [, ours = {}] = statementsOf(s);
    setPolicy(s, ours);
    await api.call('DELETE', bindingPath(s));
    await until('the binding is gone', () => isGone(s), PATIENCE);
    expect(JSON.parse(s.writes().at(-1) ?? '')).toEqual(policy(statement(['system:serviceaccount:-:-'])));
    expect(statementsOf(s)).toHaveLength(1);
  });

  // Contract: trust-newcomer, trust-quota
  test('keeps the older binding where there is no room for a newcomer, who is told', async () => {
    const s = await working('room');
    const [, ours = {}] = statementsOf(s);
    setPolicy(s, filler(ours), ours);
    await s.conditionIs('Trusted', 'True', 'AllowedByOperator');
    const [before, ready] = [policyOf(s), await s.condition('Ready')];
    await bindAs(s, 'newcomer');
    const told = await until(
      'the newcomer is told',
      async () => {
        const trusted = await conditionOf(s, 'newcomer', 'Trusted');
        return trusted?.reason === 'TrustPolicyTooLarge' && trusted;
      },
      PATIENCE,
    );
    expect(told.message).toMatch(
      /with "system:serviceaccount:room:newcomer" it would have \d+ characters, and the account's quota is 2048; ask AWS for a higher quota/,
    );
    await secondLook();
    expect([policyOf(s), s.writes().length, await s.condition('Ready')]).toEqual([before, 1, ready]);
  });

  // Contract: drift-sweep
  test('that somebody takes out is written again at the next sweep, and told', async () => {
    const s = await working('drift');
    const drift = async () =>
      Number(/^irsa_drift_total\{kind="trust"\} (\d+)$/m.exec(await (await fetch(`${operator.url}/metrics`)).text())?.[1]);
    // Before that a loss is a lost update, and nobody's will.
    await until('the write is no longer in doubt', () => readBackTwice(s), PATIENCE);
    const before = await drift();
    setPolicy(s, EC2);
    await until('it is written again', () => s.writes().length === 2, PATIENCE);
    await s.conditionIs('Ready', 'True', 'Ready');
    expect(await drift()).toBeGreaterThan(before);
    expect(statementsOf(s)).toHaveLength(2);
  });
});

const readBackTwice = (s: Scene) => {
  const at = callsAbout(s).findLast(({ operation }) => operation === 'UpdateAssumeRolePolicy')?.at;
  return callsAbout(s).some(({ operation, at: readAt }) => operation === 'GetRole' && Number(readAt) - Number(at) >= 8_000);
};

/** A statement of somebody else that leaves ten characters of the quota beside ours. */
function filler(ours: object): object {
  const ofLength = (length: number) => ({ ...EC2, Condition: { StringEquals: { 'aws:SourceAccount': 'x'.repeat(length) } } });
  return ofLength(QUOTA - 10 - JSON.stringify(policy(ofLength(0), ours)).length);
}

describe.concurrent('nothing is written', () => {
  // Contract: trust-deny, step-order
  test('where a Deny matches: it is said, the later steps wait, and it is mended when the Deny goes', async () => {
    const deny = { ...statement(undefined), Sid: 'NotThem', Effect: 'Deny', Condition: undefined };
    const s = await prepared('denied', EC2, deny);
    await s.bind();
    await s.conditionIs('Trusted', 'False', 'TrustExplicitDeny');
    await s.conditionIs('Stalled', 'True', 'TrustExplicitDeny');
    await secondLook();
    const conditions = (await s.binding()).status?.conditions ?? [];
    expect(Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]))).toEqual({
      Ready: 'False TrustExplicitDeny',
      Authorized: 'True Granted',
      ProviderReady: 'True Registered',
      Trusted: 'False TrustExplicitDeny',
      Annotated: 'Unknown Waiting',
      PodsCurrent: 'Unknown Waiting',
      Stalled: 'True TrustExplicitDeny',
    });
    expect(s.writes()).toEqual([]);
    setPolicy(s, EC2);
    await s.conditionIs('Ready', 'True', 'Ready');
    expect(s.writes()).toHaveLength(1);
  });

  // Contract: trust-restricted
  test("beside a statement for this very subject that its owner limits: that is the owner's will", async () => {
    const limited = (s: Scene) => statement(s.subject, { Sid: 'Theirs' }, { 'aws:PrincipalOrgID': 'o-1' });
    const s = await prepared('restricted');
    setPolicy(s, EC2, limited(s));
    await s.bind();
    const { message } = await s.conditionIs('Trusted', 'False', 'TrustRestrictedByOwner');
    expect(message).toMatch(/"Theirs".* covers this ServiceAccount and limits it by StringEquals on "aws:PrincipalOrgID"/);
    await secondLook();
    expect([s.writes(), statementsOf(s).length]).toEqual([[], 2]);
  });

  // Contract: trust-sid-taken
  test('into a statement with our Sid and another shape: it is somebody else by now', async () => {
    const taken = statement('system:serviceaccount:other:app', { Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'] });
    const s = await prepared('sid-taken', EC2, taken);
    await s.bind();
    const { message } = await s.conditionIs('Trusted', 'False', 'TrustSidTaken');
    expect(message).toContain(`the statement "${sid()}" bears our Sid and is not in the form that we write`);
    const before = policyOf(s);
    await secondLook();
    expect([s.writes(), policyOf(s)]).toEqual([[], before]);
  });
});

describe.concurrent('a write whose answer is lost', () => {
  for (const kind of ['connectionResetAfterCommit', 'timeoutAfterCommit'] as const) {
    // Contract: trust-ambiguous
    test(`is found by reading, and not made twice: ${kind}`, async () => {
      const s = await prepared(kind.toLowerCase());
      const fault = testbed.aws.fault({ kind, operation: 'UpdateAssumeRolePolicy', roleName: s.roleName });
      await s.bind();
      await s.conditionIs('Ready', 'True', 'Ready');
      await secondLook();
      expect([fault.met, s.writes().length, statementsOf(s).length]).toEqual([1, 1, 2]);
    });
  }
});

// Contract: failure-apart, failure-classes
test('a role for which IAM has no answer is retried, and delays no other binding', async () => {
  const [mute, other] = await Promise.all([prepared('mute'), prepared('beside-mute')]);
  const silence = testbed.aws.fault({ kind: 'timeout', roleName: mute.roleName, times: Number.POSITIVE_INFINITY });
  try {
    await mute.bind();
    await until('the first call waits for its answer', () => silence.met >= 1, PATIENCE);
    await other.bind();
    await other.conditionIs('Ready', 'True', 'Ready');
    // A read is sent three times, of ten seconds each: who waits for this role sees the fourth, of the next attempt.
    expect(silence.met).toBeLessThanOrEqual(3);
    await until(
      'its status says why',
      async () => / it is tried again after: /.test((await mute.condition('Reconciling'))?.message ?? ''),
      PATIENCE,
    );
  } finally {
    silence.end();
  }
  await mute.conditionIs('Ready', 'True', 'Ready');
});

/** What concerns every role of the account, so one after the other. */
describe('IAM', () => {
  // Contract: drift-sweep
  test('that does not let the roles be listed is asked for each bound role by itself', async () => {
    const s = await working('unlisted');
    await until('the write is no longer in doubt', () => readBackTwice(s), PATIENCE);
    const denied = testbed.aws.fault({ kind: 'accessDenied', operation: 'ListRoles', times: Number.POSITIVE_INFINITY });
    try {
      await until('the list was denied', () => denied.met >= 1, PATIENCE);
      setPolicy(s, EC2);
      await until('it is written again', () => s.writes().length === 2, PATIENCE);
    } finally {
      denied.end();
    }
    await s.conditionIs('Ready', 'True', 'Ready');
  });

  // Contract: rule-positive-evidence
  test('that denies every read takes nobody’s trust or annotation away, and nothing is written when it answers again', async () => {
    const s = await working('unreadable');
    await until('the write is no longer in doubt', () => readBackTwice(s), PATIENCE);
    const faults = (['ListRoles', 'GetRole'] as const).map((operation) =>
      testbed.aws.fault({ kind: 'accessDenied', operation, times: Number.POSITIVE_INFINITY }),
    );
    try {
      await s.conditionIs('Trusted', 'False', 'RoleAccessDenied');
      await secondLook();
      expect([policyOf(s).includes(s.subject), s.writes().length]).toEqual([true, 1]);
    } finally {
      for (const fault of faults) fault.end();
    }
    await s.conditionIs('Ready', 'True', 'Ready');
    expect(s.writes()).toHaveLength(1);
  });

  // Contract: end-unreachable
  test('that cannot be reached does not let a deleted binding go, which says why; it goes when IAM answers', async () => {
    const s = await working('outage');
    const outage = testbed.aws.fault({ kind: 'serviceUnavailable', service: 'iam', times: Number.POSITIVE_INFINITY });
    try {
      await api.call('DELETE', bindingPath(s));
      const failed =
        /it is tried again after: iam:GetRole of role "arn:aws:iam::111122223333:role\/role-of-outage": ServiceUnavailable: Service is unavailable$/;
      await until('the status says why', async () => failed.test((await s.condition('Ready'))?.message ?? ''), PATIENCE);
      expect(await s.condition('Reconciling')).toMatchObject({ status: 'True', reason: 'Releasing' });
      await secondLook();
      expect([await isGone(s), policyOf(s).includes(s.subject)]).toEqual([false, true]);
    } finally {
      outage.end();
    }
    await until('the binding is gone', () => isGone(s), PATIENCE);
    expect(policyOf(s)).not.toContain(s.subject);
  });
});

// Contract: rule-user-agent
test('every call to AWS carries the name, the version and the cluster', () => {
  const calls = testbed.aws.journal.filter(({ caller }) => caller.endsWith(`/${operator.name}`));
  expect(calls.length).toBeGreaterThan(0);
  expect(calls.map(({ userAgent }) => userAgent).filter((text) => !/ irsa-operator\/\d+\.\d+\.\d+/.test(text))).toEqual([]);
});

describe('the issuer', () => {
  // Contract: cluster-nothing-unknown, cluster-issuer
  test('of which the sources disagree is unknown, and nothing is written; the flag is above both', async () => {
    const s = await prepared('disputed');
    testbed.aws.cluster({ name: 'other', issuer: 'https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF' });
    expect(await operator.stop()).toBe(0);
    const writes = testbed.aws.journal.filter(({ operation }) => operation === 'UpdateAssumeRolePolicy').length;
    operator = await startOperator(testbed, [...SWEEP, '--eks-cluster-name', 'other']);
    await s.bind();
    const { message } = await s.conditionIs('ProviderReady', 'Unknown', 'IssuerUnknown');
    expect(message).toContain(testbed.issuer);
    expect(message).toContain('0123456789ABCDEF0123456789ABCDEF');
    await secondLook();
    expect(testbed.aws.journal.filter(({ operation }) => operation === 'UpdateAssumeRolePolicy')).toHaveLength(writes);
    expect(await operator.stop()).toBe(0);
    operator = await startOperator(testbed, [...SWEEP, '--eks-cluster-name', 'other', '--oidc-issuer', testbed.issuer]);
    await s.conditionIs('Ready', 'True', 'Ready');
    expect(s.writes()).toHaveLength(1);
  });
});
