/** Where the double and moto answer differently, and why. A path covers itself and nothing below or beside it. */
export interface Difference {
  readonly reason: string;
  /** Call to the paths in its answer. */
  readonly at: Readonly<Record<string, readonly string[]>>;
}

const refused = ['error', 'output', 'status'];
const sentence = ['error.message'];
const each = (calls: readonly string[], paths: readonly string[]): Record<string, readonly string[]> =>
  Object.fromEntries(calls.map((call) => [call, paths]));

export const DIFFERENCES: readonly Difference[] = [
  {
    reason: 'moto calls every caller arn:aws:sts::ACCOUNT:user/moto; that of a user is an iam ARN and an AIDA ID (IAM user guide)',
    at: { 'who am I': ['output.Arn', 'output.UserId'] },
  },
  {
    reason: 'moto takes any access key',
    at: { 'an access key that nobody has': ['error.message', 'error.name', 'status'] },
  },
  {
    reason: 'moto does not verify signatures',
    at: { 'a signature with another secret': refused },
  },
  {
    reason: 'the answer to CreateRole has fewer members than that to GetRole (examples of the AWS CLI reference)',
    at: {
      'create a bare role': ['output.Role.MaxSessionDuration', 'output.Role.RoleLastUsed'],
      'create a role with path, description and tags': [
        'output.Role.Description',
        'output.Role.MaxSessionDuration',
        'output.Role.RoleLastUsed',
      ],
    },
  },
  {
    reason: 'RFC 3986, which IAM promises, escapes a slash too; moto escapes nothing at all in ListRoles',
    at: {
      'create a role with path, description and tags': ['output.Role.AssumeRolePolicyDocument.encoding'],
      'get a role': ['output.Role.AssumeRolePolicyDocument.encoding'],
      'list roles': ['output.Roles.0.AssumeRolePolicyDocument.encoding', 'output.Roles.1.AssumeRolePolicyDocument.encoding'],
      'list roles below a path': ['output.Roles.0.AssumeRolePolicyDocument.encoding'],
      'read a role as principal': ['output.Role.AssumeRolePolicyDocument.encoding'],
      'read a deleted role as principal': ['output.Role.AssumeRolePolicyDocument.encoding'],
    },
  },
  {
    reason: 'role names are unique without regard to case (IAM user guide, "IAM and AWS STS quotas"); moto compares them with it',
    at: each(['get a role in another case', 'create a role whose name differs by case only'], refused),
  },
  {
    reason: 'moto does not check a role name, a page size, or a duration against the API model',
    at: each(['create a role with a name that IAM does not allow', 'list 1,001 roles', 'assume a role for a minute'], refused),
  },
  {
    reason: 'moto has a sentence of its own; that of the double is seen in issue trackers',
    at: {
      ...each(
        [
          'get a role that is not there',
          'tag a role that is not there',
          'update the trust policy of a role that is not there',
          'delete a role again',
          'a trust policy that is no JSON',
          'a trust policy of an unknown version',
          'a trust policy without statements',
          'a statement without effect',
          'a statement with a resource',
          'a statement without action',
          'a statement with sts:*',
          'a statement with an action of another service',
          'two statements with one ID',
          'create a provider that is there',
        ],
        sentence,
      ),
    },
  },
  {
    reason: 'moto does not check these parts of a trust policy',
    at: each(
      [
        'a trust policy with a duplicate member',
        'a statement without principal',
        'a statement with NotPrincipal',
        'a statement for everybody, as a bare star',
        'a statement for an unknown kind of principal',
        'a statement ID with a hyphen',
        'a federated principal that is an issuer',
        'a principal that does not exist',
        'GitHub without a subject',
        'a trust policy above the quota',
      ],
      refused,
    ),
  },
  {
    reason: 'IAM stores principals as what they mean, an account as its root, a role as its unique ID; moto keeps the text',
    at: each(
      ['read an account number as principal', 'read a deleted role as principal'],
      ['output.Role.AssumeRolePolicyDocument.document.Statement.0.Principal.AWS'],
    ),
  },
  {
    reason: 'the caller of the double is a user of the account; AccountPasswordPresent is newer than moto',
    at: { 'summary of the account': ['output.SummaryMap.AccountPasswordPresent', 'output.SummaryMap.Users'] },
  },
  {
    reason: 'moto 5.2.5 answers AddClientIDToOpenIDConnectProvider with an HTML page and status 500',
    at: {
      ...each(['add a client ID', 'add a client ID again'], refused),
      'get a provider with two client IDs': ['output.ClientIDList.1'],
    },
  },
  {
    reason: 'moto gives anybody a session of anything: it looks at no token, ARN or trust policy',
    at: each(['assume a role with a token that is none', 'assume a role with a malformed ARN', 'assume a role that is not there'], refused),
  },
  {
    reason: 'PackedPolicySize is there when a session policy or tags were passed (STS API reference)',
    at: { 'assume a role': ['output.PackedPolicySize'] },
  },
];
