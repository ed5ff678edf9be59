import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import { type FindingCode, finding } from '../../api/finding.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import { problem } from '../../api/problem.ts';
import { namespace } from '../test-cluster.ts';
import { ARN, binding, grant, NOW, OWN_ROLES, spec } from '../test-observed.ts';
import { type Authorization, type AuthorizationInput, authorize, contendersOf, isEnforcing, MOST_EVALUATED } from './authorize.ts';
import { GrantIndex } from './grant-index.ts';

const AGE = NOW - 86_400_000;
const HOUR = 3_600_000;

type Part = Partial<Omit<AuthorizationInput, 'grants' | 'contenders'>> & {
  readonly grants?: readonly IrsaGrant[];
  readonly competingBindings?: readonly IrsaBinding[];
};

function stores({ grants = [grant()], competingBindings = [], ...part }: Part = {}): AuthorizationInput {
  const contenders = contendersOf(competingBindings);
  return { grants: new GrantIndex(grants), namespace: namespace(), contenders, ownRoles: OWN_ROLES, apiAudiences: [], ...part };
}

const competing = (part: Parameters<typeof binding>[0] = {}) =>
  binding({ ...part, metadata: { name: 'older', uid: 'binding-older', createdAt: AGE - HOUR, ...part.metadata } });

const granted: Authorization = {
  kind: 'granted',
  spec: spec(),
  grants: [{ grant: 'platform', requiredRoleTags: {}, allowVerification: false }],
};
const refusedWith = (authorization: Authorization): FindingCode | 'granted' =>
  authorization.kind === 'refused' ? authorization.finding.code : 'granted';

describe('by default', () => {
  test('nothing is granted, and the message names all four parts', () => {
    expect(authorize(binding(), stores({ grants: [] }))).toEqual({
      kind: 'refused',
      finding: finding(
        'NotGranted',
        `no IrsaGrant allows ServiceAccount "app" of namespace "shop" to have role "${ARN}" with audience "sts.amazonaws.com". Ask a platform engineer for a grant that covers all four`,
      ),
    });
  });

  test('a grant that covers it makes it granted, with the tags that the role must carry', () => {
    const requiredRoleTags = { 'irsa-operator.dev/consent': 'yes' };
    expect(authorize(binding(), stores({ grants: [grant({ requiredRoleTags })] }))).toEqual({
      ...granted,
      grants: [{ grant: 'platform', requiredRoleTags, allowVerification: false }],
    });
  });

  test('a grant that does not parse grants nothing', () => {
    const broken = {
      name: 'platform',
      spec: problem('spec.roleArns: it is empty'),
      uid: 'grant',
      generation: 1,
      revocationConfirmedAt: undefined,
    };
    expect(refusedWith(authorize(binding(), stores({ grants: [broken] })))).toBe('NotGranted');
  });

  test('a binding that does not parse is refused with what is wrong in it', () => {
    const broken: IrsaBinding = { ...binding(), spec: problem('spec.roleArn: it is empty') };
    expect(authorize(broken, stores())).toEqual({ kind: 'refused', finding: finding('InvalidSpec', 'spec.roleArn: it is empty') });
  });

  test('the words for a missing grant are the same for the own role as for any other', () => {
    const own = 'arn:aws:iam::111122223333:role/irsa-operator';
    const said = [own, 'arn:aws:iam::111122223333:role/no-such-role'].map((roleArn) => {
      const authorization = authorize(binding({ spec: { roleArn } }), stores());
      return authorization.kind === 'refused' ? [authorization.finding.code, authorization.finding.message.replace(roleArn, 'ROLE')] : [];
    });
    expect(said[0]).toEqual(said[1]);
    expect(said[0]?.[0]).toBe('NotGranted');
  });
});

