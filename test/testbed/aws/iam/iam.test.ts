import {
  AddClientIDToOpenIDConnectProviderCommand,
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  GetAccountSummaryCommand,
  GetOpenIDConnectProviderCommand,
  GetRoleCommand,
  ListRolesCommand,
  type ListRolesCommandInput,
  type ListRolesCommandOutput,
  ListRoleTagsCommand,
  paginateListRoles,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AwsDouble, startAwsDouble } from '../index.ts';
import { type Clients, clientsOf, HOST, ISSUER, refusalOf } from '../testing.ts';

const PROVIDER = `arn:aws:iam::111122223333:oidc-provider/${HOST}`;
const ROOT = 'arn:aws:iam::111122223333:root';

const trusting = (aws: string): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: aws }, Action: 'sts:AssumeRole' }] });

let double: AwsDouble;
let iam: Clients['iam'];

beforeEach(async () => {
  double = await startAwsDouble();
  iam = clientsOf(double).iam;
});
afterEach(() => double.stop());

const create = (RoleName: string, Path = '/') =>
  iam.send(new CreateRoleCommand({ RoleName, Path, AssumeRolePolicyDocument: trusting(ROOT) }));
const update = (RoleName: string, PolicyDocument: string) => iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
const read = async (RoleName: string) => (await iam.send(new GetRoleCommand({ RoleName }))).Role;

