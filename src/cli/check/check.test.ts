import { describe, expect, test } from 'vitest';
import { Fault } from '../../api/fault.ts';
import { appPod, statement } from '../../domain/check/test-seen.ts';
import { ARN, OTHER_ARN, own, policy, SERVICE, SUBJECT } from '../../domain/test-observed.ts';
import type { Given } from '../command.ts';
import type { AcceptedBy } from './accepted/lists.ts';
import { check } from './check.ts';
import type { Target } from './target.ts';
import { type Around, accountNamed, denied, where, world } from './test-ports.ts';

const app: Target = { kind: 'serviceAccount', of: { namespace: 'shop', name: 'app' } };
const all: Target = { kind: 'all', namespace: undefined };
const deployment: Target = { kind: 'runner', of: { namespace: 'shop', name: 'web' }, runner: 'deployments' };
const reach = { kubectl: [], aws: [], check: ['irsa-operator', 'check'] };
const { signal } = new AbortController();

async function run(target: Target, part: Partial<Around> = {}, given: Given = {}) {
  const { ports, calls } = world(part);
  const report = await check(target, { 'fail-on': 'Warning', ...given }, where, ports, reach, signal);
  return {
    ...report,
    calls,
    codes: report.checked.flatMap(({ check: { steps } }) => steps.flatMap(({ findings }) => findings.map(({ code }) => code))),
  };
}

const FORMER = OTHER_ARN;
const broken = policy(SERVICE);
const notes = policy(SERVICE, statement('*', { Condition: { StringLike: { 'oidc.eks.eu-west-1.amazonaws.com/id/ABCD:sub': '*' } } }));
const forApp = policy(SERVICE, statement());

describe('one ServiceAccount', () => {
  test('that works', async () => {
    const { exitCode, about, checked } = await run(app);
    expect([exitCode, about.account, checked.length]).toEqual([0, '111122223333', 1]);
  });
  test('that fails', async () => expect((await run(app, { roles: { [ARN]: broken } })).exitCode).toBe(1));
  test('that was not read', async () => expect((await run(app, { faults: { role: denied('iam:GetRole') } })).exitCode).toBe(2));
  test('with notes', async () => expect((await run(app, { roles: { [ARN]: notes } })).exitCode).toBe(1));
  test('with notes, which do not count', async () =>
    expect((await run(app, { roles: { [ARN]: notes } }, { 'fail-on': 'Error' })).exitCode).toBe(0));
  test('that fails for certain, beside what was not read', async () =>
    expect((await run(app, { roles: { [ARN]: broken }, faults: { pods: denied('pods') } })).exitCode).toBe(1));
  test('that does not exist', async () => expect((await run(app, { accounts: [], pods: [] })).codes).toEqual(['ServiceAccountMissing']));
  test('where nothing may be read at all', async () => {
    const names = ['serviceAccount', 'namespace', 'pods', 'workloads', 'batchWorkloads', 'webhooks', 'issuer', 'apiAudiences', 'caller'];
    const { exitCode, about } = await run(app, { faults: Object.fromEntries(names.map((name) => [name, denied(name)])) });
    expect([exitCode, about]).toEqual([2, { cluster: 'blue', issuer: undefined, account: undefined }]);
  });
});

// Contract: commands-progress
test('it says how many ServiceAccounts it has checked', async () => {
  const { ports } = world({ accounts: [accountNamed('app'), accountNamed('web')] });
  const told: string[] = [];
  const progress = (done: number, total: number, what: string) => void told.push(`${done} of ${total} ${what}`);
  await check(all, { 'fail-on': 'Warning' }, where, { ...ports, progress }, reach, signal);
  expect(told).toEqual(['1 of 2 ServiceAccounts', '2 of 2 ServiceAccounts']);
});

