import { describe, expect, test } from 'vitest';
import { problem } from '../../api/problem.ts';
import { ARN, grant, ISSUER, OTHER_ARN, own, policy, SERVICE, SUBJECT } from '../../domain/test-observed.ts';
import { Account, stores } from '../test-account.ts';
import { prune } from './prune.ts';

/** `prune --ungranted`: by grants, whether a binding names the subject or not. */
const beside = grant({ roleArns: [OTHER_ARN] });
const row = (result: string, subject: string = SUBJECT, role: string = ARN) => ({ result, role, subject, audience: 'sts.amazonaws.com' });
const standing = () => new Account({ [ARN]: policy(SERVICE, own([SUBJECT])) });
const look = { ungranted: true };
const confirm = { ungranted: true, confirm: true };

// Contract: rule-ungranted
describe('a subject that no grant covers', () => {
  test('is listed, also where a binding names it, and stays without --confirm', async () => {
    const account = standing();
    const report = await stores(account, { grants: [beside] }).run(prune, look);
    expect([report.rows, report.exitCode, account.writes]).toEqual([[row('ungranted')], 1, []]);
    expect(report.summary).toBe(`"${ISSUER}": 1 ungranted; irsa-operator prune --ungranted --confirm removes them`);
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
  // Contract: rule-loss-evidence
  test('where a grant cannot be read', async () => {
    const account = standing();
    const grants = [beside, { ...grant(), uid: 'other', spec: problem('spec.roleArns: it is empty') }];
    expect([(await stores(account, { grants }).run(prune, confirm)).rows, account.writes]).toEqual([[], []]);
  });
  test('where a CRD is being deleted', async () => {
    const account = standing();
    await expect(stores(account, { grants: [beside], crdDeleting: true }).run(prune, confirm)).rejects.toThrow(/CRD/);
    expect(account.writes).toEqual([]);
  });
});
