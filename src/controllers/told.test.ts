import { describe, expect, test } from 'vitest';
import { type AccountId, providerArnFor } from '../api/arn.ts';
import type { BindingStatus } from '../api/binding.ts';
import { conditionOf } from '../api/condition.ts';
import { Fault } from '../api/fault.ts';
import type { IrsaGrant } from '../api/grant.ts';
import { FINALIZER, PAUSED_ROLE_TAG, STS_AUDIENCE } from '../api/names.ts';
import { ARN, binding, caller, cluster, entry, grant, ISSUER, NOW, own, policy, SERVICE, serviceAccount } from '../domain/test-observed.ts';
import type { BindingEvent } from '../ports/events.ts';
import type { FreshRole, Roles } from '../ports/roles.ts';
import { silentLog } from '../runtime/log.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { bindingController } from './binding/index.ts';
import type { BindingWrites } from './binding/ports.ts';
import { roleController } from './role/index.ts';
import { listed } from './role/records.ts';
import { createStores } from './stores.ts';

/** The role's name under another path: GetRole finds it, because it ignores the path. */
const BREAKGLASS = 'arn:aws:iam::111122223333:role/security/breakglass/app';
const ELSEWHERE = 'arn:aws:iam::111122223333:role/other/app';

interface Account {
  /** What GetRole says. */
  readonly role: FreshRole | Fault;
  /** A sweep saw the role before, in a list, which shows no tags. */
  readonly wasListed?: boolean;
  /** What UpdateAssumeRolePolicy says. */
  readonly write?: Fault;
  /** What GetRole says from the second time on: right before a write. */
  readonly later?: FreshRole | Fault;
  /** Another binding of the role, with a grant of its own that requires no tags, has its subject written. */
  readonly hasNeighbour?: boolean;
}

const role = (part: Partial<FreshRole> = {}): FreshRole => ({
  arn: ARN,
  roleId: 'AROAAPP',
  policy: policy(SERVICE),
  tags: new Map(),
  ...part,
});
const withTags = (tags: Record<string, string>, part: Partial<FreshRole> = {}) => role({ ...part, tags: new Map(Object.entries(tags)) });

/** All that a tenant can read of the binding when everything has come to rest: the whole status and each Event. */
async function told(account: Account, grants: readonly IrsaGrant[], spec: object = {}) {
  const stores = createStores(silentLog);
  const clock = new ManualClock(NOW);
  stores.identity.put({ cluster, caller, policyQuota: 2048 });
  const registered = { kind: 'registered', arn: providerArnFor(ARN, ISSUER), clientIds: [STS_AUDIENCE] } as const;
  stores.providers.put({ account: '111122223333' as AccountId, view: registered });
  stores.namespaces.put({ name: 'shop', labels: {} });
  stores.serviceAccounts.put(serviceAccount({}));
  for (const one of grants) stores.grants.put(one);
  stores.bindings.put(binding({ spec, metadata: { finalizers: [FINALIZER] }, status: { roles: [] } }));
  if (account.hasNeighbour) {
    const metadata = { name: 'other', uid: 'other', finalizers: [FINALIZER] };
    stores.bindings.put(binding({ spec: { serviceAccountName: 'other' }, metadata, status: { roles: [entry()] } }));
  }
  if (account.wasListed && !(account.role instanceof Fault)) listed(stores.roles, ARN, account.role, NOW - 1);

  let reads = 0;
  const read = async () => {
    const answer = reads++ > 0 ? (account.later ?? account.role) : account.role;
    if (answer instanceof Fault) throw answer;
    return answer;
  };
  const roles: Roles = {
    read,
    async edit(_, decide) {
      const fresh = await read();
      const written = await decide(fresh);
      if (written !== undefined && account.write !== undefined) throw account.write;
      return { fresh, written };
    },
    async *list() {},
    policyQuota: async () => 2048,
  };
  const events: BindingEvent[] = [];
  const statuses: BindingStatus[] = [];
  const random = () => 0.5;
  const metrics = { wrote: () => {}, drifted: () => {}, repaired: () => {}, restarted: () => {} };
  const apiReader = { grants: async () => grants, namespace: async () => stores.namespaces.get('shop'), isCrdDeleting: async () => false };
  const recorder = { record: (_: unknown, event: BindingEvent) => void events.push(event) };
  const unexpected = async () => 'never';
  const writes: BindingWrites = {
    addFinalizer: unexpected,
    removeFinalizer: async () => {},
    annotate: async (account) => account,
    evict: async () => ({ kind: 'gone' }) as never,
    deletePod: async () => ({ kind: 'gone' }) as never,
    rollOut: async () => ({ kind: 'gone' }) as never,
    async report(one, status) {
      const resourceVersion = String(Number(one.metadata.resourceVersion) + 1);
      if (one.metadata.name === 'app') statuses.push(status);
      stores.bindings.put({ ...one, metadata: { ...one.metadata, resourceVersion }, status });
      return resourceVersion;
    },
  };
  const { signal } = new AbortController();
  const attempt = { id: '', urgency: 'change', failures: 0, log: silentLog } as const;
  const ofRole = roleController({ stores, owned: stores, roles, apiReader, events: recorder, metrics, clock, random });
  const ofBinding = bindingController({ stores, owned: stores, writes, events: recorder, metrics, clock });
  for (let round = 0; round < 6; round++) {
    await ofBinding.reconcile('shop/app', signal, attempt);
    await ofRole.reconcile(ARN, signal, attempt).catch(() => {});
    if (account.hasNeighbour) clock.freeze(2_500); // the write waits for more bindings
  }
  await ofBinding.reconcile('shop/app', signal, attempt);
  return { statuses, events, last: statuses.at(-1) };
}

