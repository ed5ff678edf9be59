import { describe, expect, test } from 'vitest';
import { createAws } from '../in-process.ts';
import { credentialsOf, never, refusalOf, trusting } from '../testing.ts';
import { unusedGrants } from '../unused-grants.ts';

/** Tags of a session: which permissions they need, and where they go. */
const MEMBER = '444455556666';
const TARGET = `arn:aws:iam::${MEMBER}:role/member`;
const BOTH = ['sts:AssumeRole', 'sts:TagSession'];
const POD = { cluster: 'blue', namespace: 'irsa-operator', serviceAccount: 'irsa-operator' };

const denied = (action: string, why = '') =>
  `403 AccessDenied: User: arn:aws:sts::111122223333:assumed-role/hub/session is not authorized to perform: ${action} on resource: ${TARGET}${why}`;
const allowing = (Action: string | string[]) => ({
  Version: '2012-10-17',
  Statement: [{ Sid: 'Assume', Effect: 'Allow', Action, Resource: TARGET }],
});
/** In the wire form of the query protocol. */
const tags = (pairs: Readonly<Record<string, string>>, transitive: string[] = []) =>
  Object.fromEntries([
    ...Object.entries(pairs).flatMap(([key, value], index) => [
      [`Tags.member.${index + 1}.Key`, key],
      [`Tags.member.${index + 1}.Value`, value],
    ]),
    ...transitive.map((key, index) => [`TransitiveTagKeys.member.${index + 1}`, key]),
  ]);

function setUp({ policy = BOTH, trusts = BOTH, pod = true } = {}) {
  const aws = createAws();
  const { role } = aws.account(MEMBER);
  role.put({ name: 'member', trustPolicy: trusting('111122223333', { Action: trusts }) });
  const asHub = aws.as({ roleName: 'hub', identityPolicy: allowing(policy), ...(pod && { podIdentity: POD }) });
  const call = (RoleArn: string, by = asHub, params: Readonly<Record<string, string>> = {}) =>
    by('sts', 'AssumeRole', { RoleArn, RoleSessionName: 'session', ...params }, never);
  const assume = (params: Readonly<Record<string, string>> = {}) => refusalOf(call(TARGET, asHub, params));
  return { aws, role, call, assume };
}

describe('sts:TagSession', () => {
  const cases: Record<string, [options: Parameters<typeof setUp>[0], params: Record<string, string>, answer: string]> = {
    'is needed by a session of EKS Pod Identity, and allowed on both sides': [{}, {}, 'accepted'],
    'is needed in the trust policy': [{ trusts: ['sts:AssumeRole'] }, {}, denied('sts:TagSession')],
    'is needed in the caller’s policy': [
      { policy: ['sts:AssumeRole'] },
      {},
      denied('sts:TagSession', ' because no identity-based policy allows the sts:TagSession action'),
    ],
    'is not enough without sts:AssumeRole': [{ trusts: ['sts:TagSession'] }, {}, denied('sts:AssumeRole')],
    'is not needed by a session without tags': [{ pod: false, policy: ['sts:AssumeRole'], trusts: ['sts:AssumeRole'] }, {}, 'accepted'],
    'is needed for tags of the request': [{ pod: false, trusts: ['sts:AssumeRole'] }, tags({ team: 'x' }), denied('sts:TagSession')],
    'is allowed for tags of the request': [{ pod: false }, tags({ team: 'x' }), 'accepted'],
  };
  test.each(Object.entries(cases))('%s', async (_, [options, params, answer]) => expect(await setUp(options).assume(params)).toBe(answer));

  test('has no external ID: its statement in a trust policy is one of its own, without it', async () => {
    const { role, assume } = setUp();
    const Condition = { StringEquals: { 'sts:ExternalId': 'secret' } };
    const statement = (Action: string | string[], members: object) =>
      JSON.parse(trusting('111122223333', { Action, ...members })).Statement[0];
    role.setTrustPolicy('member', { Version: '2012-10-17', Statement: [statement(BOTH, { Condition })] });
    expect(await assume({ ExternalId: 'secret' })).toBe(denied('sts:TagSession'));
    const Statement = [statement('sts:AssumeRole', { Condition }), statement('sts:TagSession', {})];
    role.setTrustPolicy('member', { Version: '2012-10-17', Statement });
    expect(await assume({ ExternalId: 'secret' })).toBe('accepted');
    expect(await assume()).toBe(denied('sts:AssumeRole'));
  });

  const conditions: Record<string, [operator: string, key: string, values: string[], lets: boolean]> = {
    'a tag of the request': ['StringEquals', 'aws:RequestTag/team', ['x'], true],
    'another value of it': ['StringEquals', 'aws:RequestTag/team', ['y'], false],
    'the keys of its tags': ['ForAllValues:StringEquals', 'aws:TagKeys', ['team', 'cost'], true],
    'other keys': ['ForAllValues:StringEquals', 'aws:TagKeys', ['cost'], false],
    'its transitive keys': ['ForAllValues:StringEquals', 'sts:TransitiveTagKeys', ['team'], true],
    'other transitive keys': ['ForAllValues:StringEquals', 'sts:TransitiveTagKeys', ['cost'], false],
    'a tag of the session that calls': ['StringEquals', 'aws:PrincipalTag/kubernetes-namespace', ['irsa-operator'], true],
    'another value of that': ['StringEquals', 'aws:PrincipalTag/kubernetes-namespace', ['default'], false],
  };
  test.each(Object.entries(conditions))('is allowed or not by %s', async (_, [operator, key, values, lets]) => {
    const { role, assume } = setUp();
    role.setTrustPolicy('member', trusting('111122223333', { Action: BOTH, Condition: { [operator]: { [key]: values } } }));
    expect(await assume(tags({ team: 'x' }, ['team']))).toBe(lets ? 'accepted' : denied('sts:AssumeRole'));
  });

  test('is a grant that is used, in the journal as well', async () => {
    const { aws, assume } = setUp();
    const policy = JSON.stringify(allowing(BOTH));
    expect(unusedGrants(policy, aws.journal)).toEqual(['Assume: sts:AssumeRole', 'Assume: sts:TagSession']);
    await assume();
    expect(aws.journal.at(-1)).toMatchObject({ allowedBy: ['Assume'], tagSessionAllowedBy: ['Assume'] });
    expect(unusedGrants(policy, aws.journal)).toEqual([]);
  });
});

