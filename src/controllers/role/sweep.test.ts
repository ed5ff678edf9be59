import { expect, test } from 'vitest';
import type { AccountId, RoleArn } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { Fault } from '../../api/fault.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import type { Identity } from '../../domain/state/identity.ts';
import { ACCOUNT, ARN, arn, binding, entry, grant, NOW, OTHER_ARN, present } from '../../domain/test-observed.ts';
import type { Roles } from '../../ports/roles.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock, settle } from '../../runtime/manual-clock.ts';
import type { Urgency } from '../../runtime/queue.ts';
import { type AuditRecord, createStores } from '../stores.ts';
import { putIdentity } from '../test-identity.ts';
import { written } from './records.ts';
import { sweepRoles } from './sweep.ts';

const INTERVAL_MS = 60_000;
const FOREIGN_ARN = arn('arn:aws:iam::999900001111:role/team/app');
const CHINA_ARN = arn('arn:aws-cn:iam::111122223333:role/team/app');

/** IAM in memory: pages of roles by ARN, what was asked for, and what goes wrong. */
class Account implements Roles {
  readonly asked: string[] = [];
  readonly faults = new Map<string, Fault>();
  readonly policies: Map<string, string>;
  pages: readonly (readonly string[])[];
  /** Of these the list has half an entry. */
  readonly halves = new Set<string>();
  /** Never answered. */
  readonly silent = new Set<string>();
  readonly urgencies = new Set<Urgency>();
  /** Happens while the first page is under way. */
  duringList: () => void = () => {};
  duringRead: () => void = () => {};

  constructor(pages: readonly (readonly string[])[], unlisted: readonly string[] = []) {
    this.pages = pages;
    this.policies = new Map([...pages.flat(), ...unlisted].map((name) => [name, `policy of ${name}`]));
  }

  async read(role: RoleArn, signal: AbortSignal, urgency: Urgency) {
    this.asked.push(role);
    this.urgencies.add(urgency);
    this.duringRead();
    if (this.silent.has(role)) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const fault = this.faults.get(role);
    if (fault) throw fault;
    const policy = this.policies.get(role);
    if (policy === undefined) throw new Fault('notFound', 'NoSuchEntity');
    return { arn: role, roleId: 'AROAAPP', policy, tags: new Map<string, string>() };
  }