describe('an audience of the API server itself', () => {
  const audience = 'https://kubernetes.default.svc';
  const granting = grant({ audiences: [audience] });
  // Contract: api-audience-refused
  test('is refused, whatever a grant says', () => {
    const authorization = authorize(binding({ spec: { audience } }), stores({ grants: [granting], apiAudiences: [audience] }));
    expect(authorization).toEqual({
      kind: 'refused',
      finding: finding(
        'AudienceForbidden',
        `audience "${audience}" is an audience of the API server itself. AWS could use such a token against this cluster, so no grant can allow it. Set spec.audience to what STS expects, usually "sts.amazonaws.com"`,
      ),
    });
  });
  const advice: Record<string, readonly [audience: string, apiAudiences: readonly string[], todo: string]> = {
    'that of STS names the flag of the API server, for the binding is right': [
      'sts.amazonaws.com',
      ['https://kubernetes.default.svc', 'sts.amazonaws.com'],
      'Remove "sts.amazonaws.com" from --api-audiences of the API server. The binding then continues by itself',
    ],
    'the usual one beside that of STS leads into no circle': [
      'https://kubernetes.default.svc',
      ['https://kubernetes.default.svc', 'sts.amazonaws.com'],
      'Set spec.audience to "sts.amazonaws.com", and remove that from --api-audiences of the API server',
    ],
    'another that the API server was given leads to that of STS': [
      'vault',
      ['https://kubernetes.default.svc', 'vault'],
      'Set spec.audience to what STS expects, usually "sts.amazonaws.com"',
    ],
    'the one of kOps leads to that of STS': [
      'amazonaws.com',
      ['kubernetes.svc.default', 'amazonaws.com'],
      'Set spec.audience to what STS expects, usually "sts.amazonaws.com"',
    ],
  };
  for (const [sentence, [forbidden, apiAudiences, todo]] of Object.entries(advice)) {
    // Contract: api-audience-advice
    test(`advice: ${sentence}`, () => {
      const one = binding({ spec: { audience: forbidden } });
      const authorization = authorize(one, stores({ grants: [grant({ audiences: [forbidden] })], apiAudiences }));
      const message = authorization.kind === 'refused' ? authorization.finding.message : '';
      expect(message).toContain(`audience "${forbidden}" is an audience of the API server itself`);
      expect(message.endsWith(`. ${todo}`)).toBe(true);
    });
  }

  test('is not talked about where there is no grant', () =>
    expect(refusedWith(authorize(binding({ spec: { audience } }), stores({ apiAudiences: [audience] })))).toBe('NotGranted'));
  test('is what the API server takes, and no other', () =>
    expect(refusedWith(authorize(binding({ spec: { audience } }), stores({ grants: [granting], apiAudiences: ['vault'] })))).toBe(
      'granted',
    ));
});

describe('the own role', () => {
  const all = grant({
    roleArns: [
      'arn:aws:iam::111122223333:role/*',
      'arn:aws:iam::111122223333:role/ops/*',
      'arn:aws:iam::999922223333:role/*',
      'arn:aws:iam::999922223333:role/ops/*',
    ],
  });
  const verdicts: Record<string, { roleArn: string; ownRoles?: AuthorizationInput['ownRoles']; wanted: FindingCode | 'granted' }> = {
    // Contract: api-own-role
    'is no target, whatever a grant says': { roleArn: 'arn:aws:iam::111122223333:role/irsa-operator', wanted: 'RoleIsOperator' },
    'is known in any case of letters': { roleArn: 'arn:aws:iam::111122223333:role/IRSA-Operator', wanted: 'RoleIsOperator' },
    'is known with a path, which a session does not show': {
      roleArn: 'arn:aws:iam::111122223333:role/ops/irsa-operator',
      wanted: 'RoleIsOperator',
    },
    'is not the one of that name in another account': { roleArn: 'arn:aws:iam::999922223333:role/irsa-operator', wanted: 'granted' },
    'is not one whose name only begins so': { roleArn: 'arn:aws:iam::111122223333:role/irsa-operator-2', wanted: 'granted' },
    // Contract: api-own-role-hops
    'is also one that leads to it': {
      roleArn: 'arn:aws:iam::999922223333:role/ops/hop',
      ownRoles: [
        { account: '111122223333', name: 'irsa-operator' },
        { account: '999922223333', name: 'hop' },
      ],
      wanted: 'RoleIsOperator',
    },
    'is nobody when we are a user and not a role': {
      roleArn: 'arn:aws:iam::111122223333:role/irsa-operator',
      ownRoles: [],
      wanted: 'granted',
    },
  };
  for (const [sentence, { wanted, roleArn, ownRoles = OWN_ROLES }] of Object.entries(verdicts)) {
    test(sentence, () => {
      expect(refusedWith(authorize(binding({ spec: { roleArn } }), stores({ grants: [all], ownRoles })))).toBe(wanted);
    });
  }
});

