import { describe, expect, test } from 'vitest';
import { Fault } from '../../api/fault.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import { problem } from '../../api/problem.ts';
import { ARN, grant, ISSUER, OTHER_ARN, own, policy, SERVICE, SUBJECT } from '../../domain/test-observed.ts';
import { Account, stores } from '../test-account.ts';
import { prune } from './prune.ts';

/** `prune --ungranted`: by grants, whether a binding names the subject or not. */
const beside = grant({ roleArns: [OTHER_ARN] });
const row = (result: string, subject: string = SUBJECT, role: string = ARN) => ({ result, role, subject, audience: 'sts.amazonaws.com' });
const standing = () => new Account({ [ARN]: policy(SERVICE, own([SUBJECT])) });
const look = { ungranted: true };
const confirm = { ungranted: true, confirm: true, 'sole-cluster': true };

// Contract: rule-prune-ungranted
describe('a subject that no grant covers', () => {
  test('is listed, also where a binding names it, and stays without --confirm', async () => {
    const account = standing();
    const report = await stores(account, { grants: [beside] }).run(prune, look);
    expect([report.rows, report.exitCode, account.writes]).toEqual([[row('ungranted')], 1, []]);
    expect(report.summary).toBe(
      `"${ISSUER}": 1 ungranted; irsa-operator prune --ungranted --sole-cluster --confirm removes them, if no other cluster has this issuer`,
    );
  });
  test('is removed with --confirm, and one that a grant covers stays', async () => {
    const gone = 'system:serviceaccount:other:app';
    const account = new Account({ [ARN]: policy(SERVICE, own([SUBJECT, gone])) });
    const report = await stores(account).run(prune, confirm);
    expect([report.rows, account.writes]).toEqual([[row('removed', gone)], [[ARN, policy(SERVICE, own([SUBJECT]))]]]);
  });
  test('is one whose role lacks the tag that the grant asks for', async () => {
    const grants = [grant({ requiredRoleTags: { owner: 'shop' } })];
    const tagged = new Account({ [ARN]: { policy: policy(SERVICE, own([SUBJECT])), tags: { owner: 'shop' } } });
    expect((await stores(tagged, { grants }).run(prune, look)).rows).toEqual([]);
    expect((await stores(standing(), { grants }).run(prune, look)).rows).toEqual([row('ungranted')]);
  });
  test('stays where a grant came after it was listed', async () => {
    const account = standing();
    const { run, seen } = stores(account, { grants: [beside] });
    account.beforeDecision = () => {
      seen.grants = [grant()];
    };
    expect([(await run(prune, confirm)).rows, account.writes]).toEqual([[], []]);
  });
});

describe('nothing is removed', () => {
  test('where a grant covers every subject', async () => {
    const report = await stores(standing()).run(prune, confirm);
    expect([report.rows, report.summary]).toEqual([[], `"${ISSUER}": a grant covers every subject of the statements of irsa-operator`]);
  });
  // Contract: rule-no-grant-seen
  test('where there is no grant at all: they may not be restored yet', async () => {
    const account = standing();
    await expect(stores(account, { grants: [] }).run(prune, confirm)).rejects.toThrow(
      /^this cluster has no IrsaGrant\. They may not be restored yet/,
    );
    expect(account.writes).toEqual([]);
  });
  // Contract: rule-prune-ungranted
  describe('where a grant cannot be read, and nothing is said to be covered', () => {
    const unreadable = { ...grant(), name: 'broken', uid: 'other', spec: problem('spec.roleArns: it is empty') };
    const refusal =
      'IrsaGrant "broken" cannot be read: spec.roleArns: it is empty. Which subjects it covers is not known. Correct it or delete it';
    const besides: Record<string, IrsaGrant[]> = {
      'beside one that covers the subject': [grant(), unreadable],
      'beside one that does not': [beside, unreadable],
      'and is the only one': [unreadable],
      'of two': [unreadable, { ...unreadable, name: 'worse', spec: problem('spec.audiences: it is empty') }],
    };
    for (const [sentence, grants] of Object.entries(besides))
      test.each([look, confirm])(`${sentence} (%j)`, async (given) => {
        const account = standing();
        await expect(stores(account, { grants }).run(prune, given)).rejects.toThrow(new Fault('invalid', refusal));
        expect(account.writes).toEqual([]);
      });
    test('since after the list, where another is narrowed at the same time', async () => {
      const account = standing();
      const { run, seen } = stores(account, { grants: [beside] });
      account.beforeDecision = () => {
        seen.grants = [beside, unreadable];
      };
      const report = await run(prune, confirm);
      expect([report.rows, report.exitCode, account.writes]).toEqual([[{ result: 'failed', role: ARN, message: refusal }], 2, []]);
    });
  });
  test('where a CRD is being deleted', async () => {
    const account = standing();
    await expect(stores(account, { grants: [beside], crdDeleting: true }).run(prune, confirm)).rejects.toThrow(/CRD/);
    expect(account.writes).toEqual([]);
  });
});

