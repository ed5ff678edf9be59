import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../api/binding.ts';
import { Fault } from '../api/fault.ts';
import type { IrsaGrant } from '../api/grant.ts';
import { PAUSED_ROLE_TAG } from '../api/names.ts';
import { faultOf } from '../aws/faults.ts';
import { ARN, binding, grant, own, policy, SERVICE, serviceAccount } from '../domain/test-observed.ts';
import type { FreshRole } from '../ports/roles.ts';
import { type Surface, type Told, toldTo } from './test-tenants.ts';

/** What AWS answered about a role is told to a tenant only after the consent was checked on that very answer. */

/** The role's name under another path: GetRole finds it, because it ignores the path. */
const BREAKGLASS = 'arn:aws:iam::111122223333:role/security/breakglass/app';
const SURFACES: readonly Surface[] = ['status', 'event', 'metric', 'log'];

/** What IAM says: GetRole, what a sweep listed before, and a write. */
interface Answers {
  readonly role?: FreshRole | Fault;
  readonly listed?: FreshRole;
  readonly refused?: Fault;
}

const consenting = { owner: 'shop' };
const role = (tags: Readonly<Record<string, string>> = {}, part: Partial<FreshRole> = {}): FreshRole => ({
  arn: ARN,
  roleId: 'AROAAPP',
  policy: policy(SERVICE),
  tags: new Map(Object.entries(tags)),
  ...part,
});
const elsewhere = (tags: Readonly<Record<string, string>> = {}) => role(tags, { arn: BREAKGLASS });
const OPERATOR = 'arn:aws:sts::111122223333:assumed-role/irsa-operator/session';
/** As IAM words it: it names the caller, and a role by its real path. */
const deniedTo = (action: string, operation = action) => {
  const message = `User: ${OPERATOR} is not authorized to perform: ${action} on resource: ${BREAKGLASS}`;
  return faultOf(Object.assign(new Error(message), { name: 'AccessDenied' }), `${operation} of role "${ARN}"`);
};
const denied = deniedTo('iam:GetRole');
const throttled = new Fault('throttled', `iam:GetRole of role "${ARN}": Throttling`);

const newcomer = (spec: object = {}) => binding({ spec, status: { roles: [] } });
const wants: Record<string, (spec?: object) => IrsaBinding> = {
  enforces: newcomer,
  observes: (spec) => newcomer({ ...spec, mode: 'Observe' }),
  'is suspended': (spec) => newcomer({ ...spec, suspend: true }),
  'leaves the policy to others': (spec) => newcomer({ ...spec, trustPolicy: 'External' }),
  'had its trust before': (spec) => binding({ ...(spec && { spec }) }),
};
/** It has an annotation for the role, and no binding. */
const unbound = { ...serviceAccount(), name: 'unbound' };

/** All that a tenant can read of its binding and of its unbound ServiceAccount, when everything has come to rest. */
async function told({ role: found, listed, refused }: Answers, grants: readonly IrsaGrant[], one: IrsaBinding): Promise<readonly Told[]> {
  const toldOf = await toldTo({
    bindings: [one],
    serviceAccounts: [unbound],
    grants,
    roles: found === undefined ? {} : { [ARN]: found },
    ...(listed && { listed: { [ARN]: listed } }),
    ...(refused && { refused }),
  });
  return [toldOf('shop/app'), toldOf('shop/unbound')];
}

const textsOf = (all: readonly Told[]): string[] => all.flatMap((one) => SURFACES.map((surface) => one[surface]));

/** Of the last status: why the binding is not authorized, or else why it is not trusted. */
function reasonOf([told]: readonly Told[]): string | undefined {
  const { conditions } =
    (JSON.parse(told?.status ?? '[]') as { conditions: { type: string; status: string; reason: string }[] }[]).at(-1) ?? {};
  return conditions?.find(({ type, status: is }) => (type === 'Authorized' || type === 'Trusted') && is !== 'True')?.reason;
}

/** Whatever IAM says of a role whose owner did not consent. */
const withoutConsent: Record<string, Answers> = {
  'is not there': {},
  'is known under another path': { role: elsewhere() },
  'is known under another path, with the tags': { role: elsewhere(consenting) },
  'has the tag with another value': { role: role({ owner: 'bank' }) },
  'has no tags, and was listed before': { role: role(), listed: role() },
  'is not there any more, and was listed before': { listed: role() },
  'is under another path, and was listed before': { role: elsewhere(), listed: role() },
  'cannot be read': { role: denied },
  'was listed before and cannot be read': { role: denied, listed: role() },
  'has a policy that cannot be parsed': { role: role({}, { policy: '{"Version":' }) },
  'has a policy that cannot be parsed, and was listed before': {
    role: role({}, { policy: '{"Version":' }),
    listed: role({}, { policy: '{"Version":' }),
  },
  'trusts the ServiceAccount already': { role: role({}, { policy: policy({ ...own(), Sid: 'Theirs' }) }) },
  'has a statement of irsa-operator with an orphan': {
    role: role({}, { policy: policy(SERVICE, own(['system:serviceaccount:shop:gone'])) }),
  },
  'is paused': { role: role({ [PAUSED_ROLE_TAG]: 'true' }) },
  'denies everybody': { role: role({}, { policy: policy({ Effect: 'Deny', Principal: '*', Action: '*' }) }) },
  'has a policy as large as the quota': { role: role({}, { policy: policy({ ...SERVICE, Sid: 'a'.repeat(2_000) }) }) },
};
const tagged = grant({ requiredRoleTags: consenting });

