import { describe, expect, test } from 'vitest';
import { Fault } from '../api/fault.ts';
import { ARN, binding, entry, ISSUER, OTHER_ARN, own, policy, SERVICE, SUBJECT } from '../domain/test-observed.ts';
import { NOBODY, sidFor } from '../trust/document/own-statement.ts';
import { release } from './release.ts';
import { Account, foreign, stores } from './test-account.ts';

const HERE = 'https://oidc.eks.eu-west-1.amazonaws.com/id/HERE';
const audience = 'sts.amazonaws.com';
const dead = { issuer: ISSUER };
const rowOf = (result: string, role: string = ARN, named: object = {}) => ({ result, role, subject: SUBJECT, audience, ...named });

// Contract: blue-green
test("a dead cluster's statements are taken out of every role, and nothing else is", async () => {
  const theirs = { ...own(), Sid: 'Theirs' };
  const account = new Account({
    [ARN]: policy(SERVICE, own(), own([SUBJECT], 'sigstore'), theirs),
    [OTHER_ARN]: policy(own()),
    'arn:aws:iam::111122223333:role/foreign': foreign,
    'arn:aws:iam::111122223333:role/irsa-operator': policy(own()),
  });
  const report = await stores(account, { issuer: HERE }).run(release, dead);
  expect([report.rows, report.exitCode]).toEqual([
    [rowOf('removed'), rowOf('removed', ARN, { audience: 'sigstore' }), rowOf('removed', OTHER_ARN)],
    0,
  ]);
  expect(account.writes).toEqual([
    [ARN, policy(SERVICE, theirs)],
    [OTHER_ARN, policy(own([NOBODY]))],
  ]);
});

// Contract: trust-changed-statement
test('a statement that another writer changed stays, and whom it lets in is told', async () => {
  const tagged = { ...own(), Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'] };
  const anybody = {
    ...own([SUBJECT], 'sigstore'),
    Condition: { StringEquals: { [`${ISSUER.slice('https://'.length)}:aud`]: 'sigstore' } },
  };
  const denied = { ...own(), Effect: 'Deny' };
  const account = new Account({ [ARN]: policy(tagged, anybody), [OTHER_ARN]: policy(SERVICE, denied) });
  const report = await stores(account, { issuer: HERE }).run(release, dead);
  const message = expect.stringContaining('another writer changed the statement');
  expect([report.rows, report.exitCode, account.writes]).toEqual([
    [rowOf('refused', ARN, { message }), rowOf('refused', ARN, { message, subject: '*', audience: 'sigstore' })],
    1,
    [],
  ]);
});

test('--dry-run tells what would go, and writes nothing', async () => {
  const account = new Account({ [ARN]: policy(SERVICE, own()) });
  const report = await stores(account, { issuer: HERE }).run(release, { ...dead, 'dry-run': true });
  expect([report.rows, report.exitCode, account.writes]).toEqual([[rowOf('planned')], 0, []]);
});

// Contract: commands-progress
test('it says how many roles are done', async () => {
  const account = new Account({ [ARN]: policy(SERVICE, own()), [OTHER_ARN]: policy(own()) });
  const told: string[] = [];
  const progress = (done: number, total: number, what: string) => void told.push(`${done} of ${total} ${what}`);
  await stores(account, { issuer: HERE }).run(release, dead, { progress });
  expect(told).toEqual(['1 of 2 roles', '2 of 2 roles']);
});

test('a second run finds nothing', async () => {
  const account = new Account({ [OTHER_ARN]: policy(own([NOBODY])) });
  const report = await stores(account, { issuer: HERE }).run(release, dead);
  expect([account.writes, report.summary]).toEqual([
    [],
    `"${ISSUER}": no role of the account has a statement of irsa-operator for this issuer`,
  ]);
});

test('where no cluster is configured none is asked', async () => {
  const account = new Account({ [ARN]: policy(SERVICE, own()) });
  const cluster = () => {
    throw new Fault('notFound', 'no cluster to talk to');
  };
  expect((await stores(account).run(release, dead, { cluster })).rows).toEqual([rowOf('removed')]);
});

describe('nothing is touched', () => {
  const refused: Record<string, { issuer?: string | Fault; given?: object; cluster?: () => never; says: string }> = {
    'where the issuer is that of the cluster that is reached': {
      issuer: ISSUER,
      says: `"${ISSUER}" is the issuer of the cluster that the kubeconfig reaches. To release it would lock out its pods. Nothing was removed`,
    },
    'where the cluster does not answer: it may be the one': {
      issuer: new Fault('transient', 'no answer from the API server'),
      says: `nothing was removed, because the cluster of the kubeconfig did not say whether "${ISSUER}" is its own issuer: no answer from the API server. Choose a context whose cluster answers`,
    },
    'where the kubeconfig is wrong': {
      cluster: () => {
        throw new Error('there is no context "x"');
      },
      says: 'there is no context "x"',
    },
    'without an issuer': { given: {}, says: '--issuer is missing: the issuer URL of the cluster that is meant' },
    'for an issuer that is none': {
      given: { issuer: `${ISSUER}?` },
      says: `--issuer: AWS cannot use the issuer "${ISSUER}?": it is not a plain https URL`,
    },
  };
  for (const [sentence, { issuer = HERE, given = dead, cluster, says }] of Object.entries(refused))
    test(sentence, async () => {
      const account = new Account({ [ARN]: policy(SERVICE, own()) });
      await expect(stores(account, { issuer }).run(release, { ...given }, cluster === undefined ? {} : { cluster })).rejects.toThrow(says);
      expect(account.writes).toEqual([]);
    });
});

// Contract: fleet-cluster-id
test('of clusters with one issuer the statements of the one that is named go, and no others', async () => {
  const blue = { ...own(), Sid: sidFor(ISSUER, audience, 'blue') };
  const account = new Account({ [ARN]: policy(SERVICE, own(), blue) });
  const report = await stores(account, { issuer: ISSUER }).run(release, { ...dead, 'cluster-id': 'blue' });
  expect([report.rows, account.writes]).toEqual([[rowOf('removed')], [[ARN, policy(SERVICE, own())]]]);
});

// Contract: fleet-cluster-id
test('the cluster that is reached is not released by its ID either: its bindings remember the Sid', async () => {
  const sid = sidFor(ISSUER, audience, 'blue');
  const account = new Account({ [ARN]: policy(SERVICE, { ...own(), Sid: sid }) });
  const bindings = [binding({ status: { roles: [{ ...entry(), sid }] } })];
  await expect(stores(account, { issuer: ISSUER, bindings }).run(release, { ...dead, 'cluster-id': 'blue' })).rejects.toThrow(
    '"blue" is the ID of the cluster that the kubeconfig reaches',
  );
  expect(account.writes).toEqual([]);
});
