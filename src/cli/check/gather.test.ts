import { describe, expect, test } from 'vitest';
import type { CheckSeen } from '../../domain/check/seen.ts';
import { appPod, statement, webhook } from '../../domain/check/test-seen.ts';
import { workload } from '../../domain/test-cluster.ts';
import { ARN, arn, ISSUER, NOW, OTHER_ARN, policy, ROLE_ID, SERVICE } from '../../domain/test-observed.ts';
import { Gatherer } from './gather.ts';
import { type Around, accountNamed, denied, where, world } from './test-ports.ts';

const { signal } = new AbortController();
const app = { namespace: 'shop', name: 'app' };

type Said = ConstructorParameters<typeof Gatherer>[2];
function gathering(part: Partial<Around> = {}, said: Partial<Said> = {}, server = where.server) {
  const { ports, calls } = world(part);
  return { calls, ports, gatherer: new Gatherer(ports, { ...where, server }, { issuer: undefined, roleArn: undefined, ...said }, signal) };
}
const see = (part: Partial<Around> = {}, said: Partial<Said> = {}, server?: string): Promise<CheckSeen> =>
  gathering(part, said, server).gatherer.see(app);

describe('what is read', () => {
  test('is all that a check rests on', async () => {
    const { gatherer, calls } = gathering();
    const seen = await gatherer.see(app);
    const { serviceAccountExists: _, ...rest } = seen;
    expect(Object.entries(rest).filter(([, value]) => typeof value === 'object' && 'why' in value)).toEqual([]);
    expect([rest.now, rest.quota, rest.trusting, rest.notPublic]).toEqual([NOW, 2048, [], undefined]);
    expect(calls.toSorted()).toEqual([
      'apiAudiences',
      'caller',
      'issuer',
      'namespace shop',
      'pods app',
      `provider arn:aws:iam::111122223333:oidc-provider/${ISSUER.slice('https://'.length)}`,
      'quota',
      `role ${ARN}`,
      'serviceAccount app',
      'webhooks',
      'workloads shop',
    ]);
  });

  test('is read once for many ServiceAccounts', async () => {
    const accounts = ['a', 'b', 'c', 'd'].map((name) => accountNamed(name));
    const { gatherer, calls } = gathering({ accounts: [...accounts, accountNamed('none', ''), accountNamed('nobody', '')], pods: [] });
    await Promise.all([...accounts, { name: 'none' }, { name: 'nobody' }].map(({ name }) => gatherer.see({ namespace: 'shop', name })));
    const counts = Object.entries(Object.groupBy(calls, (call) => call)).filter(([, all = []]) => all.length > 1);
    expect(counts).toEqual([]);
    expect(calls.filter((call) => call === 'roles')).toHaveLength(1);
  });

  test('is read once for many that were listed, with one list of pods for those of a namespace', async () => {
    const accounts = ['a', 'b', 'c', 'd'].map((name) => accountNamed(name));
    const pods = accounts.map(({ name }) => ({ ...appPod({}, `pod-of-${name}`), serviceAccountName: name }));
    const { gatherer, calls } = gathering({ accounts, pods });
    await gatherer.expect(accounts);
    const all = await Promise.all(accounts.map((one) => gatherer.see(one)));
    expect(all.map((seen) => (seen.pods.kind === 'read' ? seen.pods.value.map(({ name }) => name) : []))).toEqual([
      ['pod-of-a'],
      ['pod-of-b'],
      ['pod-of-c'],
      ['pod-of-d'],
    ]);
    expect(all.map((seen) => seen.serviceAccount)).toEqual(accounts.map((value) => ({ kind: 'read', value })));
    expect(calls.filter((call) => /^(serviceAccount |pods)/.test(call))).toEqual(['pods of shop']);
  });

  test('is the pods of the one ServiceAccount, where only that one was listed in its namespace', async () => {
    const { gatherer, calls } = gathering();
    await gatherer.expect([accountNamed('app')]);
    await gatherer.see(app);
    expect(calls.filter((call) => call.startsWith('pods'))).toEqual(['pods app']);
  });

  test('is the Jobs too, where no pod and no workload runs as it', async () => {
    const jobs = async (part: Partial<Around>) => {
      const { gatherer, calls } = gathering(part);
      await gatherer.see(app);
      return calls.includes('batchWorkloads shop');
    };
    expect(await jobs({ pods: [], workloads: [workload({ serviceAccountName: 'other' })] })).toBe(true);
    expect(await jobs({ pods: [] })).toBe(false);
    expect(await jobs({ workloads: [] })).toBe(false);
  });

  test('has the labels of pods that the webhook selects by', async () => {
    const { gatherer, calls } = gathering({
      webhooks: [webhook({ objectSelector: { matchLabels: { irsa: 'yes' }, matchExpressions: [] } })],
    });
    await gatherer.see(app);
    expect(calls).toContain('pods app irsa');
  });

  test('is the role of --role-arn, whatever the annotation says', async () => {
    const { role } = await see({ roles: { [OTHER_ARN]: policy(statement()) } }, { roleArn: OTHER_ARN });
    expect(role).toMatchObject({ kind: 'read', value: { arn: OTHER_ARN, state: { kind: 'present' } } });
  });
});