const reasonsOf = (status: BindingStatus | undefined) =>
  (['Authorized', 'Trusted'] as const).map((type) => conditionOf(status?.conditions ?? [], type)?.reason);
const messageOf = (status: BindingStatus | undefined) => conditionOf(status?.conditions ?? [], 'Trusted')?.message;

const denied = new Fault('denied', 'iam:GetRole of role "app": not authorized');
const noRole = new Fault('notFound', 'iam:GetRole: NoSuchEntity');
const consenting = { owner: 'shop' };
const tagged = grant({ requiredRoleTags: consenting });

/** Whatever IAM says of a role whose owner did not consent. */
const withoutConsent: Record<string, Account> = {
  'is not there': { role: noRole },
  'is known under another path': { role: role({ arn: BREAKGLASS }) },
  'is known under another path, with the tags': { role: withTags(consenting, { arn: BREAKGLASS }) },
  'has no tags': { role: role() },
  'has the tag with another value': { role: withTags({ owner: 'bank' }) },
  'has no tags, and was listed before': { role: role(), wasListed: true },
  'cannot be read': { role: denied },
  'was listed before and cannot be read': { role: role(), wasListed: true, later: denied },
  'has a policy that cannot be parsed': { role: role({ policy: '{"Version":' }) },
  'has a policy that cannot be parsed, and was listed before': { role: role({ policy: '{"Version":' }), wasListed: true },
  'trusts the ServiceAccount already': { role: role({ policy: policy({ ...own(), Sid: 'Theirs' }) }) },
  'has a statement of irsa-operator with an orphan': { role: role({ policy: policy(SERVICE, own(['system:serviceaccount:shop:gone'])) }) },
  'is paused': { role: withTags({ [PAUSED_ROLE_TAG]: 'true' }) },
  'denies everybody': { role: role({ policy: policy({ Effect: 'Deny', Principal: '*', Action: '*' }) }) },
  'has a policy as large as the quota': { role: role({ policy: policy({ ...SERVICE, Sid: 'a'.repeat(2_000) }) }) },
};
const wantsIt: Record<string, object> = {
  enforces: {},
  observes: { mode: 'Observe' },
  'is suspended': { suspend: true },
  'leaves the policy to others': { trustPolicy: 'External' },
};

