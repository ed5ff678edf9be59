import { describe, expect, test } from 'vitest';
import type { Raw } from './documents.ts';
import { planIn } from './terraform.ts';

const POLICY = '{"Version":"2012-10-17","Statement":[]}';
const role = (values: object, address = 'aws_iam_role.app') => ({ address, mode: 'managed', type: 'aws_iam_role', values });
const plan = (resources: object[], more: object = {}): Raw => ({
  format_version: '1.2',
  planned_values: { root_module: { resources } },
  ...more,
});

/** A role whose policy is a data source that is read only when it is applied. */
function deferred({ prefix = '', index = '', statement = STATEMENT, unknown = {} as unknown } = {}): Raw {
  const config = {
    resources: [
      {
        address: 'aws_iam_role.app',
        expressions: {
          assume_role_policy: { references: ['data.aws_iam_policy_document.trust.json', 'data.aws_iam_policy_document.trust'] },
        },
      },
    ],
  };
  const root = prefix === '' ? config : { module_calls: { irsa: { module: config } } };
  const values = [role({ name: 'app' }, `${prefix}aws_iam_role.app${index}`)];
  return {
    ...plan([]),
    planned_values: { root_module: prefix === '' ? { resources: values } : { child_modules: [{ resources: values }] } },
    configuration: { root_module: root },
    resource_changes: [
      {
        address: `${prefix}data.aws_iam_policy_document.trust${index}`,
        change: { actions: ['read'], after: { statement }, after_unknown: { json: true, statement: unknown } },
      },
    ],
  };
}
const STATEMENT: readonly object[] = [
  {
    sid: '',
    effect: null,
    actions: ['sts:AssumeRoleWithWebIdentity'],
    principals: [{ type: 'Federated', identifiers: ['arn:aws:iam::111122223333:oidc-provider/x'] }],
    condition: [
      { test: 'StringEquals', variable: 'x:sub', values: ['a', 'b'] },
      { test: 'StringEquals', variable: 'x:aud', values: ['sts.amazonaws.com'] },
    ],
  },
];
const DOCUMENT = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Federated: ['arn:aws:iam::111122223333:oidc-provider/x'] },
      Action: ['sts:AssumeRoleWithWebIdentity'],
      Condition: { StringEquals: { 'x:sub': ['a', 'b'], 'x:aud': ['sts.amazonaws.com'] } },
    },
  ],
};
const UNKNOWN = { unknown: 'aws_iam_role.app: its trust policy is known only after terraform apply' };

describe('a role of a plan', () => {
  test('has the policy that it will have', () =>
    expect(planIn(plan([role({ name: 'app', path: '/team/', assume_role_policy: POLICY, tags: { a: 'b' } })])).roles).toEqual([
      { path: '/team/', name: 'app', arn: undefined, roleId: '', policy: { text: POLICY }, tags: new Map([['a', 'b']]) },
    ]));

  test('that exists has its ARN, which tells path and name', () =>
    expect(
      planIn(plan([role({ arn: 'arn:aws:iam::111122223333:role/team/app', unique_id: 'AROAX', assume_role_policy: POLICY })])).roles,
    ).toMatchObject([{ path: '/team/', name: 'app', arn: 'arn:aws:iam::111122223333:role/team/app', roleId: 'AROAX' }]));

  test('of a module of a module is found; one with a name that AWS will make is left out, and so is what is no role', () => {
    const inner = { resources: [role({ name: 'deep', assume_role_policy: POLICY }, 'module.a.module.b.aws_iam_role.x')] };
    const whole = {
      ...plan([]),
      planned_values: {
        root_module: {
          resources: [
            role({ name_prefix: 'x' }),
            { mode: 'data', type: 'aws_iam_role', address: 'data.aws_iam_role.x', values: { name: 'x' } },
          ],
          child_modules: [{ child_modules: [inner] }],
        },
      },
    };
    expect(planIn(whole).roles.map(({ name }) => name)).toEqual(['deep']);
  });

  const documents: Record<string, Raw> = {
    'in the root module': deferred(),
    'of a role with for_each': deferred({ index: '["blue"]' }),
    'in a module with count': deferred({ prefix: 'module.irsa[0].' }),
    'in a module with a dot in its key': deferred({ prefix: 'module.irsa["a.b"].' }),
  };
  for (const [sentence, one] of Object.entries(documents))
    test(`takes the policy of an aws_iam_policy_document that is read later, ${sentence}`, () => {
      const [found] = planIn(one).roles;
      expect(found !== undefined && 'text' in found.policy && JSON.parse(found.policy.text)).toEqual(DOCUMENT);
    });

  const unknowns: Record<string, Raw> = {
    'nothing says where it comes from': plan([role({ name: 'app' })]),
    'an identifier of it is not known': deferred({ unknown: [{ principals: [{ identifiers: [true] }] }] }),
    'all of it is not known': deferred({ unknown: true }),
  };
  for (const [sentence, one] of Object.entries(unknowns))
    test(`has no policy where ${sentence}`, () => expect(planIn(one).roles.map(({ policy }) => policy)).toEqual([UNKNOWN]));

  test('of something that only looks like a plan: what is there is taken, and nothing is thrown', () => {
    for (const odd of [
      {},
      { planned_values: 1 },
      { planned_values: { root_module: { resources: [null, 1, { type: 'aws_iam_role' }], child_modules: 'x' } } },
    ])
      expect(planIn(odd)).toEqual({ roles: [], providers: [] });
  });
});

test('an OIDC provider of a plan has its issuer as it is in an ARN', () => {
  const provider = (values: object) => ({ address: 'x', mode: 'managed', type: 'aws_iam_openid_connect_provider', values });
  const resources = [
    provider({ url: 'https://oidc.example.org/id', client_id_list: ['sts.amazonaws.com'] }),
    provider({ client_id_list: [] }),
  ];
  expect(planIn(plan(resources)).providers).toEqual([{ hostPath: 'oidc.example.org/id', clientIds: ['sts.amazonaws.com'] }]);
});