// Contract: api-told-after-consent
describe('under a grant that requires role tags', () => {
  for (const [how, bound] of Object.entries(wants).filter(([key]) => key !== 'had its trust before')) {
    describe(`a binding that ${how}`, () => {
      for (const [sentence, answers] of Object.entries(withoutConsent)) {
        test(`reads the same of a role that ${sentence} as of one that has no tags`, async () => {
          const found = await told(answers, [tagged], bound());
          expect(found).toEqual(await told({ role: role() }, [tagged], bound()));
          expect(reasonOf(found)).toBe('NotGranted');
          expect(textsOf(found).join()).not.toMatch(/breakglass|AROA|RoleNotFound|AccessDenied/);
        });
      }
    });
  }

  test('a binding that had the trust before reads NotGranted, too, of a role that is missing or under another path', async () => {
    for (const answers of [{}, { role: elsewhere() }, { role: elsewhere(consenting) }, { role: role() }])
      expect(reasonOf(await told(answers, [tagged], binding()))).toBe('NotGranted');
  });
  test('a binding that had the trust before is told that its role cannot be read: that is no news of the role', async () =>
    expect(reasonOf(await told({ role: denied }, [tagged], binding()))).toBe('RoleAccessDenied'));
  test('a role that was made again under its name needs the tags anew before it is told of', async () => {
    const again = role({}, { roleId: 'AROAANEW', policy: policy(SERVICE, own()) });
    const found = await told({ role: again, listed: again }, [tagged], binding());
    expect(reasonOf(found)).toBe('NotGranted');
    expect(textsOf(found).join()).not.toContain('AROAANEW');
  });
  test('of two grants the one without tags is enough to be told', async () =>
    expect(reasonOf(await told({}, [tagged, { ...grant(), name: 'plain' }], newcomer()))).toBe('RoleNotFound'));

  test('a failure says nothing of a role that nobody has read: not even whether a sweep saw it', async () => {
    for (const answers of [{ role: throttled }, { role: throttled, listed: role() }]) {
      const found = await told(answers, [tagged], newcomer());
      expect(found[0]?.status).toContain('reading the trust policy');
      expect(textsOf(found).join()).not.toMatch(/Throttling|AROA/);
    }
  });
  test('a failure is told where no tags are required', async () =>
    expect((await told({ role: throttled }, [grant()], newcomer()))[0]?.status).toContain('The last attempt failed: iam:GetRole'));
  test('with the tags everything is told', async () =>
    expect(reasonOf(await told({ role: role({ ...consenting, [PAUSED_ROLE_TAG]: 'true' }) }, [tagged], newcomer()))).toBe('RolePaused'));
});

/** Grants beside the one that covers the role as the binding names it, and the tags of the other role that they need to name it. */
const ELSEWHERE = 'arn:aws:iam::111122223333:role/security/breakglass/*';
const on = (pattern: string, part: object = {}): IrsaGrant => ({
  ...grant({ roleArns: [pattern], ...part }),
  name: `on ${pattern} ${JSON.stringify(part)}`,
});
const beside: Record<string, { readonly grants: readonly IrsaGrant[]; readonly names: (tags: { owner?: string }) => boolean }> = {
  'no other grant': { grants: [], names: () => false },
  'a grant that covers it': { grants: [on(ELSEWHERE)], names: () => true },
  'a grant that covers it by its whole name': { grants: [on(BREAKGLASS)], names: () => true },
  'a grant that covers it with a tag': {
    grants: [on(ELSEWHERE, { requiredRoleTags: consenting })],
    names: ({ owner }) => owner === 'shop',
  },
  'a grant that covers it with a tag that nobody has': {
    grants: [on(ELSEWHERE, { requiredRoleTags: { ...consenting, cost: 'x' } })],
    names: () => false,
  },
  'a grant for another namespace': { grants: [on(ELSEWHERE, { namespaces: { names: ['bank'] } })], names: () => false },
  'a grant for another ServiceAccount': { grants: [on(ELSEWHERE, { serviceAccountNames: ['cart'] })], names: () => false },
  'a grant for another audience': { grants: [on(ELSEWHERE, { audiences: ['vault'] })], names: () => false },
  'a grant by a label that the namespace lacks': {
    grants: [on(ELSEWHERE, { namespaces: { selector: { matchLabels: { team: 'security' } } } })],
    names: () => false,
  },
  'a pattern that does not cross its path': { grants: [on('arn:aws:iam::111122223333:role/*')], names: () => false },
  'a pattern that ends before it': { grants: [on('arn:aws:iam::111122223333:role/security/*')], names: () => false },
  'a pattern of another account': { grants: [on('arn:aws:iam::444455556666:role/security/breakglass/*')], names: () => false },
  'two grants that cover half of it each': {
    grants: [on(ELSEWHERE, { serviceAccountNames: ['cart'] }), on(ELSEWHERE, { audiences: ['vault'] })],
    names: () => false,
  },
};
const named: Record<string, IrsaGrant> = { 'a grant': grant(), 'a grant with tags': tagged };
const MISMATCH = `IAM knows the role "app" as "${BREAKGLASS}". The binding says "${ARN}"`;