describe('roles', () => {
  test('GetRole and UpdateAssumeRolePolicy go by the name alone: path and case do not matter', async () => {
    await create('Controller', '/team/app/');
    await update('controller', trusting('*'));
    const role = await read('CONTROLLER');
    expect(role?.Arn).toBe('arn:aws:iam::111122223333:role/team/app/Controller');
    expect(decodeURIComponent(role?.AssumeRolePolicyDocument ?? '')).toBe(trusting('*'));
  });

  test('a document is URL-encoded as RFC 3986 has it, also what encodeURIComponent leaves', async () => {
    const statement = { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole', Condition: { StringEquals: { k: "!'()* " } } };
    double.account().role.put({ name: 'odd', trustPolicy: { Statement: [statement] } });
    expect((await read('odd'))?.AssumeRolePolicyDocument).toContain('%22%21%27%28%29%2A%20%22');
  });

  test('a role that is made again has another unique ID, and is shown as that ID where the old one was trusted', async () => {
    const first = (await create('hop')).Role;
    await create('lbc');
    await update('lbc', trusting(first?.Arn ?? ''));
    await iam.send(new DeleteRoleCommand({ RoleName: 'hop' }));
    const second = (await create('hop')).Role;
    expect(first?.RoleId).toMatch(/^AROA[A-Z2-7]{17}$/);
    expect(second?.RoleId).not.toBe(first?.RoleId);
    expect(double.account().role.get('lbc')?.trustPolicy).toBe(trusting(first?.RoleId ?? ''));
    expect(await refusalOf(update('lbc', trusting(first?.RoleId ?? '')))).toBe(
      `400 MalformedPolicyDocumentException: Invalid principal in policy: "AWS":"${first?.RoleId}"`,
    );
  });

  const unmodifiable = {
    'a service-linked role': '/aws-service-role/eks.amazonaws.com/',
    'a role of IAM Identity Center': '/aws-reserved/sso.amazonaws.com/',
  };
  for (const [sentence, path] of Object.entries(unmodifiable))
    test(`${sentence} cannot be changed or deleted`, async () => {
      double.account().role.put({ name: 'theirs', path, trustPolicy: trusting('*') });
      const refused =
        "400 UnmodifiableEntityException: Cannot perform the operation on the protected role 'theirs' - this role is only modifiable by AWS";
      expect(await refusalOf(update('theirs', trusting(ROOT)))).toBe(refused);
      expect(await refusalOf(iam.send(new DeleteRoleCommand({ RoleName: 'theirs' })))).toBe(refused);
    });

  test('a refused document changes nothing', async () => {
    await create('lbc');
    double.account().setQuota(50);
    expect(await refusalOf(update('lbc', trusting('*')))).toBe('409 LimitExceededException: Cannot exceed quota for ACLSizePerRole: 50');
    expect(double.account().role.get('lbc')?.trustPolicy).toBe(trusting(ROOT));
  });

  test('the journal keeps the document as it was sent', async () => {
    await create('lbc');
    const sent = `\n${JSON.stringify(JSON.parse(trusting(ROOT)), null, 4)} `;
    await update('lbc', sent);
    const { at, requestId, userAgent, ...entry } = double.journal.at(-1) ?? expect.fail('no entry');
    expect(entry).toEqual({
      account: '111122223333',
      caller: 'arn:aws:iam::111122223333:user/testbed',
      service: 'iam',
      operation: 'UpdateAssumeRolePolicy',
      params: { RoleName: 'lbc', PolicyDocument: sent },
      code: 'OK',
    });
    expect(userAgent).toContain('aws-sdk-js/');
  });

  test('an account knows nothing of the roles of another', async () => {
    await create('lbc');
    const other = clientsOf(double, '444455556666').iam;
    expect(await refusalOf(other.send(new GetRoleCommand({ RoleName: 'lbc' })))).toBe(
      '404 NoSuchEntityException: The role with name lbc cannot be found.',
    );
  });
});

describe('ListRoles', () => {
  test('pages may be short although more follow, and every role is given once', async () => {
    const names = Array.from({ length: 25 }, (_, index) => `role-${String(index).padStart(2, '0')}`);
    for (const name of names) double.account().role.put({ name, trustPolicy: trusting('*') });
    const pages: ListRolesCommandOutput[] = [];
    for await (const page of paginateListRoles({ client: iam, pageSize: 10 }, {})) pages.push(page);
    expect(pages.map(({ Roles = [] }) => Roles.length)).toEqual([10, 9, 6]);
    expect(pages.flatMap(({ Roles = [] }) => Roles.map((role) => role.RoleName))).toEqual(names);
  });

  test('a role that is deleted or made between two pages moves no other', async () => {
    for (const name of ['a', 'b', 'c', 'd']) double.account().role.put({ name, trustPolicy: trusting('*') });
    const { Marker } = await iam.send(new ListRolesCommand({ MaxItems: 2 }));
    double.account().role.delete('b');
    double.account().role.put({ name: 'aa', trustPolicy: trusting('*') });
    const { Roles = [] } = await iam.send(new ListRolesCommand({ Marker }));
    expect(Roles.map((role) => role.RoleName)).toEqual(['c', 'd']);
  });

  test('roles come with their documents, without tags, boundary and last use', async () => {
    const { id } = double.account().role.put({
      name: 'lbc',
      path: '/team/',
      trustPolicy: trusting('*'),
      tags: { team: 'platform' },
      permissionsBoundary: 'arn:aws:iam::111122223333:policy/limit',
    });
    double.account().role.put({ name: 'other', trustPolicy: trusting('*') });
    const { Roles } = await iam.send(new ListRolesCommand({ PathPrefix: '/team' }));
    const common = {
      Path: '/team/',
      RoleName: 'lbc',
      RoleId: id,
      Arn: 'arn:aws:iam::111122223333:role/team/lbc',
      CreateDate: expect.any(Date),
      AssumeRolePolicyDocument: encodeURIComponent(trusting('*')).replace('*', '%2A'),
      MaxSessionDuration: 3_600,
    };
    expect(Roles).toEqual([common]);
    expect(await read('lbc')).toEqual({
      ...common,
      Tags: [{ Key: 'team', Value: 'platform' }],
      PermissionsBoundary: { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: 'arn:aws:iam::111122223333:policy/limit' },
      RoleLastUsed: {},
    });
  });

  const refused: Record<string, [ListRolesCommandInput, string]> = {
    'no items': [
      { MaxItems: 0 },
      "Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    '1,001 items': [
      { MaxItems: 1_001 },
      "Value '1001' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000",
    ],
  };
  for (const [sentence, [input, message]] of Object.entries(refused))
    test(`refused: ${sentence}`, async () =>
      expect(await refusalOf(iam.send(new ListRolesCommand(input)))).toBe(`400 ValidationError: 1 validation error detected: ${message}`));

  test('refused: a marker that IAM did not give', async () =>
    expect(await refusalOf(iam.send(new ListRolesCommand({ Marker: 'x' })))).toBe('400 ValidationError: Invalid Marker.'));
});

test('tags are added, listed and taken away', async () => {
  await create('lbc');
  const tags = [
    { Key: 'irsa-operator.dev/paused', Value: 'true' },
    { Key: 'team', Value: 'a & b' },
  ];
  await iam.send(new TagRoleCommand({ RoleName: 'lbc', Tags: tags }));
  expect((await iam.send(new ListRoleTagsCommand({ RoleName: 'lbc' }))).Tags).toEqual(tags);
  await iam.send(new UntagRoleCommand({ RoleName: 'lbc', TagKeys: ['team', 'none'] }));
  expect((await read('lbc'))?.Tags).toEqual(tags.slice(0, 1));
});

test('the summary tells the quota of trust policies', async () => {
  const quota = async () => (await iam.send(new GetAccountSummaryCommand({}))).SummaryMap?.AssumeRolePolicySizeQuota;
  expect(await quota()).toBe(2_048);
  double.account().setQuota(4_096);
  expect(await quota()).toBe(4_096);
});

describe('OIDC providers', () => {
  test('one is registered once, keeps its URL as it was given but for the scheme, and takes client IDs', async () => {
    const { OpenIDConnectProviderArn } = await iam.send(new CreateOpenIDConnectProviderCommand({ Url: ISSUER, ClientIDList: ['other'] }));
    expect(OpenIDConnectProviderArn).toBe(PROVIDER);
    const add = new AddClientIDToOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, ClientID: 'sts.amazonaws.com' });
    await iam.send(add);
    await iam.send(add);
    const { $metadata, ...provider } = await iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }));
    expect(provider).toEqual({
      Url: HOST,
      ClientIDList: ['other', 'sts.amazonaws.com'],
      ThumbprintList: [expect.stringMatching(/^[0-9a-f]{40}$/)],
      CreateDate: expect.any(Date),
      Tags: [],
    });
    expect(await refusalOf(iam.send(new CreateOpenIDConnectProviderCommand({ Url: ISSUER })))).toBe(
      `409 EntityAlreadyExistsException: Provider with url ${ISSUER} already exists.`,
    );
  });

  test('a trailing slash makes another provider', async () => {
    await iam.send(new CreateOpenIDConnectProviderCommand({ Url: ISSUER }));
    const { OpenIDConnectProviderArn } = await iam.send(new CreateOpenIDConnectProviderCommand({ Url: `${ISSUER}/` }));
    expect(OpenIDConnectProviderArn).toBe(`${PROVIDER}/`);
  });

  test('an issuer that cannot be reached from outside is refused, unless the thumbprint is given: then IAM does not look', async () => {
    for (const url of [
      'https://kubernetes.default.svc.cluster.local',
      'https://kubernetes.default.svc',
      'https://10.0.0.1',
      'https://kubernetes',
    ])
      expect(await refusalOf(iam.send(new CreateOpenIDConnectProviderCommand({ Url: url })))).toBe(
        `400 OpenIdIdpCommunicationErrorException: Please check .well-known/openid-configuration of provider: ${url} is valid`,
      );
    const given = { Url: 'https://kubernetes.default.svc', ThumbprintList: ['a'.repeat(40)] };
    await iam.send(new CreateOpenIDConnectProviderCommand(given));
    expect(await refusalOf(iam.send(new CreateOpenIDConnectProviderCommand({ Url: 'https://oidc.example.org:8443' })))).toBe(
      '400 ValidationError: Invalid Open ID Connect Provider URL',
    );
  });

  test('there are a hundred at most', async () => {
    for (let index = 0; index < 100; index++) double.account().provider.put({ issuer: `https://issuer-${index}.example.com` });
    expect(await refusalOf(iam.send(new CreateOpenIDConnectProviderCommand({ Url: ISSUER })))).toBe(
      '409 LimitExceededException: Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100',
    );
  });
});