describe('a fault of one read stops no other:', () => {
  const reads: Record<string, (seen: CheckSeen) => unknown> = {
    serviceAccount: ({ serviceAccount }) => serviceAccount,
    namespace: ({ namespace }) => namespace,
    webhooks: ({ webhooks }) => webhooks,
    pods: ({ pods }) => pods,
    workloads: ({ workloads }) => workloads,
    batchWorkloads: ({ batchWorkloads }) => batchWorkloads,
    caller: ({ caller }) => caller,
    role: ({ role }) => role,
    provider: ({ provider }) => provider,
  };
  for (const [read, member] of Object.entries(reads))
    test(read, async () => {
      const seen = await see({ pods: [], workloads: [], faults: { [read]: denied(read) } }, { roleArn: ARN });
      expect(member(seen)).toEqual({ kind: 'unread', why: `${read} is forbidden` });
      const others = Object.entries(reads).filter(([name]) => name !== read && !(read === 'caller' && ['role', 'provider'].includes(name)));
      expect(others.map(([, other]) => other(seen))).toEqual(others.map(() => expect.objectContaining({ kind: 'read' })));
    });
  test('the audiences of the API server', async () =>
    expect((await see({ faults: { apiAudiences: denied('x') } })).apiAudiences).toEqual([]));
  test('the quota, for which there is a usual one', async () => expect((await see({ faults: { quota: denied('x') } })).quota).toBe(2048));
  test('a bug is none', async () => {
    const { ports, gatherer } = gathering();
    ports.cluster.webhooks = () => Promise.reject(new TypeError('a bug'));
    await expect(gatherer.see(app)).rejects.toThrow('a bug');
  });
});

describe('the issuer is', () => {
  const OF_EKS = 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
  const SERVER = 'https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com';
  const faults = { issuer: denied('GET /.well-known/openid-configuration') };
  const of = async (...args: Parameters<typeof see>) => {
    const { cluster, notPublic } = await see(...args);
    return [cluster.kind === 'read' ? cluster.value.issuer : cluster.why, notPublic];
  };
  test('what --issuer says, and nobody else is asked', async () => {
    const { gatherer, calls } = gathering({ eksIssuer: OF_EKS }, { issuer: ISSUER });
    await gatherer.see(app);
    expect(calls.filter((call) => /issuer/i.test(call))).toEqual([]);
  });
  test('what the API server says', async () => expect(await of({ eksIssuer: OF_EKS })).toEqual([ISSUER, undefined]));
  test('else what EKS says', async () => expect(await of({ faults, eksIssuer: OF_EKS })).toEqual([OF_EKS, undefined]));
  test('else that of the address', async () => expect(await of({ faults }, {}, SERVER)).toEqual([OF_EKS, undefined]));
  test('that of the address, where EKS may not be asked', async () =>
    expect(await of({ faults: { ...faults, eksIssuer: denied('x') }, eksIssuer: OF_EKS }, {}, SERVER)).toEqual([OF_EKS, undefined]));
  test('not known where nothing says it, and then how to say it', async () =>
    expect(await of({ faults })).toEqual(['GET /.well-known/openid-configuration is forbidden. Name the issuer with --issuer', undefined]));
  test('one that AWS cannot reach, which is an answer', async () => {
    const why = 'AWS cannot use the issuer "https://kubernetes.default.svc": names under ".svc" are not public';
    expect(await of({ issuer: 'https://kubernetes.default.svc' })).toEqual([why, why]);
  });
});

