import { createHash } from 'node:crypto';
import { until } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { allowing, EC2, policy } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';

/** Step 4 of the contract as IAM sees it: what is sent, what is not, and what comes of it when others write too, or IAM does not answer. */
const PATIENCE = { timeoutMs: 90_000 };
const QUOTA = 2048;

const suite = integrationSuite({ grant: {} });
const { prepared, working, secondLook } = suite;

/** The contract's words, not the operator's code: `Irsa` and 12 characters of base32 of a SHA-256 over both. */
function sid(audience = 'sts.amazonaws.com'): string {
  const bits = [...createHash('sha256').update(`${suite.testbed.issuer}\n${audience}`).digest()].map((byte) =>
    byte.toString(2).padStart(8, '0'),
  );
  const letters = bits.join('').match(/.{5}/g) ?? [];
  return `Irsa${letters
    .slice(0, 12)
    .map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(five, 2)])
    .join('')}`;
}

/** A statement for subjects of this cluster: ours, unless it is said otherwise. */
const statement = (sub: unknown, part: object = {}, keys: object = {}) =>
  allowing(suite.testbed.issuer, sub, { Sid: sid(), ...part }, keys);

// Alone: the read-backs of several roles would share lists.
// Contract: trust-read-before-write, trust-read-back
test('the statement of irsa-operator is written right after a read of the role, and read back after 2 s and after 8 s, and then no more', async () => {
  const s = await working('read-back');
  const reads = () => s.calls('GetRole');
  const [write] = s.calls('UpdateAssumeRolePolicy');
  const writtenAt = Number(write?.at);
  const ages = () => reads().map(({ at }) => Number(at) - writtenAt);
  await until('it is read back for the second time', () => ages().some((age) => age >= 8_000), PATIENCE);
  await secondLook();
  expect(
    s
      .calls()
      .map(({ operation }) => operation)
      .slice(-4),
  ).toEqual(['GetRole', 'UpdateAssumeRolePolicy', 'GetRole', 'GetRole']);
  const [first = 0, second = 0] = ages().filter((age) => age > 0);
  expect([first >= 2_000, second >= 8_000]).toEqual([true, true]);
  expect(s.writes()).toHaveLength(1);
});

describe.concurrent('the statement of irsa-operator', () => {
  // Contract: trust-own-statement, trust-one-write, trust-no-wildcard
  test('is one for all bindings of the role, exact and sorted, and ten bindings that come together do not make ten writes', async () => {
    const s = await prepared('together');
    const names = Array.from({ length: 10 }, (_, index) => `app-${9 - index}`);
    for (const name of names) await s.bind({ serviceAccountName: name }, name);
    const stand = () => s.trust().split('system:serviceaccount:').length - 1;
    await until('all ten stand', () => stand() === names.length, PATIENCE);
    const sent = JSON.parse(s.writes().at(-1) ?? '') as object;
    expect(sent).toEqual(policy(EC2, statement(names.toSorted().map((name) => s.subjectOf(name)))));
    // Who comes after the moment in which they are gathered makes another one.
    expect(s.writes().length).toBeLessThanOrEqual(3);
  });

  // Contract: trust-stays, trust-fixpoint
  test('keeps a subject also when somebody else comes to allow it too', async () => {
    const s = await working('stays');
    const [, ours = {}] = s.statements();
    s.setTrust(EC2, statement(s.subject, { Sid: 'Theirs' }), ours);
    const before = s.trust();
    await secondLook();
    expect([s.trust(), s.writes().length]).toEqual([before, 1]);
    await s.conditionIs('Trusted', 'True', 'AllowedByOperator');
  });

  // Contract: trust-last-statement
  test('stays with a subject that no token can carry where it is the last one of the document', async () => {
    const s = await working('last');
    const [, ours = {}] = s.statements();
    s.setTrust(ours);
    await s.unbind();
    await s.gone();
    expect(JSON.parse(s.writes().at(-1) ?? '')).toEqual(policy(statement(['system:serviceaccount:-:-'])));
    expect(s.statements()).toHaveLength(1);
  });

  // Contract: trust-newcomer, trust-quota
  test('keeps the older binding where there is no room for a newcomer, who is told', async () => {
    const s = await working('room');
    const [, ours = {}] = s.statements();
    s.setTrust(filler(ours), ours);
    await s.conditionIs('Trusted', 'True', 'AllowedByOperator');
    const [before, ready] = [s.trust(), await s.condition('Ready')];
    await s.bind({ serviceAccountName: 'newcomer' }, 'newcomer');
    const told = await until(
      'the newcomer is told',
      async () => {
        const trusted = await s.condition('Trusted', 'newcomer');
        return trusted?.reason === 'TrustPolicyTooLarge' && trusted;
      },
      PATIENCE,
    );
    expect(told.message).toMatch(
      /with "system:serviceaccount:room:newcomer" it would have \d+ characters, but the account's quota is 2048\. Ask AWS for a higher quota/,
    );
    await secondLook();
    expect([s.trust(), s.writes().length, await s.condition('Ready')]).toEqual([before, 1, ready]);
  });

  // Contract: trust-absent
  test('takes a ServiceAccount that does not exist only where a quarter of the quota stays free, and takes it when it comes', async () => {
    const s = await working('absent');
    const [, ours = {}] = s.statements();
    s.setTrust(filler(ours, 400), ours);
    await s.bind({ serviceAccountName: 'newcomer' }, 'newcomer');
    const { message } = await s.conditionIs('Trusted', 'False', 'ServiceAccountMissing', 'newcomer');
    expect(message).toMatch(/^"system:serviceaccount:absent:newcomer" is not added .* would have \d+ of 2048 characters\. Above 1536, /);
    await secondLook();
    expect(s.writes()).toHaveLength(1);
    await s.serviceAccount({}, 'newcomer');
    await s.conditionIs('Ready', 'True', 'Ready', 'newcomer');
    expect(s.writes()).toHaveLength(2);
  });

  // Contract: drift-sweep
  test('that somebody takes out is written again at the next sweep, and told', async () => {
    const s = await working('drift');
    const drift = async () => Number(/^irsa_drift_total\{kind="trust"\} (\d+)$/m.exec(await suite.metrics())?.[1]);
    // Before that a loss is a lost update, and nobody's will.
    await s.writeIsBelieved();
    const before = await drift();
    s.setTrust(EC2);
    await until('it is written again', () => s.writes().length === 2, PATIENCE);
    await s.conditionIs('Ready', 'True', 'Ready');
    expect(await drift()).toBeGreaterThan(before);
    expect(s.statements()).toHaveLength(2);
  });
});