// Contract: api-told-after-consent
describe('under a grant that requires role tags', () => {
  for (const [how, spec] of Object.entries(wantsIt)) {
    describe(`a binding that ${how}`, () => {
      for (const [sentence, account] of Object.entries(withoutConsent)) {
        test(`reads the same of a role that ${sentence} as of one that has no tags`, async () => {
          const [found, untagged] = [await told(account, [tagged], spec), await told({ role: role() }, [tagged], spec)];
          expect(found).toEqual(untagged);
          expect(reasonsOf(found.last)[0]).toBe('NotGranted');
          expect(JSON.stringify(found)).not.toMatch(/breakglass|AROA|RoleNotFound|AccessDenied/);
        });
      }
    });
  }

  test('of two grants the one without tags is enough to be told', async () => {
    const { last } = await told({ role: noRole }, [tagged, grant()]);
    expect(reasonsOf(last)).toEqual(['Granted', 'RoleNotFound']);
  });

  const throttled = new Fault('throttled', 'iam:GetRole: Throttling');
  test('a failure says nothing of a role that nobody has read: not even whether a sweep saw it', async () => {
    const unseen = await told({ role: throttled }, [tagged]);
    const seen = await told({ role: role(), wasListed: true, later: throttled }, [tagged]);
    expect(unseen.last).toBeDefined();
    expect(JSON.stringify(unseen)).not.toContain('Throttling');
    expect(JSON.stringify(seen)).not.toMatch(/Throttling|AROA/);
  });
  test('a failure is told where no tags are required', async () =>
    expect(messageOf((await told({ role: throttled }, [grant()])).last)).toContain('The last attempt failed: iam:GetRole: Throttling'));

  test('what a write met with is told only with the tags of the read right before it', async () => {
    const write = new Fault('denied', 'iam:UpdateAssumeRolePolicy');
    const account: Account = { role: withTags(consenting), later: role(), write, hasNeighbour: true };
    const mine = grant({ requiredRoleTags: consenting, serviceAccountNames: ['app'] });
    const neighbours = { ...grant({ serviceAccountNames: ['other'] }), name: 'neighbours' };
    const { last } = await told(account, [mine, neighbours]);
    expect(reasonsOf(last)[0]).toBe('NotGranted');
    expect(JSON.stringify(last)).not.toContain('UpdateAssumeRolePolicy');
  });
  test('with the tags everything is told', async () => {
    const { last } = await told({ role: withTags({ ...consenting, [PAUSED_ROLE_TAG]: 'true' }) }, [tagged]);
    expect(reasonsOf(last)).toEqual(['Granted', 'RolePaused']);
  });
});

// Contract: api-told-after-consent
describe('a role of that name under another path', () => {
  const MISMATCH = `IAM knows the role "app" as "${ELSEWHERE}". The binding says "${ARN}". Correct spec.roleArn: path and case count`;
  const found = (tags: Record<string, string> = {}) => ({ role: withTags(tags, { arn: ELSEWHERE }) });
  const other = (part: object = {}) => grantOn('arn:aws:iam::111122223333:role/other/*', part);
  const cases: Record<string, { grants: readonly IrsaGrant[]; tags?: Record<string, string>; named: boolean }> = {
    'is not named where no grant covers it': { grants: [grant()], named: false },
    'is named where a grant covers it': { grants: [grant(), other()], named: true },
    'is named where the same grant covers it': { grants: [grantOn('arn:aws:iam::111122223333:role/*/app')], named: true },
    'is not named to another namespace': { grants: [grant(), other({ namespaces: { names: ['bank'] } })], named: false },
    'is not named to another ServiceAccount': { grants: [grant(), other({ serviceAccountNames: ['cart'] })], named: false },
    'is not named for another audience': { grants: [grant(), other({ audiences: ['vault'] })], named: false },
    'is not named without the tags that its grant requires': { grants: [grant(), other({ requiredRoleTags: consenting })], named: false },
    'is named with the tags that it was read with': {
      grants: [grant(), other({ requiredRoleTags: consenting })],
      tags: consenting,
      named: true,
    },
    'is not named by a pattern that does not cross its path': {
      grants: [grant(), grantOn('arn:aws:iam::111122223333:role/*')],
      named: false,
    },
    'is not named where two grants cover half of it each': {
      grants: [grant(), other({ serviceAccountNames: ['cart'] }), other({ audiences: ['vault'] })],
      named: false,
    },
  };
  for (const [sentence, { grants, tags = {}, named }] of Object.entries(cases))
    test(sentence, async () => {
      const seen = await told(found(tags), grants);
      if (named) expect([reasonsOf(seen.last), messageOf(seen.last)]).toEqual([['Granted', 'RoleArnMismatch'], MISMATCH]);
      else expect(seen).toEqual(await told({ role: noRole }, grants));
    });

  test('is not named in another case of its letters either', async () => {
    const grants = [grantOn('arn:aws:iam::111122223333:role/team/app')];
    expect(await told({ role: role({ arn: ARN.replace('app', 'APP') }) }, grants)).toEqual(await told({ role: noRole }, grants));
  });
});

function grantOn(pattern: string, part: object = {}): IrsaGrant {
  return { ...grant({ roleArns: [pattern], ...part }), name: `on ${pattern} ${JSON.stringify(part)}` };
}