describe('what runs pods', () => {
  test('is checked by its ServiceAccount', async () => {
    const { checked, calls } = await run(deployment, { runs: 'app' });
    expect(checked.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(['shop/app']);
    expect(calls).toContain('deployments web');
  });
  test('has to be there', async () =>
    await expect(run(deployment, { runs: undefined })).rejects.toThrow('there is no deployment "web" in namespace "shop"'));
  test('has to be readable', async () =>
    await expect(run(deployment, { faults: { deployments: denied('deployments') } })).rejects.toThrow('deployments is forbidden'));
});

describe('of many', () => {
  const accounts = [accountNamed('app'), accountNamed('b', FORMER), accountNamed('none', '')];
  const roles = (b: string) => ({ [ARN]: forApp, [FORMER]: b });
  const fine = policy(SERVICE, statement('system:serviceaccount:shop:b'));
  const part = { accounts, pods: [] };
  test('those without an annotation are left out', async () => {
    const { checked, exitCode } = await run(all, { ...part, roles: roles(fine) });
    expect([checked.map(({ name }) => name), exitCode]).toEqual([['app', 'b'], 0]);
  });
  test('one with a misspelt annotation is meant too', async () => {
    const misspelt = { ...accountNamed('c', ''), misspelt: ['eks.amazon.com/role-arn'] };
    expect((await run(all, { ...part, accounts: [misspelt] })).codes).toEqual(['AnnotationKeyMisspelt']);
  });
  test('one that fails is enough', async () => expect((await run(all, { ...part, roles: roles(broken) })).exitCode).toBe(1));
  // Contract: check-exit-codes
  test('one that was not read makes all of it uncertain', async () => {
    const faults = { [`role ${FORMER}`]: denied('iam:GetRole') };
    expect((await run(all, { ...part, roles: { [ARN]: broken, [FORMER]: fine }, faults })).exitCode).toBe(2);
  });
  test('none is nothing wrong', async () => expect((await run(all, { accounts: [] })).exitCode).toBe(0));
  test('they keep their order, although they are read side by side', async () => {
    const names = Array.from({ length: 30 }, (_, at) => `a${at}`);
    const { checked } = await run(all, { accounts: names.map((name) => accountNamed(name)), pods: [] });
    expect(checked.map(({ name }) => name)).toEqual(names);
  });
  test('no log is read', async () => expect((await run(all, part)).calls.filter((call) => call.startsWith('lastWords'))).toEqual([]));
  test('they have to be readable', async () =>
    await expect(run(all, { faults: { serviceAccounts: denied('serviceaccounts') } })).rejects.toThrow('serviceaccounts is forbidden'));
});

describe('what is accepted', () => {
  const { ports } = world({ roles: { [ARN]: broken }, accounts: [accountNamed('app'), accountNamed('b')], pods: [] });
  const run = async (target: Target, acceptedBy: AcceptedBy) =>
    (await check(target, { 'fail-on': 'Warning' }, where, ports, reach, signal, acceptedBy)).exitCode;
  test('does not count', async () => expect(await run(app, () => ({ by: 'baseline' }))).toBe(0));
  test('is that of one ServiceAccount and one code', async () => {
    expect(await run(all, ({ name }, code) => (name === 'app' && code.startsWith('Trust') ? { by: 'baseline' } : undefined))).toBe(1);
    expect(await run(all, (_, code) => (code.startsWith('Trust') ? { by: 'baseline' } : undefined))).toBe(0);
  });
  test('is a note of the log too', async () => {
    const { ports: denying } = world({ words: 'not authorized to perform: s3:GetObject' });
    const report = await check(app, { 'fail-on': 'Warning' }, where, denying, reach, signal, () => ({ by: 'baseline' }));
    expect([report.checked[0]?.check.notes, report.exitCode]).toEqual([
      [expect.objectContaining({ code: 'RolePermissionDenied', accepted: { by: 'baseline' } })],
      0,
    ]);
  });
});

describe('the log', () => {
  const denial = (role: string) => `User: arn:aws:sts::111122223333:assumed-role/${role}/1 is not authorized to perform: s3:GetObject`;
  test('is that of the pod that is not ready', async () => {
    const { calls } = await run(app, { pods: [appPod(), appPod({ ready: false }, 'app-2')] });
    expect(calls).toContain('lastWords app-2 app');
  });
  test('is that of none, where none runs', async () => {
    const { calls } = await run(app, { pods: [appPod({ deleting: true }), appPod({ finished: true }, 'app-2')] });
    expect(calls.filter((call) => call.startsWith('lastWords'))).toEqual([]);
  });
  test('tells a permission apart from trust', async () => {
    const { checked, exitCode } = await run(app, { words: denial('app') });
    expect([checked[0]?.check.notes.map(({ code }) => code), checked[0]?.log?.action, exitCode]).toEqual([
      ['RolePermissionDenied'],
      's3:GetObject',
      1,
    ]);
  });
  test('of a pod that calls as its node says nothing of the role', async () => {
    const { checked } = await run(app, { words: denial('nodes') });
    expect(checked[0]?.check.notes).toEqual([]);
  });
  test('may not be readable: that is no step', async () => {
    const { checked, exitCode } = await run(app, { faults: { lastWords: denied('pods/log') } });
    expect([checked[0]?.log, exitCode]).toEqual([undefined, 0]);
  });
});

describe('the trust policy', () => {
  const print = { print: 'trust' };
  test('is there where it is asked for', async () => {
    const { trust } = await run(app, { roles: { [ARN]: broken } }, print);
    expect(JSON.parse(trust ?? '')).toEqual(JSON.parse(policy(SERVICE, own([SUBJECT]))));
  });
  test('is not there where it is not asked for', async () => expect((await run(app, { roles: { [ARN]: broken } })).trust).toBeUndefined());
  test('is not there where it is right', async () => expect((await run(app, {}, print)).trust).toBeUndefined());
  test('of many is none', async () => {
    const two = [accountNamed('app'), accountNamed('b')];
    const says = '--print trust: 2 ServiceAccounts are meant. Name one, for example with --service-account';
    await expect(run(all, { accounts: two }, print)).rejects.toThrow(says);
  });
});

describe('what makes no sense is refused, in one sentence, and nothing is read:', () => {
  const rows: Record<string, [given: Given, says: string]> = {
    'a role': [{ 'role-arn': 'app' }, '--role-arn: "app" is not the ARN of a role'],
    'a role of a shell variable that is not set': [{ 'role-arn': '' }, '--role-arn: "" is not the ARN of a role'],
    'an issuer': [{ issuer: 'http://x' }, '--issuer: AWS cannot use the issuer "http://x"'],
    'one role for many ServiceAccounts': [
      { 'role-arn': ARN },
      `--role-arn: "${ARN}" is one role, and many ServiceAccounts are meant. Name one`,
    ],
    'what fails': [{ 'fail-on': 'warning' }, '--fail-on: "warning" is neither Warning nor Error'],
  };
  for (const [sentence, [given, says]] of Object.entries(rows))
    test(sentence, async () => {
      const { ports, calls } = world();
      const running = check(all, { 'fail-on': 'Warning', ...given }, where, ports, reach, signal);
      await expect(running).rejects.toThrow(says);
      await expect(running).rejects.toBeInstanceOf(Fault);
      expect(calls).toEqual([]);
    });
});