/** A statement of somebody else that leaves so many characters of the quota beside ours. */
function filler(ours: object, left = 10): object {
  const ofLength = (length: number) => ({ ...EC2, Condition: { StringEquals: { 'aws:SourceAccount': 'x'.repeat(length) } } });
  return ofLength(QUOTA - left - JSON.stringify(policy(ofLength(0), ours)).length);
}

describe.concurrent('nothing is written', () => {
  // Contract: trust-deny, step-order
  test('where a Deny matches: it is said, the later steps wait, and it is mended when the Deny goes', async () => {
    const deny = { ...statement(undefined), Sid: 'NotThem', Effect: 'Deny', Condition: undefined };
    const s = await prepared('denied', policy(EC2, deny));
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
    s.setTrust(EC2);
    await s.conditionIs('Ready', 'True', 'Ready');
    expect(s.writes()).toHaveLength(1);
  });

  // Contract: trust-restricted
  test("beside a statement for this very subject that its owner limits: that is the owner's will", async () => {
    const limited = (s: Scene) => statement(s.subject, { Sid: 'Theirs' }, { 'aws:PrincipalOrgID': 'o-1' });
    const s = await prepared('restricted');
    s.setTrust(EC2, limited(s));
    await s.bind();
    const { message } = await s.conditionIs('Trusted', 'False', 'TrustRestrictedByOwner');
    expect(message).toMatch(/statement \d+ covers this ServiceAccount and limits it with StringEquals on "aws:PrincipalOrgID"/);
    await secondLook();
    expect([s.writes(), s.statements().length]).toEqual([[], 2]);
  });

  // Contract: trust-sid-taken
  test('into a statement with our Sid and another shape: it is somebody else by now', async () => {
    const taken = statement('system:serviceaccount:other:app', { Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'] });
    const s = await prepared('sid-taken', policy(EC2, taken));
    await s.bind();
    const { message } = await s.conditionIs('Trusted', 'False', 'TrustSidTaken');
    expect(message).toContain(`the statement "${sid()}" has the Sid of irsa-operator, but not the form that irsa-operator writes`);
    const before = s.trust();
    await secondLook();
    expect([s.writes(), s.trust()]).toEqual([[], before]);
  });
});

describe.concurrent('a write whose answer is lost', () => {
  for (const kind of ['connectionResetAfterCommit', 'timeoutAfterCommit'] as const) {
    // Contract: trust-ambiguous
    test(`is found by reading, and not made twice: ${kind}`, async () => {
      const s = await prepared(kind.toLowerCase());
      const fault = suite.testbed.aws.fault({ kind, operation: 'UpdateAssumeRolePolicy', roleName: s.roleName });
      await s.bind();
      await s.conditionIs('Ready', 'True', 'Ready');
      await secondLook();
      expect([fault.met, s.writes().length, s.statements().length]).toEqual([1, 1, 2]);
    });
  }
});

// Contract: failure-apart, failure-classes
test('a role for which IAM has no answer is retried, and delays no other binding', async () => {
  const [mute, other] = await Promise.all([prepared('mute'), prepared('beside-mute')]);
  const silence = suite.testbed.aws.fault({ kind: 'timeout', roleName: mute.roleName, times: Number.POSITIVE_INFINITY });
  try {
    await mute.bind();
    await until('the first call waits for its answer', () => silence.met >= 1, PATIENCE);
    await other.bind();
    await other.conditionIs('Ready', 'True', 'Ready');
    // A read is sent three times, of ten seconds each: who waits for this role sees the fourth, of the next attempt.
    expect(silence.met).toBeLessThanOrEqual(3);
    await until(
      'its status says why',
      async () => /\. The last attempt failed: /.test((await mute.condition('Trusted'))?.message ?? ''),
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
    await s.writeIsBelieved();
    const denied = suite.testbed.aws.fault({ kind: 'accessDenied', operation: 'ListRoles', times: Number.POSITIVE_INFINITY });
    try {
      await until('the list was denied', () => denied.met >= 1, PATIENCE);
      s.setTrust(EC2);
      await until('it is written again', () => s.writes().length === 2, PATIENCE);
    } finally {
      denied.end();
    }
    await s.conditionIs('Ready', 'True', 'Ready');
  });

  // Contract: rule-positive-evidence
  test('that denies every read takes nobody’s trust or annotation away, and nothing is written when it answers again', async () => {
    const s = await working('unreadable');
    await s.writeIsBelieved();
    const faults = (['ListRoles', 'GetRole'] as const).map((operation) =>
      suite.testbed.aws.fault({ kind: 'accessDenied', operation, times: Number.POSITIVE_INFINITY }),
    );
    try {
      await s.conditionIs('Trusted', 'False', 'RoleAccessDenied');
      await secondLook();
      expect([s.trust().includes(s.subject), s.writes().length]).toEqual([true, 1]);
    } finally {
      for (const fault of faults) fault.end();
    }
    await s.conditionIs('Ready', 'True', 'Ready');
    expect(s.writes()).toHaveLength(1);
  });

  // Contract: end-unreachable
  test('that cannot be reached does not let a deleted binding go, which says why; it goes when IAM answers', async () => {
    const s = await working('outage');
    const outage = suite.testbed.aws.fault({ kind: 'serviceUnavailable', service: 'iam', times: Number.POSITIVE_INFINITY });
    try {
      await s.unbind();
      const failed =
        /The last attempt failed: iam:GetRole of role "arn:aws:iam::111122223333:role\/role-of-outage": ServiceUnavailable: Service is unavailable$/;
      await until('the status says why', async () => failed.test((await s.condition('Trusted'))?.message ?? ''), PATIENCE);
      expect(await s.condition('Reconciling')).toMatchObject({ status: 'True', reason: 'Releasing' });
      // A call is sent three times: by then it was tried twice more.
      const met = outage.met;
      await until('IAM was asked again and again', () => outage.met >= met + 6, PATIENCE);
      expect([await s.isGone(), s.trust().includes(s.subject)]).toEqual([false, true]);
    } finally {
      outage.end();
    }
    await s.gone();
    expect(s.trust()).not.toContain(s.subject);
  });
});

// Contract: rule-user-agent
test('every call to AWS carries the name, the version and the cluster', () => {
  const calls = suite.testbed.aws.journal.filter(({ caller }) => caller.endsWith(`/${suite.operator.name}`));
  expect(calls.length).toBeGreaterThan(0);
  expect(calls.map(({ userAgent }) => userAgent).filter((text) => !/ irsa-operator\/\d+\.\d+\.\d+/.test(text))).toEqual([]);
});

describe('the issuer', () => {
  // Contract: cluster-nothing-unknown, cluster-issuer
  test('of which the sources disagree is unknown, and nothing is written; the flag is above both', async () => {
    const s = await prepared('disputed');
    suite.testbed.aws.cluster({ name: 'other', issuer: 'https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF' });
    expect(await suite.operator.stop()).toBe(0);
    const writes = suite.testbed.aws.journal.filter(({ operation }) => operation === 'UpdateAssumeRolePolicy').length;
    await suite.start([...SWEEP, '--eks-cluster-name', 'other']);
    await s.bind();
    const { message } = await s.conditionIs('ProviderReady', 'Unknown', 'IssuerUnknown');
    expect(message).toContain(suite.testbed.issuer);
    expect(message).toContain('0123456789ABCDEF0123456789ABCDEF');
    await secondLook();
    expect(suite.testbed.aws.journal.filter(({ operation }) => operation === 'UpdateAssumeRolePolicy')).toHaveLength(writes);
    await suite.restart([...SWEEP, '--eks-cluster-name', 'other', '--oidc-issuer', suite.testbed.issuer]);
    await s.conditionIs('Ready', 'True', 'Ready');
    expect(s.writes()).toHaveLength(1);
  });
});