describe('the role', () => {
  test('is present, with its tags', async () =>
    expect((await see()).role).toMatchObject({ value: { asOf: NOW, state: { kind: 'present', roleId: ROLE_ID, tags: { asOf: NOW } } } }));
  test('is missing', async () =>
    expect((await see({ roles: {} })).role).toMatchObject({ value: { state: { kind: 'missing', foundAs: undefined } } }));
  test('has another path', async () => {
    const found = 'arn:aws:iam::111122223333:role/app';
    const { role } = await see({ roles: { [ARN]: { policy: policy(SERVICE), foundAs: found } } });
    expect(role).toMatchObject({ value: { arn: ARN, state: { kind: 'missing', foundAs: { arn: found } } } });
  });
  test('of another account is not asked for', async () => {
    const { gatherer, calls } = gathering({ accounts: [accountNamed('app', 'arn:aws:iam::444455556666:role/app')] });
    expect((await gatherer.see(app)).role.kind).toBe('unread');
    expect(calls.filter((call) => /^(role|provider|quota)/.test(call))).toEqual([]);
  });

  const many = Array.from({ length: 21 }, (_, at) => arn(`arn:aws:iam::111122223333:role/r${at}`));
  const roles = Object.fromEntries(many.map((one) => [one, policy(SERVICE)]));
  const accounts = many.map((one, at) => accountNamed(`a${at}`, one));
  const seeAll = async (part: Partial<Around>, expected: typeof accounts) => {
    const { gatherer, calls } = gathering({ accounts: expected, roles, ...part });
    await gatherer.expect(expected);
    const all = await Promise.all(expected.map((one) => gatherer.see(one)));
    const read = all.filter(({ role }) => role.kind === 'read' && role.value.state.kind === 'present').length;
    return {
      read,
      byName: calls.filter((call) => call.startsWith('role ')).length,
      lists: calls.filter((call) => call === 'roles').length,
    };
  };
  test('of 20 is read by its name', async () => expect(await seeAll({}, accounts.slice(1))).toEqual({ read: 20, byName: 20, lists: 0 }));
  test('of more is read from one list', async () => expect(await seeAll({}, accounts)).toEqual({ read: 21, byName: 0, lists: 1 }));
  test('of more is read by its name, where they may not be listed', async () =>
    expect(await seeAll({ faults: { roles: denied('iam:ListRoles') } }, accounts)).toEqual({ read: 21, byName: 21, lists: 1 }));
  test('that many ServiceAccounts have counts once', async () =>
    expect(
      await seeAll(
        {},
        accounts.map(({ name }) => accountNamed(name, many[0])),
      ),
    ).toEqual({
      read: 21,
      byName: 1,
      lists: 0,
    }));
});

describe('the provider', () => {
  test('is missing, and what is nearly it is found', async () => {
    const { provider } = await see({ clientIds: undefined });
    expect(provider).toEqual({ kind: 'read', value: { kind: 'missing', similar: [`${ISSUER.slice('https://'.length)}/`] } });
  });
  test('is missing, where the others may not be listed', async () => {
    const { provider } = await see({ clientIds: undefined, faults: { providers: denied('x') } });
    expect(provider).toEqual({ kind: 'read', value: { kind: 'missing', similar: [] } });
  });
});

describe('where no role is named', () => {
  const names = ['a', 'b', 'c', 'd'].map((name) => `arn:aws:iam::111122223333:role/${name}`);
  const accounts = [accountNamed('app', '')];
  test('up to three that trust the ServiceAccount are proposed', async () => {
    const roles = { [ARN]: policy(SERVICE), ...Object.fromEntries(names.map((one) => [one, policy(statement())])) };
    expect((await see({ accounts, roles })).trusting).toEqual(names.slice(0, 3));
  });
  test('none is proposed, where they may not be listed', async () =>
    expect((await see({ accounts, faults: { roles: denied('x') } })).trusting).toEqual([]));
  test('none is proposed of a ServiceAccount that does not exist', async () => {
    const { gatherer, calls } = gathering({ accounts: [] });
    expect((await gatherer.see(app)).trusting).toEqual([]);
    expect(calls).not.toContain('roles');
  });
});

describe('whether another ServiceAccount exists', () => {
  const workloads = [workload({ serviceAccountName: 'gone' })];
  test('is asked where no pod runs', async () => {
    const { serviceAccountExists } = await see({ pods: [], workloads });
    expect([serviceAccountExists('gone'), serviceAccountExists('app')]).toEqual([false, true]);
  });
  test('is not asked where a pod runs', async () => {
    const { gatherer, calls } = gathering({ pods: [appPod()], workloads });
    expect((await gatherer.see(app)).serviceAccountExists('gone')).toBe(true);
    expect(calls).not.toContain('serviceAccounts shop');
  });
  test('is not said, where they may not be listed', async () =>
    expect((await see({ pods: [], workloads, faults: { serviceAccounts: denied('x') } })).serviceAccountExists('gone')).toBe(true));
});

test('whom AWS does not know it says why', async () => {
  const { ports, gatherer } = gathering();
  ports.aws.caller = async () => ({ kind: 'unknown', why: 'the token is expired' });
  const { caller, role, provider } = await gatherer.see(app);
  expect([caller, role, provider]).toEqual([caller, caller, caller]);
  expect(caller).toEqual({ kind: 'unread', why: 'the token is expired' });
});