describe('of two bindings for one ServiceAccount', () => {
  test('the older one wins, and the other is told which one and what to do', () => {
    const [younger, older] = [binding(), competing()];
    const seen = stores({ competingBindings: [younger, older] });
    expect(authorize(older, seen)).toEqual(granted);
    expect(authorize(younger, seen)).toEqual({
      kind: 'refused',
      finding: finding(
        'ServiceAccountTaken',
        'ServiceAccount "app" is bound by the older IrsaBinding "older" (created 2025-12-31T11:00:00.000Z). Delete or suspend that one, or delete this one',
      ),
    });
  });

  // Contract: competing-older
  test('of the same age the first by name wins, in whatever order they are seen', () => {
    const [a, b] = ['a', 'b'].map((name) => binding({ metadata: { name, uid: name } })) as [IrsaBinding, IrsaBinding];
    for (const competingBindings of [
      [a, b],
      [b, a],
    ]) {
      expect([a, b].map((one) => refusedWith(authorize(one, stores({ competingBindings }))))).toEqual(['granted', 'ServiceAccountTaken']);
    }
  });

  test('of three the oldest wins, though it comes last', () => {
    const oldest = competing({ metadata: { name: 'oldest', uid: 'oldest', createdAt: AGE - 2 * HOUR } });
    const authorization = authorize(binding(), stores({ competingBindings: [binding(), competing(), oldest] }));
    expect(authorization.kind === 'refused' && authorization.finding.message).toContain('the older IrsaBinding "oldest"');
  });

  const weak: Record<string, IrsaBinding> = {
    suspended: competing({ spec: { suspend: true } }),
    'only observing': competing({ spec: { mode: 'Observe' } }),
    'being deleted': competing({ metadata: { deleting: true } }),
    'not granted': competing({ spec: { roleArn: 'arn:aws:iam::111122223333:role/elsewhere/app' } }),
    'not to be parsed': { ...competing(), spec: problem('spec.roleArn: it is empty') },
    'for the own role': competing({ spec: { roleArn: 'arn:aws:iam::111122223333:role/team/irsa-operator' } }),
    younger: competing({ metadata: { createdAt: AGE + HOUR } }),
  };
  for (const [what, other] of Object.entries(weak)) {
    test(`an other that is ${what} takes nothing`, () =>
      expect(authorize(binding(), stores({ competingBindings: [binding(), other] }))).toEqual(granted));
  }

  test('one that changes nothing itself is not told off for an older one', () => {
    for (const part of [{ suspend: true }, { mode: 'Observe' }]) {
      const one = binding({ spec: part });
      expect(refusedWith(authorize(one, stores({ competingBindings: [one, competing()] })))).toBe('granted');
    }
  });
});