  async *list(_: AbortSignal, urgency: Urgency) {
    this.asked.push('list');
    this.urgencies.add(urgency);
    const fault = this.faults.get('list');
    if (fault) throw fault;
    for (const page of this.pages) {
      const answer = page.map((name) => ({ arn: name, roleId: 'AROAAPP', policy: this.policies.get(name) ?? '' }));
      this.duringList();
      yield answer.map((role) => ({ arn: role.arn as RoleArn, mayBeOurs: false, parse: () => this.#parse(role) }));
    }
  }

  #parse<T extends { arn: string }>(role: T): T {
    if (this.halves.has(role.arn)) throw new Fault('transient', 'answered without the role');
    return role;
  }

  edit(): never {
    throw new Error('a sweep writes nothing');
  }

  policyQuota(): never {
    throw new Error('a sweep does not ask for the quota');
  }
}

interface Start {
  readonly account: Account;
  readonly bindings?: readonly IrsaBinding[];
  readonly grants?: readonly IrsaGrant[];
  readonly audits?: readonly AuditRecord[];
  readonly identity?: Partial<Identity>;
}

function unbound(name: string, role: RoleArn | undefined): AuditRecord {
  return { account: { namespace: 'shop', name }, role, trusted: undefined, findings: [] };
}

/** Runs a sweep in a world that is in view, until it sleeps. */
async function swept({ account, bindings = [binding()], grants = [grant()], audits = [], identity = {} }: Start) {
  const seen = createStores(silentLog);
  for (const one of bindings) seen.bindings.put(one);
  for (const one of grants) seen.grants.put(one);
  for (const one of audits) seen.audits.put(one);
  seen.namespaces.put({ name: 'shop', labels: {} });
  putIdentity(seen, identity);
  for (const store of [seen.bindings, seen.grants, seen.namespaces]) store.markSynced();
  const clock = new ManualClock(NOW);
  const end = new AbortController();
  let whole = 0;
  const unswept: string[] = [];
  const options = {
    stores: seen,
    owned: seen,
    rolesIn: () => account,
    intervalMs: INTERVAL_MS,
    clock,
    random: () => 0.5,
    log: silentLog,
    swept: () => whole++,
    unswept: (account: AccountId) => unswept.push(account),
  };
  const running = sweepRoles(options, end.signal);
  await settle();
  return {
    seen,
    clock,
    roles: () => Object.fromEntries(seen.roles.list().map(({ arn: name, state }) => [name, state.kind])),
    whole: () => whole,
    unswept,
    async stop() {
      end.abort();
      await running;
    },
  };
}

// Contract: drift-sweep
test('one list tells of every bound role, and of no other', async () => {
  const account = new Account([['arn:aws:iam::111122223333:role/somebody', ARN], [OTHER_ARN]]);
  const bindings = [binding({ status: { roles: [entry(), entry(OTHER_ARN)] } })];
  const sweep = await swept({ account, bindings });
  expect(account.asked).toEqual(['list']);
  expect(sweep.roles()).toEqual({ [ARN]: 'present', [OTHER_ARN]: 'present' });
  expect([sweep.whole(), sweep.seen.roles.hasSynced]).toEqual([1, true]);
  await sweep.stop();
});

test('a role that the list does not show is asked for by name', async () => {
  const account = new Account([[OTHER_ARN]], [ARN]);
  const sweep = await swept({ account });
  expect(account.asked).toEqual(['list', ARN]);
  expect(sweep.roles()).toEqual({ [ARN]: 'present' });
  await sweep.stop();
});

// Contract: rule-positive-evidence
test('only what IAM says by name makes a role missing', async () => {
  const account = new Account([[]]);
  const sweep = await swept({ account });
  expect(sweep.seen.roles.get(ARN)?.state).toEqual({ kind: 'missing', since: NOW, foundAs: undefined });
  await sweep.clock.advance(2 * INTERVAL_MS);
  expect(sweep.seen.roles.get(ARN)?.state).toEqual({ kind: 'missing', since: NOW, foundAs: undefined });
  expect(sweep.seen.roles.get(ARN)?.asOf).toBeGreaterThan(NOW);
  await sweep.stop();
});

// Contract: drift-sweep
test('where roles may not be listed, each bound one is read by itself', async () => {
  const account = new Account([[ARN, OTHER_ARN]]);
  account.faults.set('list', new Fault('denied', 'not authorized: iam:ListRoles'));
  const sweep = await swept({ account, bindings: [binding({ status: { roles: [entry(), entry(OTHER_ARN)] } })] });
  expect(account.asked).toEqual(['list', ARN, OTHER_ARN]);
  expect([sweep.roles(), sweep.whole()]).toEqual([{ [ARN]: 'present', [OTHER_ARN]: 'present' }, 1]);
  await sweep.stop();
});

const silent: Record<string, Omit<Start, 'account'>> = {
  'there is no binding': { bindings: [] },
  'the role is in another account': {
    bindings: [binding({ spec: { roleArn: FOREIGN_ARN }, status: { roles: [entry(FOREIGN_ARN)] } })],
    grants: [grant({ roleArns: [FOREIGN_ARN] })],
  },
  'the role is in another partition, in an account of the same number': {
    bindings: [binding({ spec: { roleArn: CHINA_ARN }, status: { roles: [entry(CHINA_ARN)] } })],
    grants: [grant({ roleArns: [CHINA_ARN] })],
  },
  'it is not known who we are': { identity: { caller: { kind: 'unknown', why: 'x' } } },
  'no grant covers a ServiceAccount that asks for the role': { bindings: [], audits: [unbound('job', undefined)] },
  'no grant covers the binding': { bindings: [binding({ status: { roles: [] } })], grants: [] },
};
for (const [sentence, start] of Object.entries(silent)) {
  test(`no role is asked for by name when ${sentence}`, async () => {
    const account = new Account([[ARN]]);
    const sweep = await swept({ account, ...start });
    expect([account.asked.filter((of) => of !== 'list'), sweep.roles()]).toEqual([[], {}]);
    await sweep.stop();
  });
}

// Contract: api-no-call-ungranted
test('a binding without a grant makes no call about the role that it names, only about the one on which it stands', async () => {
  const account = new Account([[]], [ARN, OTHER_ARN]);
  const sweep = await swept({ account, bindings: [binding({ status: { roles: [entry(OTHER_ARN)] } })], grants: [] });
  expect(account.asked).toEqual(['list', OTHER_ARN]);
  await sweep.stop();
});

test('the same list tells of roles that unbound ServiceAccounts may have; one that it does not show is asked for by name', async () => {
  const account = new Account([[OTHER_ARN]], [ARN]);
  const audits = [unbound('job', ARN), unbound('other-job', OTHER_ARN), unbound('far-job', FOREIGN_ARN)];
  const sweep = await swept({ account, bindings: [], audits });
  expect(account.asked).toEqual(['list', ARN]);
  expect(sweep.roles()).toEqual({ [ARN]: 'present', [OTHER_ARN]: 'present' });
  await sweep.stop();
});

test('an audit that comes about while the list is under way is answered by it', async () => {
  const account = new Account([[OTHER_ARN], [ARN]]);
  const sweep = await swept({ account, bindings: [binding({ spec: { roleArn: OTHER_ARN }, status: { roles: [] } })] });
  account.duringList = () => sweep.seen.audits.put(unbound('job', ARN));
  account.asked.length = 0;
  await sweep.clock.advance(INTERVAL_MS);
  expect([account.asked, sweep.roles()]).toEqual([['list'], { [ARN]: 'present', [OTHER_ARN]: 'present' }]);
  await sweep.stop();
});

test('however many annotate, a sweep reads a hundred of their roles by name, those of bindings first, and the others in the next ones', async () => {
  const arns = Array.from({ length: 150 }, (_, index) => arn(`${ARN}-${String(index).padStart(3, '0')}`));
  const account = new Account([[]], [OTHER_ARN, ...arns]);
  const audits = arns.map((role, index) => unbound(`job-${index}`, role));
  const sweep = await swept({ account, bindings: [binding({ spec: { roleArn: OTHER_ARN }, status: { roles: [] } })], audits });
  expect(account.asked).toEqual(['list', OTHER_ARN, ...arns.slice(0, 100)]);
  account.asked.length = 0;
  await sweep.clock.advance(INTERVAL_MS);
  expect(account.asked).toEqual(['list', OTHER_ARN, ...arns.slice(100), ...arns.slice(0, 50)]);
  await sweep.stop();
});

const named = (team: string, count: number) =>
  Array.from({ length: count }, (_, index) => arn(`arn:aws:iam::111122223333:role/${team}/${String(index).padStart(4, '0')}`));
const boundIn = (namespace: string, roles: readonly RoleArn[]) =>
  roles.map((roleArn, index) => {
    const name = `app-${index}`;
    const metadata = { namespace, name, uid: `${namespace}-${index}` };
    return binding({ metadata, spec: { roleArn, serviceAccountName: name }, status: { roles: [] } });
  });
const everywhere = grant({ roleArns: ['arn:aws:iam::111122223333:role/*/*'], namespaces: { names: ['shop', 'other'] } });
const noList = (account: Account) => account.faults.set('list', new Fault('denied', 'not authorized: iam:ListRoles'));

// Contract: fair-sweep
test('where roles may not be listed a sweep reads two hundred of them, in turns over namespaces, and the rest in the next ones', async () => {
  const [many, few] = [named('many', 300), named('few', 3)];
  const account = new Account([], [...many, ...few]);
  noList(account);
  const sweep = await swept({ account, bindings: [...boundIn('shop', many), ...boundIn('other', few)], grants: [everywhere] });
  const asked = account.asked.slice(1);
  expect(asked).toHaveLength(200);
  expect(asked.slice(0, 7)).toEqual([many[0], few[0], many[1], few[1], many[2], few[2], many[3]]);
  account.asked.length = 0;
  await sweep.clock.advance(INTERVAL_MS);
  // Those that were not read for the longest time are first in each namespace.
  expect(account.asked.slice(1, 8)).toEqual([many[197], few[0], many[198], few[1], many[199], few[2], many[200]]);
  expect(new Set([...asked, ...account.asked]).size).toBe(1 + many.length + few.length);
  await sweep.stop();
});

// Contract: fair-sweep
test('of roles that IAM does not have a sweep reads thirty, in turns over namespaces', async () => {
  const [many, few] = [named('many', 100), named('few', 2)];
  const account = new Account([[]]);
  const sweep = await swept({ account, bindings: [...boundIn('shop', many), ...boundIn('other', few)], grants: [everywhere] });
  expect(account.asked).toHaveLength(1 + 102);
  account.asked.length = 0;
  await sweep.clock.advance(INTERVAL_MS);
  expect(account.asked).toHaveLength(1 + 30);
  expect(account.asked.slice(1, 6)).toEqual([many[0], few[0], many[1], few[1], many[2]]);
  await sweep.stop();
});

test('what a sweep has not read by name when the next one is due waits for that', async () => {
  const many = named('many', 10);
  const account = new Account([[]], many);
  const sweep = await swept({ account, bindings: boundIn('shop', many), grants: [everywhere] });
  account.asked.length = 0;
  account.duringRead = () => sweep.clock.freeze(20_000);
  await sweep.clock.advance(INTERVAL_MS);
  expect(account.asked).toEqual(['list', ...many.slice(0, 3)]);
  await sweep.stop();
});

test('nobody waits for what a sweep reads by name', async () => {
  const account = new Account([[]], [ARN]);
  account.silent.add(ARN);
  const sweep = await swept({ account });
  expect([sweep.seen.roles.hasSynced, sweep.whole()]).toEqual([true, 0]);
  await sweep.stop();
});

test('a page that was asked for before our write is ignored', async () => {
  const account = new Account([[ARN]]);
  const sweep = await swept({ account });
  account.duringList = () => {
    sweep.clock.freeze(10);
    written(sweep.seen.roles, ARN, 'sent', sweep.clock.now());
  };
  await sweep.clock.advance(INTERVAL_MS + 6_000);
  expect(sweep.seen.roles.get(ARN)?.state).toEqual(
    present({ policy: 'sent' }, NOW, { pending: { at: NOW + INTERVAL_MS + 10, policy: 'sent' } }).state,
  );
  await sweep.stop();
});

test('a page is as old as its own call, not as the first one', async () => {
  const account = new Account([[OTHER_ARN], [ARN]]);
  const bindings = [binding({ status: { roles: [entry(), entry(OTHER_ARN)] } })];
  const sweep = await swept({ account, bindings });
  account.duringList = () => sweep.clock.freeze(100);
  await sweep.clock.advance(INTERVAL_MS);
  const at = NOW + INTERVAL_MS;
  expect([sweep.seen.roles.get(OTHER_ARN)?.asOf, sweep.seen.roles.get(ARN)?.asOf]).toEqual([at, at + 100]);
  await sweep.stop();
});

test('one role that cannot be read now does not keep the others from being read', async () => {
  const account = new Account([[]], [ARN, OTHER_ARN]);
  account.faults.set(ARN, new Fault('throttled', 'slow down'));
  const sweep = await swept({ account, bindings: [binding({ status: { roles: [entry(), entry(OTHER_ARN)] } })] });
  expect(account.asked).toEqual(['list', ARN, OTHER_ARN]);
  expect(sweep.roles()).toEqual({ [OTHER_ARN]: 'present' });
  expect(sweep.whole()).toBe(0);
  await sweep.stop();
});

test('a role without an answer does not hold up the others', async () => {
  const account = new Account([[]], [ARN, OTHER_ARN]);
  account.silent.add(ARN);
  const sweep = await swept({ account, bindings: [binding({ status: { roles: [entry(), entry(OTHER_ARN)] } })] });
  expect(sweep.roles()).toEqual({ [OTHER_ARN]: 'present' });
  await sweep.stop();
});

test('half an entry of a list makes that role be asked for by name, and no other', async () => {
  const account = new Account([[ARN, OTHER_ARN]]);
  account.halves.add(ARN);
  const sweep = await swept({ account, bindings: [binding({ status: { roles: [entry(), entry(OTHER_ARN)] } })] });
  expect([account.asked, sweep.roles(), sweep.whole()]).toEqual([['list', ARN], { [ARN]: 'present', [OTHER_ARN]: 'present' }, 1]);
  await sweep.stop();
});

test('a sweep lets everybody else go first', async () => {
  const account = new Account([[OTHER_ARN]], [ARN]);
  const sweep = await swept({ account });
  expect([...account.urgencies]).toEqual(['resync']);
  await sweep.stop();
});

test('while it is not known who we are no sweep is counted and nobody is held up; once it is, the sweep is at once', async () => {
  const account = new Account([[ARN]]);
  const sweep = await swept({ account, identity: { caller: { kind: 'unknown', why: 'AWS does not answer' } } });
  await sweep.clock.advance(2 * INTERVAL_MS);
  expect([account.asked, sweep.whole(), sweep.seen.roles.hasSynced]).toEqual([[], 0, true]);
  putIdentity(sweep.seen);
  await settle();
  expect([account.asked, sweep.roles(), sweep.whole()]).toEqual([['list'], { [ARN]: 'present' }, 1]);
  await sweep.stop();
});

test('a sweep ends with the signal while it is not known who we are', async () => {
  const sweep = await swept({ account: new Account([[ARN]]), identity: { caller: { kind: 'unknown', why: 'x' } } });
  await sweep.stop();
});

test('a list that fails is no sweep, holds nobody up, and is tried again', async () => {
  const account = new Account([[ARN]]);
  account.faults.set('list', new Fault('transient', 'no answer'));
  const sweep = await swept({ account });
  expect([account.asked, sweep.whole(), sweep.seen.roles.hasSynced]).toEqual([['list'], 0, true]);
  account.faults.clear();
  await sweep.clock.advance(INTERVAL_MS * 1.2);
  expect([sweep.roles(), sweep.whole()]).toEqual([{ [ARN]: 'present' }, 1]);
  await sweep.stop();
});

test('a sweep ends with the signal, asleep or not', async () => {
  const sweep = await swept({ account: new Account([[ARN]]) });
  expect(sweep.clock.sleeping).toBe(1);
  await sweep.stop();
  expect(sweep.clock.sleeping).toBe(0);
});

test('an account that does not answer any more is swept no more, and has no age that could only grow', async () => {
  const account = new Account([[ARN]]);
  const sweep = await swept({ account });
  sweep.seen.accounts.put({ account: ACCOUNT, access: { kind: 'unknown', why: 'x' } });
  await sweep.clock.advance(10 * INTERVAL_MS);
  expect([account.asked, sweep.unswept, sweep.seen.sweptAccounts.size]).toEqual([['list'], [ACCOUNT], 0]);
  await sweep.stop();
});