// Contract: rule-prune-ungranted
describe('a subject whose namespace does not exist', () => {
  const byLabel = grant({ namespaces: { selector: { matchLabels: { team: 'a' } } } });
  const message =
    'namespace "shop" does not exist, so its labels are not known, and an IrsaGrant selects namespaces by label. The subject is kept. If it is no longer needed, and no other cluster has this issuer, run: irsa-operator prune --sole-cluster --confirm';
  const kept = { ...row('refused'), message };

  test.each([look, confirm])('is kept where a grant selects by label, and that is told (%j)', async (given) => {
    const account = standing();
    const report = await stores(account, { grants: [byLabel], namespaces: [] }).run(prune, given);
    expect([report.rows, report.summary, report.exitCode, account.writes]).toEqual([[kept], `"${ISSUER}": 1 refused`, 1, []]);
  });
  test('is kept beside one that goes', async () => {
    const gone = 'system:serviceaccount:other:app';
    const account = new Account({ [ARN]: policy(SERVICE, own([SUBJECT, gone])) });
    const namespaces = [{ name: 'other', labels: {} }];
    const report = await stores(account, { grants: [byLabel], namespaces }).run(prune, confirm);
    expect([report.rows, report.exitCode, account.writes]).toEqual([
      [row('removed', gone), kept],
      1,
      [[ARN, policy(SERVICE, own([SUBJECT]))]],
    ]);
  });
  test('is kept where another writer changed the statement', async () => {
    const account = new Account({ [ARN]: policy(SERVICE, { ...own([SUBJECT]), Action: 'sts:*' }) });
    const report = await stores(account, { grants: [byLabel], namespaces: [] }).run(prune, confirm);
    expect([report.rows, account.writes]).toEqual([[kept], []]);
  });
  test('is kept where the namespace went after it was listed', async () => {
    const account = standing();
    const { run, seen } = stores(account, { grants: [byLabel] });
    account.beforeDecision = () => {
      seen.namespaces = [];
    };
    expect([(await run(prune, confirm)).rows, account.writes]).toEqual([[kept], []]);
  });
  test('is covered by a grant that names the namespace', async () => {
    const report = await stores(standing(), { grants: [byLabel, { ...grant(), name: 'naming' }], namespaces: [] }).run(prune, confirm);
    expect([report.rows, report.exitCode]).toEqual([[], 0]);
  });
  const others: Record<string, IrsaGrant> = {
    'no grant selects by label': beside,
    'the grant that selects by label is about another role': grant({ ...byLabel.spec, roleArns: [OTHER_ARN] }),
    'the grant that selects by label is about another ServiceAccount': grant({ ...byLabel.spec, serviceAccountNames: ['other'] }),
    'the grant that selects by label is about another audience': grant({ ...byLabel.spec, audiences: ['other'] }),
  };
  for (const [sentence, one] of Object.entries(others))
    test(`is ungranted where ${sentence}`, async () => {
      const report = await stores(standing(), { grants: [one], namespaces: [] }).run(prune, confirm);
      expect(report.rows).toEqual([row('removed')]);
    });
  test('is ungranted where the label is gone from a namespace that exists', async () =>
    expect((await stores(standing(), { grants: [byLabel] }).run(prune, confirm)).rows).toEqual([row('removed')]));
});