describe('of very many bindings for one ServiceAccount', () => {
  const elsewhere = 'arn:aws:iam::111122223333:role/elsewhere/app';
  const many = (count: number, part: (at: number) => object = () => ({})) =>
    Array.from({ length: count }, (_, at) => {
      const name = `app-${String(at).padStart(3, '0')}`;
      return binding({ metadata: { name, uid: name, createdAt: AGE + at }, spec: part(at) });
    });
  const outcomes = (all: readonly IrsaBinding[]) => {
    const input = stores({ competingBindings: all });
    return all.map((one) => refusedWith(authorize(one, input)));
  };
  const times = (count: number, code: FindingCode | 'granted') => Array<typeof code>(count).fill(code);

  // Contract: competing-bound
  test('only the oldest are evaluated, and the others are told how many those are', () => {
    const all = many(MOST_EVALUATED + 1);
    const [last] = all.slice(-1);
    expect(authorize(last as IrsaBinding, stores({ competingBindings: all.toReversed() }))).toEqual({
      kind: 'refused',
      evaluated: false,
      finding: finding(
        'ServiceAccountTaken',
        'irsa-operator evaluates the 16 oldest IrsaBindings of ServiceAccount "app" that are not suspended, and this one is younger. Delete or suspend the ones that you do not need',
      ),
    });
  });

  test('one that is not evaluated is not looked at: it is told nothing of its grant', () =>
    expect(outcomes(many(20, (at) => (at < 16 ? {} : { roleArn: elsewhere }))).slice(16)).toEqual(times(4, 'ServiceAccountTaken')));

  test('the last one with a place can win', () =>
    expect(outcomes(many(20, (at) => (at < 15 ? { roleArn: elsewhere } : {})))).toEqual([
      ...times(15, 'NotGranted'),
      'granted',
      ...times(4, 'ServiceAccountTaken'),
    ]));

  test('those that change nothing themselves take no place', () =>
    expect(outcomes(many(40, (at) => (at < 30 ? { suspend: true } : {})))).toEqual([
      ...times(31, 'granted'),
      ...times(9, 'ServiceAccountTaken'),
    ]));

  test('one that changes nothing itself is evaluated', () =>
    expect(outcomes(many(20, (at) => (at < 19 ? {} : { mode: 'Observe' }))).at(-1)).toBe('granted'));
});

describe('the limit of a grant', () => {
  const limited = (part: object = {}) => grant({ limits: { bindingsPerNamespace: 2 }, ...part });
  const full = (...names: string[]) => ({ fullGrants: () => new Set(names) });

  // Contract: grant-limit-bindings
  test('refuses a binding for which older ones leave no room, in words of its own', () => {
    expect(authorize(binding(), stores({ grants: [limited()], ...full('platform') }))).toEqual({
      kind: 'refused',
      finding: finding(
        'GrantLimitReached',
        'IrsaGrant "platform" authorizes 2 bindings of namespace "shop", and older ones use them up. Trust that this binding has is kept. Delete bindings that you do not need, or ask a platform engineer to raise spec.limits.bindingsPerNamespace',
      ),
    });
  });

  test('refuses nobody who has room', () =>
    expect(refusedWith(authorize(binding(), stores({ grants: [limited()], ...full() })))).toBe('granted'));

  // Contract: grant-limit-bindings
  test('does not count where another grant has room, and the full one grants nothing then', () => {
    const other = { ...grant({ allowVerification: true }), name: 'other' };
    expect(authorize(binding(), stores({ grants: [limited(), other], ...full('platform') }))).toEqual({
      ...granted,
      grants: [{ grant: 'other', requiredRoleTags: {}, allowVerification: true }],
      full: [{ grant: 'platform', requiredRoleTags: {}, allowVerification: false, limits: { bindingsPerNamespace: 2 } }],
    });
  });

  test('is not talked about where the grant does not cover the binding', () =>
    expect(refusedWith(authorize(binding(), stores({ grants: [], ...full('platform') })))).toBe('NotGranted'));

  test('takes the ServiceAccount from nobody: an older binding without room is no winner', () => {
    const older = competing();
    const fullFor = ({ metadata }: IrsaBinding) => new Set(metadata.uid === older.metadata.uid ? ['platform'] : []);
    const input = stores({ grants: [limited()], competingBindings: [binding(), older], fullGrants: fullFor });
    expect(refusedWith(authorize(binding(), input))).toBe('granted');
  });
});

const writes: Record<string, { one: IrsaBinding; wanted: boolean }> = {
  'a plain binding': { one: binding(), wanted: true },
  'a suspended one': { one: binding({ spec: { suspend: true } }), wanted: false },
  'an observing one': { one: binding({ spec: { mode: 'Observe' } }), wanted: false },
  'one that is being deleted': { one: binding({ metadata: { deleting: true } }), wanted: false },
  'one that does not parse': { one: { ...binding(), spec: problem('it is empty') }, wanted: false },
};
for (const [what, { one, wanted }] of Object.entries(writes))
  test(`${what} lets us write ${wanted ? 'for it' : 'nothing'}`, () => expect(isEnforcing(one)).toBe(wanted));
