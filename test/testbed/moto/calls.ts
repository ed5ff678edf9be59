import { CreateClusterCommand, DescribeClusterCommand } from '@aws-sdk/client-eks';
import {
  AddClientIDToOpenIDConnectProviderCommand,
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DeleteOpenIDConnectProviderCommand,
  DeleteRoleCommand,
  GetAccountSummaryCommand,
  GetOpenIDConnectProviderCommand,
  GetRoleCommand,
  ListOpenIDConnectProvidersCommand,
  ListRolesCommand,
  ListRoleTagsCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { Clients } from './clients.ts';

type Call = (clients: Clients) => Promise<object>;

/** moto's own account. */
export const ACCOUNT = '123456789012';
const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
const HOST = ISSUER.slice('https://'.length);
const PROVIDER = `arn:aws:iam::${ACCOUNT}:oidc-provider/${HOST}`;
const ROOT = `arn:aws:iam::${ACCOUNT}:root`;

type Statement = Record<string, unknown>;

const policy = (...statements: Statement[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const allow = (members: Statement): Statement => ({ Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'sts:AssumeRole', ...members });
const irsa = (condition: Statement): Statement =>
  allow({ Principal: { Federated: PROVIDER }, Action: 'sts:AssumeRoleWithWebIdentity', Condition: { StringLike: condition } });

/** One condition key, so that nothing can be reordered, with every character that RFC 3986 and encodeURIComponent treat differently. */
const ENCODED = policy(irsa({ [`${HOST}:sub`]: "system:serviceaccount:a:b!'()*~ -_.+/ü" }));

const refusedDocument =
  (document: string): Call =>
  ({ iam }) =>
    iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'lbc', PolicyDocument: document }));

/** 2,048 characters do not hold forty subjects. */
const TOO_LARGE = policy(
  ...Array.from({ length: 40 }, (_, i) => irsa({ [`${HOST}:sub`]: `system:serviceaccount:namespace:account-${i}` })),
);

async function countedPage(iam: Clients['iam'], page: { MaxItems: number; Marker?: string | undefined }) {
  const { Roles = [], ...rest } = await iam.send(new ListRolesCommand(page));
  return { ...rest, count: Roles.length };
}