describe('a tag of a session', () => {
  /** Whether a third role, which lets in whose session has this tag, lets in the session of the second. */
  async function shows(params: Readonly<Record<string, string>>, key: string, value: string, memberTags = {}) {
    const { aws, role, call } = setUp();
    role.setTags('member', memberTags);
    const Condition = { StringEquals: { [`aws:PrincipalTag/${key}`]: value } };
    const { arn } = role.put({ name: 'third', trustPolicy: trusting(MEMBER, { Action: BOTH, Condition }) });
    const session = aws.asSession(credentialsOf(await call(TARGET, undefined, params)));
    return (await refusalOf(call(arn, session))) === 'accepted';
  }

  test('of EKS Pod Identity goes on to the next session', async () => {
    expect(await shows({}, 'kubernetes-namespace', 'irsa-operator')).toBe(true);
    expect(await shows({}, 'eks-cluster-arn', 'arn:aws:eks:us-east-1:111122223333:cluster/blue')).toBe(true);
    expect(await shows({}, 'kubernetes-namespace', 'default')).toBe(false);
  });

  test('wins over a tag of the role', async () => {
    expect(await shows(tags({ team: 'x' }), 'team', 'x', { team: 'role' })).toBe(true);
    expect(await shows({}, 'team', 'role', { team: 'role' })).toBe(true);
    expect(await shows(tags({ team: 'x' }), 'team', 'role', { team: 'role' })).toBe(false);
  });

  test('goes on where the request says so, and no further where it does not', async () => {
    const handedOn = async (transitive: string[]) => {
      const { aws, role, call } = setUp();
      role.put({ name: 'second', trustPolicy: trusting(MEMBER, { Action: BOTH }) });
      const Condition = { StringEquals: { 'aws:PrincipalTag/team': 'x' } };
      role.put({ name: 'third', trustPolicy: trusting(MEMBER, { Action: BOTH, Condition }) });
      const first = aws.asSession(credentialsOf(await call(TARGET, undefined, tags({ team: 'x' }, transitive))));
      const second = aws.asSession(credentialsOf(await call(TARGET.replace('member', 'second'), first)));
      return await refusalOf(call(TARGET.replace('member', 'third'), second));
    };
    expect(await handedOn(['team'])).toBe('accepted');
    expect(await handedOn([])).toMatch(/^403 AccessDenied: .*role\/third$/);
  });

  test('cannot be passed again where it goes on by itself, in whatever case', async () => {
    const { assume } = setUp();
    for (const key of ['kubernetes-namespace', 'Kubernetes-Namespace'])
      expect(await assume(tags({ [key]: 'other' }))).toBe(
        "400 InvalidParameterValue: One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
      );
    expect(await assume(tags({ team: 'x' }))).toBe('accepted');
  });

  test('is transitive only if it is one of the request', async () => {
    const { assume } = setUp();
    expect(await assume(tags({ team: 'x' }, ['cost']))).toBe(
      '400 InvalidParameterValue: The specified transitive tag key must be included in the requested tags.',
    );
    expect(await assume(tags({ team: 'x' }, ['Team']))).toBe('accepted');
  });
});
