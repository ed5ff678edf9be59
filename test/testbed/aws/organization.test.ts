import { describe, expect, test } from 'vitest';
import { createAws } from './in-process.ts';
import { createIssuer, credentialsOf, ISSUER, never, refusalOf, trusting } from './testing.ts';

const MEMBER = '444455556666';
const SESSION = `arn:aws:sts::${MEMBER}:assumed-role/member/session`;
const INVALID = '403 InvalidClientTokenId: The security token included in the request is invalid';

async function setUp() {
  const aws = createAws();
  const member = aws.account(MEMBER);
  const { arn: RoleArn } = member.role.put({ name: 'member', trustPolicy: trusting('111122223333') });
  const asHub = aws.as({ roleName: 'hub' });
  const assume = () => asHub('sts', 'AssumeRole', { RoleArn, RoleSessionName: 'session' }, never);
  const session = aws.asSession(credentialsOf(await assume()));
  const list = (call = session) => refusalOf(call('iam', 'ListRoles', {}, never));
  return { aws, member, asHub, assume, list };
}

describe('a service control policy of a member account', () => {
  const denying = (Action: string) => ({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: '*', Resource: '*' },
      { Effect: 'Deny', Action, Resource: '*' },
    ],
  });

  test('limits a session that another account opened in it', async () => {
    const { member, list } = await setUp();
    member.setServiceControlPolicy(denying('iam:Get*'));
    expect(await list()).toBe('accepted');
    member.setServiceControlPolicy(denying('iam:List*'));
    expect(await list()).toBe(
      `403 AccessDenied: User: ${SESSION} is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::${MEMBER}:role/ ` +
        'with an explicit deny in a service control policy',
    );
  });

  // https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html: it limits principals of its own account.
  test('has nothing to say to a caller of another account, who opens such a session', async () => {
    const { aws, member, assume } = await setUp();
    member.setServiceControlPolicy(denying('sts:*'));
    expect(await refusalOf(assume())).toBe('accepted');
    aws.account().setServiceControlPolicy(denying('sts:AssumeRole'));
    expect(await refusalOf(assume())).toMatch(/^403 AccessDenied: .* with an explicit deny in a service control policy$/);
  });
});

describe('a suspended account', () => {
  test('lets nobody in, in the sentence that a missing role has', async () => {
    const { member, assume } = await setUp();
    member.setSuspended(true);
    expect(await refusalOf(assume())).toBe(
      '403 AccessDenied: User: arn:aws:sts::111122223333:assumed-role/hub/session is not authorized to perform: sts:AssumeRole ' +
        `on resource: arn:aws:iam::${MEMBER}:role/member`,
    );
    member.setSuspended(false);
    expect(await refusalOf(assume())).toBe('accepted');
  });

  test('takes the keys of its sessions for none, and knows them again when it is open again', async () => {
    const { member, asHub, list } = await setUp();
    member.setSuspended(true);
    expect(await list()).toBe(INVALID);
    expect(await list(asHub)).toBe('accepted'); // the other account is as before
    member.setSuspended(false);
    expect(await list()).toBe('accepted');
  });

  test('lets no token in either', async () => {
    const { aws, member } = await setUp();
    const issuer = await createIssuer();
    aws.trustIssuer(ISSUER, issuer.keys);
    const Federated = member.provider.put({ issuer: ISSUER }).arn;
    const Statement = [{ Effect: 'Allow', Principal: { Federated }, Action: 'sts:AssumeRoleWithWebIdentity' }];
    const RoleArn = member.role.put({ name: 'lbc', trustPolicy: { Version: '2012-10-17', Statement } }).arn;
    const params = { RoleArn, RoleSessionName: 'session', WebIdentityToken: await issuer.token() };
    const enter = () => refusalOf(aws.anonymous('sts', 'AssumeRoleWithWebIdentity', params, never));
    expect(await enter()).toBe('accepted');
    member.setSuspended(true);
    expect(await enter()).toBe('403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity');
  });
});