// Contract: api-told-after-consent
describe('a role of that name under another path', () => {
  for (const [what, covering] of Object.entries(named))
    for (const [other, { grants, names }] of Object.entries(beside))
      for (const how of ['enforces', 'observes', 'had its trust before'])
        test(`is named to a binding that ${how} under ${what} and ${other} only where that covers it, tags included`, async () => {
          const bound = wants[how] ?? newcomer;
          const missing = await told({}, [covering, ...grants], bound());
          expect(reasonOf(missing)).toBe(covering === tagged ? 'NotGranted' : 'RoleNotFound');
          for (const tags of [{}, { owner: 'bank' }, consenting]) {
            const found = await told({ role: elsewhere(tags) }, [covering, ...grants], bound());
            if (names(tags)) {
              expect(reasonOf(found)).toBe('RoleArnMismatch');
              expect(found[0]?.status).toContain(JSON.stringify(MISMATCH).slice(1, -1));
            } else expect(found).toEqual(missing);
            // The unique ID of a role is told to nobody who may not have that role.
            expect(textsOf(found).join().replaceAll('"roleId":"AROAAPP"', '')).not.toMatch(/AROA/);
          }
        });

  test('is named by one grant for both paths, if it has the tags that this grant requires', async () => {
    const both = (part: object) => [grant({ roleArns: [ARN, BREAKGLASS], ...part })];
    const reasons = async (part: object) =>
      [elsewhere(), elsewhere(consenting)].map(async (found) => reasonOf(await told({ role: found }, both(part), newcomer())));
    expect(await Promise.all(await reasons({}))).toEqual(['RoleArnMismatch', 'RoleArnMismatch']);
    expect(await Promise.all(await reasons({ requiredRoleTags: consenting }))).toEqual(['NotGranted', 'RoleArnMismatch']);
  });
  test('is not named in another case of its letters either', async () => {
    const grants = [on(ARN)];
    const found = role({}, { arn: ARN.replace('app', 'APP') });
    expect(await told({ role: found }, grants, newcomer())).toEqual(await told({}, grants, newcomer()));
  });
});

// Contract: api-told-after-consent
describe('what IAM says of a call that it denies', () => {
  const cases: Record<string, { readonly answers: Answers; readonly bound: IrsaBinding; readonly says: string }> = {
    'a read': { answers: { role: denied }, bound: newcomer(), says: 'iam:GetRole of role' },
    'a read for a binding that had its trust before': { answers: { role: denied }, bound: binding(), says: 'iam:GetRole of role' },
    'a read for a binding that is being deleted': {
      answers: { role: denied },
      bound: binding({ metadata: { deleting: true } }),
      says: 'iam:GetRole of role',
    },
    'a write': {
      answers: { role: role(), refused: deniedTo('iam:UpdateAssumeRolePolicy') },
      bound: binding(),
      says: 'irsa-operator may not change the trust policy',
    },
    'a role on the way': {
      answers: { role: deniedTo('sts:AssumeRole', 'iam:GetRole') },
      bound: newcomer(),
      says: 'no credentials: AccessDenied',
    },
  };
  for (const [what, { answers, bound, says }] of Object.entries(cases))
    test(`to ${what} is for the log: a status has the call and the code, and neither the caller nor a path`, async () => {
      const found = await told(answers, [grant()], bound);
      expect(found[0]?.status).toContain(says);
      expect(found[0]?.status).toContain('AccessDenied, see the log of irsa-operator');
      expect(textsOf(found).join()).not.toMatch(/breakglass|assumed-role/);
    });
});