/** Each call by what it asks; they build on each other, so the order matters. */
export const CALLS: Readonly<Record<string, Call>> = {
  'who am I': ({ sts }) => sts.send(new GetCallerIdentityCommand({})),
  'an access key that nobody has': ({ strangerIam }) => strangerIam.send(new GetRoleCommand({ RoleName: 'lbc' })),
  'a signature with another secret': ({ forgedIam }) => forgedIam.send(new GetAccountSummaryCommand({})),

  'create a bare role': ({ iam }) => iam.send(new CreateRoleCommand({ RoleName: 'bare', AssumeRolePolicyDocument: policy(allow({})) })),
  'create a role with path, description and tags': ({ iam }) =>
    iam.send(
      new CreateRoleCommand({
        RoleName: 'lbc',
        Path: '/team/app/',
        AssumeRolePolicyDocument: ENCODED,
        Description: 'load balancers',
        Tags: [{ Key: 'team', Value: 'platform' }],
      }),
    ),
  'create a role that is there': ({ iam }) =>
    iam.send(new CreateRoleCommand({ RoleName: 'lbc', AssumeRolePolicyDocument: policy(allow({})) })),
  'get a role': ({ iam }) => iam.send(new GetRoleCommand({ RoleName: 'lbc' })),
  'get a role in another case': ({ iam }) => iam.send(new GetRoleCommand({ RoleName: 'Bare' })),
  'get a role that is not there': ({ iam }) => iam.send(new GetRoleCommand({ RoleName: 'none' })),

  'list roles': async ({ iam }) => {
    const { Roles = [], ...rest } = await iam.send(new ListRolesCommand({}));
    return { ...rest, Roles: Roles.toSorted((a, b) => ((a.RoleName ?? '') < (b.RoleName ?? '') ? -1 : 1)) }; // the order is not documented
  },
  'list roles below a path': ({ iam }) => iam.send(new ListRolesCommand({ PathPrefix: '/team/' })),
  'list roles below a path that has none': ({ iam }) => iam.send(new ListRolesCommand({ PathPrefix: '/other/' })),
  'list one role': ({ iam }) => countedPage(iam, { MaxItems: 1 }),
  'list the roles after the first': async ({ iam }) => {
    const { Marker } = await countedPage(iam, { MaxItems: 1 });
    return countedPage(iam, { MaxItems: 1, Marker });
  },
  'list 1,001 roles': ({ iam }) => countedPage(iam, { MaxItems: 1_001 }),

  'tag a role': ({ iam }) => iam.send(new TagRoleCommand({ RoleName: 'lbc', Tags: [{ Key: 'stage', Value: 'test' }] })),
  'list the tags of a role': ({ iam }) => iam.send(new ListRoleTagsCommand({ RoleName: 'lbc' })),
  'untag a role': ({ iam }) => iam.send(new UntagRoleCommand({ RoleName: 'lbc', TagKeys: ['stage'] })),
  'tag a role that is not there': ({ iam }) => iam.send(new TagRoleCommand({ RoleName: 'none', Tags: [{ Key: 'a', Value: 'b' }] })),

  'update a trust policy': ({ iam }) =>
    iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'lbc', PolicyDocument: policy(allow({ Sid: 'Root' })) })),
  'get a role after the update': ({ iam }) => iam.send(new GetRoleCommand({ RoleName: 'lbc' })),
  'update the trust policy of a role that is not there': ({ iam }) =>
    iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'none', PolicyDocument: policy(allow({})) })),
  'write two principals in one order': ({ iam }) =>
    iam.send(
      new UpdateAssumeRolePolicyCommand({
        RoleName: 'lbc',
        PolicyDocument: policy(allow({ Principal: { AWS: ROOT, Service: 'ec2.amazonaws.com' } })),
      }),
    ),
  'read two principals': ({ iam }) => iam.send(new GetRoleCommand({ RoleName: 'lbc' })),
  'write an account number as principal': ({ iam }) =>
    iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'lbc', PolicyDocument: policy(allow({ Principal: { AWS: ACCOUNT } })) })),
  'read an account number as principal': ({ iam }) => iam.send(new GetRoleCommand({ RoleName: 'lbc' })),

  'a trust policy that is no JSON': refusedDocument('{'),
  'a trust policy with a duplicate member': refusedDocument(policy(allow({})).replace('{"Version"', '{"Version":"2012-10-17","Version"')),
  'a trust policy of an unknown version': refusedDocument(policy(allow({})).replace('2012', '2013')),
  'a trust policy without statements': refusedDocument(policy()),
  'a statement without effect': refusedDocument(policy(allow({ Effect: undefined }))),
  'a statement without principal': refusedDocument(policy(allow({ Principal: undefined }))),
  'a statement with NotPrincipal': refusedDocument(policy(allow({ Principal: undefined, NotPrincipal: { AWS: ROOT } }))),
  'a statement for everybody, as a bare star': refusedDocument(policy(allow({ Principal: '*' }))),
  'a statement for an unknown kind of principal': refusedDocument(policy(allow({ Principal: { Person: 'me' } }))),
  'a statement with a resource': refusedDocument(policy(allow({ Resource: '*' }))),
  'a statement without action': refusedDocument(policy(allow({ Action: undefined }))),
  'a statement with sts:*': refusedDocument(policy(allow({ Action: 'sts:*' }))),
  'a statement with an action of another service': refusedDocument(policy(allow({ Action: 's3:GetObject' }))),
  'a statement with an unknown member': refusedDocument(policy(allow({ Comment: 'x' }))),
  'a statement with an unknown operator': refusedDocument(policy(allow({ Condition: { StringEqual: { 'aws:userid': 'x' } } }))),
  'a statement ID with a hyphen': refusedDocument(policy(allow({ Sid: 'a-b' }))),
  'two statements with one ID': refusedDocument(policy(allow({ Sid: 'a' }), allow({ Sid: 'a' }))),
  'a federated principal that is an issuer': refusedDocument(policy(allow({ Principal: { Federated: ISSUER } }))),
  'a principal that does not exist': refusedDocument(policy(allow({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/none` } }))),
  'GitHub without a subject': refusedDocument(
    policy(
      allow({
        Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com` },
        Action: 'sts:AssumeRoleWithWebIdentity',
      }),
    ),
  ),
  'a trust policy above the quota': refusedDocument(TOO_LARGE),

  'trust a role': ({ iam }) =>
    iam.send(
      new UpdateAssumeRolePolicyCommand({
        RoleName: 'lbc',
        PolicyDocument: policy(allow({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/bare` } })),
      }),
    ),
  'read a role as principal': ({ iam }) => iam.send(new GetRoleCommand({ RoleName: 'lbc' })),
  'delete a role': ({ iam }) => iam.send(new DeleteRoleCommand({ RoleName: 'bare' })),
  'read a deleted role as principal': ({ iam }) => iam.send(new GetRoleCommand({ RoleName: 'lbc' })),
  'delete a role again': ({ iam }) => iam.send(new DeleteRoleCommand({ RoleName: 'bare' })),

  'summary of the account': ({ iam }) => iam.send(new GetAccountSummaryCommand({})),

  'create a provider': ({ iam }) =>
    iam.send(
      new CreateOpenIDConnectProviderCommand({ Url: ISSUER, ClientIDList: ['sts.amazonaws.com'], ThumbprintList: ['a'.repeat(40)] }),
    ),
  'create a provider that is there': ({ iam }) => iam.send(new CreateOpenIDConnectProviderCommand({ Url: ISSUER })),
  'create a provider without scheme': ({ iam }) => iam.send(new CreateOpenIDConnectProviderCommand({ Url: HOST })),
  'list providers': ({ iam }) => iam.send(new ListOpenIDConnectProvidersCommand({})),
  'get a provider': ({ iam }) => iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: PROVIDER })),
  'get a provider that is not there': ({ iam }) =>
    iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: `${PROVIDER}0` })),
  'add a client ID': ({ iam }) =>
    iam.send(new AddClientIDToOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: PROVIDER, ClientID: 'other' })),
  'add a client ID again': ({ iam }) =>
    iam.send(new AddClientIDToOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: PROVIDER, ClientID: 'other' })),
  'get a provider with two client IDs': ({ iam }) => iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: PROVIDER })),

  'assume a role with a token that is none': ({ sts }) =>
    sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: `arn:aws:iam::${ACCOUNT}:role/team/app/lbc`,
        RoleSessionName: 'session',
        WebIdentityToken: 'garbage',
      }),
    ),
  'assume a role with a malformed ARN': ({ sts }) =>
    sts.send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:policy/lbc`, RoleSessionName: 'session' })),
  'assume a role for a minute': ({ sts }) =>
    sts.send(
      new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/team/app/lbc`, RoleSessionName: 'session', DurationSeconds: 60 }),
    ),
  'trust the account': ({ iam }) =>
    iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'lbc', PolicyDocument: policy(allow({ Principal: { AWS: ROOT } })) })),
  'assume a role': ({ sts }) =>
    sts.send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/team/app/lbc`, RoleSessionName: 'session' })),
  'assume a role that is not there': ({ sts }) =>
    sts.send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/none`, RoleSessionName: 'session' })),

  'delete a provider': ({ iam }) => iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: PROVIDER })),
  'delete a provider again': ({ iam }) => iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: PROVIDER })),

  'describe a cluster that is not there': ({ eks }) => eks.send(new DescribeClusterCommand({ name: 'none' })),
  'describe a cluster': async ({ eks }) => {
    const { $metadata, cluster } = await eks.send(new DescribeClusterCommand({ name: CLUSTER }));
    // Only what the operator reads, and what is around it: moto invents the rest anew each time.
    const { name, arn, createdAt, status, identity } = cluster ?? {};
    const issuer = identity?.oidc?.issuer?.replace(/[^/]*$/, '<id>');
    return { $metadata, cluster: { name, arn, createdAt, status, identity: { oidc: { issuer } } } };
  },

  // Last, because moto really makes these.
  'create a role whose name differs by case only': ({ iam }) =>
    iam.send(new CreateRoleCommand({ RoleName: 'LBC', AssumeRolePolicyDocument: policy(allow({})) })),
  'create a role with a name that IAM does not allow': ({ iam }) =>
    iam.send(new CreateRoleCommand({ RoleName: 'a b', AssumeRolePolicyDocument: policy(allow({})) })),
};

/** Made before the suite: the double has no CreateCluster. */
export const CLUSTER = 'blue';

export async function createMotoCluster(eks: Clients['eks']): Promise<void> {
  await eks.send(
    new CreateClusterCommand({ name: CLUSTER, roleArn: `arn:aws:iam::${ACCOUNT}:role/cluster`, resourcesVpcConfig: { subnetIds: [] } }),
  );
}
