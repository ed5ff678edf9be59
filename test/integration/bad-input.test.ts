import { until } from '@irsa-operator/testbed';
import { beforeAll, describe, expect, test } from 'vitest';
import { binding, grant, pathOf } from '../harness/objects.ts';
import { notesOfOperator, OPERATOR_ROLE } from '../harness/operator.ts';
import { allowing, EC2, FOREIGN, policy, providerOf } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ACCOUNT, type Condition } from '../harness/views.ts';

/** What people get wrong, side by side: each gets its reason, changes nothing, and harms nobody beside it. */
const OTHER_ACCOUNT = '999900001111';
const SERVICE_ROLE_PATH = '/aws-service-role/elasticloadbalancing.amazonaws.com/';
const SSO_ROLE_PATH = '/aws-reserved/sso.amazonaws.com/';

const suite = integrationSuite({
  grant: {
    roleArns: [
      ...['/', '/team/', SERVICE_ROLE_PATH, SSO_ROLE_PATH].map((path) => `arn:aws:iam::${ACCOUNT}:role${path}*`),
      `arn:aws-cn:iam::${ACCOUNT}:role/*`,
      `arn:aws:iam::${OTHER_ACCOUNT}:role/*`,
    ],
  },
});
const { prepared, working, secondLook } = suite;

/** It stands beside them, and what its condition said before any of them came. */
let healthy: Scene;
let readyBefore: Condition | undefined;
beforeAll(async () => {
  healthy = await working('healthy');
  readyBefore = await healthy.condition('Ready');
});

const json = (...statements: object[]) => JSON.stringify(policy(...statements));
const allow = (part: object) => allowing(suite.testbed.issuer, 'system:serviceaccount:x:x', part);

const BINDINGS = pathOf('irsabindings', { namespace: 'default' });

interface Case {
  readonly policy?: () => string | object;
  readonly setUp?: (s: Scene) => void;
  /** The role that the binding names, where that is not the one with the policy. */
  readonly roleArn?: string;
  readonly says: readonly [type: string, status: string, reason: string];
  readonly message: RegExp;
}

const TRUST_UNREADABLE = ['Trusted', 'False', 'TrustPolicyUnparseable'] as const;
/** What IAM rejected is not sent again before: a slow machine is still at the test by then. */
const REJECTED_PAUSE_MS = 15_000;
const REJECTED = ['Trusted', 'False', 'TrustWriteRejected'] as const;

const cases: Record<string, Case> = {
  // Contract: bad-arn
  'a role of another partition': {
    roleArn: `arn:aws-cn:iam::${ACCOUNT}:role/app`,
    says: ['ProviderReady', 'Unknown', 'RoleInOtherAccount'],
    message: /^role "arn:aws-cn:iam::111122223333:role\/app" is in partition aws-cn\. .* reach only partition aws$/,
  },
  // Contract: bad-other-account
  'a role of another account': {
    roleArn: `arn:aws:iam::${OTHER_ACCOUNT}:role/app`,
    says: ['ProviderReady', 'Unknown', 'RoleInOtherAccount'],
    message: /^role "arn:aws:iam::999900001111:role\/app" is in account 999900001111. /,
  },
  // Contract: bad-arn
  'a role whose path is left out': {
    setUp: () => suite.testbed.aws.account().role.put({ name: 'with-path', path: '/team/', trustPolicy: FOREIGN }),
    roleArn: `arn:aws:iam::${ACCOUNT}:role/with-path`,
    says: ['Trusted', 'False', 'RoleArnMismatch'],
    message: /^IAM knows the role "with-path" as "arn:aws:iam::111122223333:role\/team\/with-path". The binding says ".*:role\/with-path"/,
  },
  // Contract: bad-names
  'a role in another case': {
    setUp: () => suite.testbed.aws.account().role.put({ name: 'in-lower-case', trustPolicy: FOREIGN }),
    roleArn: `arn:aws:iam::${ACCOUNT}:role/In-Lower-Case`,
    says: ['Trusted', 'False', 'RoleArnMismatch'],
    message: /^IAM knows the role "In-Lower-Case" as "arn:aws:iam::111122223333:role\/in-lower-case"/,
  },
  'a role that does not exist': {
    roleArn: `arn:aws:iam::${ACCOUNT}:role/nowhere`,
    says: ['Trusted', 'False', 'RoleNotFound'],
    message: /^IAM has no role "arn:aws:iam::111122223333:role\/nowhere". Create it, or correct the ARN \(path and case count\)$/,
  },
  // Contract: bad-unmodifiable
  'a service-linked role': {
    setUp: () => suite.testbed.aws.account().role.put({ name: 'AWSServiceRoleForX', path: SERVICE_ROLE_PATH, trustPolicy: FOREIGN }),
    roleArn: `arn:aws:iam::${ACCOUNT}:role${SERVICE_ROLE_PATH}AWSServiceRoleForX`,
    says: ['Trusted', 'False', 'RoleUnmodifiable'],
    message: /is a role that only AWS can change. Bind a role of your own$/,
  },
  // Contract: bad-unmodifiable
  'a role of IAM Identity Center': {
    setUp: () => suite.testbed.aws.account().role.put({ name: 'AWSReservedSSO_Admin_1', path: SSO_ROLE_PATH, trustPolicy: FOREIGN }),
    roleArn: `arn:aws:iam::${ACCOUNT}:role${SSO_ROLE_PATH}AWSReservedSSO_Admin_1`,
    says: ['Trusted', 'False', 'RoleUnmodifiable'],
    message: /AWSReservedSSO_Admin_1" is a role that only AWS can change/,
  },
  // Contract: api-own-role
  "the operator's own role": {
    roleArn: `arn:aws:iam::${ACCOUNT}:role/${OPERATOR_ROLE}`,
    says: ['Authorized', 'False', 'RoleIsOperator'],
    message: /arn:aws:iam::111122223333:role\/irsa-operator/,
  },
  // Contract: bad-document
  'a trust policy that is not JSON': { policy: () => '{"Statement": [', says: TRUST_UNREADABLE, message: /not JSON: at character 16/ },
  // Contract: bad-document
  'a trust policy with duplicate members': {
    policy: () => `{"Version":"2012-10-17","Statement":${json(EC2)},"Statement":[]}`,
    says: TRUST_UNREADABLE,
    message: /the member "Statement" appears twice in one object/,
  },
  // Contract: bad-document
  'a trust policy with NotPrincipal': {
    policy: () =>
      json(
        allow({
          Effect: 'Deny',
          Principal: undefined,
          NotPrincipal: { Federated: providerOf(suite.testbed.issuer) },
          Condition: undefined,
        }),
      ),
    says: REJECTED,
    message: /rejects the trust policy of .*NotPrincipal/,
  },
  // Contract: bad-document
  'a trust policy with an operator that IAM does not have': {
    policy: () => json(allow({ Condition: { StringSounds: { 'aws:x': 'y' } } })),
    says: ['Trusted', 'Unknown', 'Undecidable'],
    message: /^statement 1: "StringSounds" is not a condition operator/,
  },
  // Contract: bad-document
  'a trust policy with a member that IAM does not have': {
    policy: () => json({ ...EC2, Comment: 'ours' }),
    says: REJECTED,
    message: /IAM rejects the trust policy of .*It validates the whole document, foreign statements included: .*Syntax errors in policy/,
  },
  // Contract: bad-quota, trust-quota
  'a trust policy at its quota': {
    policy: () => json(...Array.from({ length: 9 }, (_, index) => ({ ...EC2, Sid: `Ec2number${index}of${'x'.repeat(80)}` }))),
    says: ['Trusted', 'False', 'TrustPolicyTooLarge'],
    message: /would have \d+ characters, but the account's quota is 2048/,
  },
  // Contract: bad-principal
  'a trust policy with a principal that was deleted': {
    policy: () => json({ ...EC2, Principal: { AWS: 'AROAEXAMPLEEXAMPLE123' } }),
    says: ['Trusted', 'False', 'TrustOrphanedPrincipal'],
    message: /statement 1 trusts a role or user that was deleted \(the ID "AROA\.\.\." replaces its ARN\)/,
  },
};

describe.concurrent('bad input gets its reason, and nothing is written:', () => {
  for (const [index, [sentence, given]] of Object.entries(cases).entries()) {
    test(sentence, async () => {
      const s = await prepared(`bad-${index}`, given.policy?.());
      given.setUp?.(s);
      const before = s.trust();
      await s.bind({ roleArn: given.roleArn ?? s.roleArn });
      const { message } = await s.conditionIs(...given.says);
      expect(message).toMatch(given.message);
      expect(await s.condition('Stalled')).toMatchObject({
        status: 'True',
        reason: given.says[2],
        message: `see condition ${given.says[0]}`,
      });
      const binding = await s.binding();
      await secondLook();
      expect(await s.binding()).toEqual(binding);
      expect([s.trust(), s.writes(), await s.annotations()]).toEqual([before, [], undefined]);
      const tried = attemptsAt(s, given.roleArn).map(({ at }) => at.getTime());
      for (const [nth, at] of tried.entries()) expect(at - (tried[nth - 1] ?? 0)).toBeGreaterThanOrEqual(REJECTED_PAUSE_MS);
    });
  }
});

/** Trust policies that were sent for the role that the binding names, taken or not. */
function attemptsAt(s: Scene, roleArn = s.roleArn) {
  const name = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  return suite.testbed.aws.journal.filter(({ operation, params }) => operation === 'UpdateAssumeRolePolicy' && params['RoleName'] === name);
}

const odd: Record<string, () => object> = {
  'a single object as its Statement': () => EC2,
  'several kinds in one Principal': () => [{ ...EC2, Principal: { Service: 'ec2.amazonaws.com', AWS: `arn:aws:iam::${ACCOUNT}:root` } }],
  NotAction: () => [{ ...EC2, Action: undefined, NotAction: 'sts:AssumeRole' }],
};
describe.concurrent('what is odd and allowed is carried over byte for byte:', () => {
  for (const [index, [sentence, statement]] of Object.entries(odd).entries()) {
    // Contract: bad-document, trust-byte-for-byte
    test(`a trust policy with ${sentence}`, async () => {
      const s = await prepared(`odd-${index}`, { Version: '2012-10-17', Statement: statement() });
      const [, theirs = ''] = /"Statement":\[?(.*?)\]?\}$/.exec(s.trust()) ?? [];
      await s.bind();
      await s.conditionIs('Ready', 'True', 'Ready');
      expect(s.writes()).toHaveLength(1);
      expect(s.writes()[0]).toContain(`"Statement":[${theirs},{"Sid":"Irsa`);
    });
  }
});

const example = 'roleArn is the ARN of one role, for example arn:aws:iam::111122223333:role/team/app';
const nameAllows = 'the name of the role has a character or a form that is not allowed. Allowed: letters, digits and "+=,.@_-"';
const pathAllows =
  'the path of the role has a character or a form that is not allowed. Allowed: visible ASCII characters except "*" and "?"';
const right = { serviceAccountName: 'app', roleArn: `arn:aws:iam::${ACCOUNT}:role/app` };
const refused: Record<string, { spec?: object; name?: string; message: string | RegExp }> = {
  'no ARN': { spec: { roleArn: 'app-role' }, message: example },
  'the ARN of a policy': { spec: { roleArn: `arn:aws:iam::${ACCOUNT}:policy/x` }, message: example },
  'the ARN of a user': { spec: { roleArn: `arn:aws:iam::${ACCOUNT}:user/x` }, message: example },
  'the ARN of an instance profile': { spec: { roleArn: `arn:aws:iam::${ACCOUNT}:instance-profile/x` }, message: example },
  'a wildcard ARN': { spec: { roleArn: `arn:aws:iam::${ACCOUNT}:role/a*` }, message: nameAllows },
  'a wildcard in the path': { spec: { roleArn: `arn:aws:iam::${ACCOUNT}:role/*/a` }, message: pathAllows },
  'a path with a blank': { spec: { roleArn: `arn:aws:iam::${ACCOUNT}:role/my team/x` }, message: pathAllows },
  'a path and no name': { spec: { roleArn: `arn:aws:iam::${ACCOUNT}:role/team/` }, message: nameAllows },
  'an account of four digits': { spec: { roleArn: 'arn:aws:iam::1234:role/x' }, message: example },
  'a partition that AWS has not': { spec: { roleArn: `arn:aws-mars:iam::${ACCOUNT}:role/x` }, message: example },
  'a blank before the ARN': { spec: { roleArn: ` ${right.roleArn}` }, message: example },
  'a line end behind the ARN': { spec: { roleArn: `${right.roleArn}\n` }, message: nameAllows },
  'a Cyrillic letter in the ARN': { spec: { roleArn: `arn:aws:iam::${ACCOUNT}:role/аpp` }, message: nameAllows },
  'a role name of 79 characters': {
    spec: { roleArn: `arn:aws:iam::${ACCOUNT}:role/team/${'n'.repeat(79)}` },
    message: 'the name of the role has 79 characters, and IAM allows 64. Shorten it',
  },
  'a role path of 513 characters': {
    spec: { roleArn: `arn:aws:iam::${ACCOUNT}:role/${'p'.repeat(511)}/x` },
    message: 'the path of the role has 513 characters, and IAM allows 512. Shorten it',
  },
  'a ServiceAccount name of 256 bytes': {
    spec: { serviceAccountName: 'a'.repeat(256) },
    message: 'serviceAccountName has 256 characters, and Kubernetes allows 253. Shorten it',
  },
  'an audience of 256 characters': {
    spec: { audience: 'a'.repeat(256) },
    message: 'the audience has 256 characters, and IAM allows 255. Shorten it',
  },
  'a ServiceAccount name in Cyrillic': { spec: { serviceAccountName: 'аpp' }, message: 'Allowed: lower-case letters, digits' },
  'an audience with a blank': { spec: { audience: 'sts .amazonaws.com' }, message: 'Allowed: visible ASCII characters, without blanks' },
  'a budget of nothing': { spec: { restart: { maxUnavailable: 0 } }, message: 'maxUnavailable is a number from 1 to 1000 or a percentage' },
  'a mode that there is not': { spec: { mode: 'Maybe' }, message: /mode: Unsupported value: "Maybe"/ },
  'a name of 256 bytes': { name: 'a'.repeat(256), message: /metadata.name.* 253/ },
};
// Contract: bad-arn, bad-names, api-one-schema
describe('the API server itself refuses a binding with', () => {
  for (const [sentence, { spec = {}, name = 'refused', message }] of Object.entries(refused)) {
    test(sentence, async () => {
      const body = { ...binding({ ...right, ...spec }), metadata: { name } };
      await expect(suite.api.call('POST', BINDINGS, { body })).rejects.toThrow(message);
    });
  }
});

// Contract: api-arn
test('the API server takes an ARN of each partition, with a path and every character that a name may have', async () => {
  const partitions = ['aws', 'aws-cn', 'aws-us-gov', 'aws-iso', 'aws-iso-b', 'aws-iso-e', 'aws-iso-f', 'aws-eusc'];
  for (const partition of partitions) {
    const roleArn = `arn:${partition}:iam::${ACCOUNT}:role/team/a!b/aZ09+=,.@_-`;
    const body = { ...binding({ ...right, roleArn }), metadata: { name: 'taken' } };
    const taken = await suite.api.call<{ spec: { roleArn: string } }>('POST', `${BINDINGS}?dryRun=All`, { body });
    expect(taken.spec.roleArn).toBe(roleArn);
  }
});

const rightGrant = { roleArns: [right.roleArn], namespaces: { names: ['shop'] }, serviceAccountNames: ['app'] };
const refusedGrants: Record<string, { part: object; message: string | RegExp }> = {
  'a wildcard for the account': { part: { roleArns: ['arn:aws:iam::*:role/x'] }, message: /roleArns\[0\]: Invalid value/ },
  'a wildcard for the partition': { part: { roleArns: [`arn:*:iam::${ACCOUNT}:role/x`] }, message: /roleArns\[0\]: Invalid value/ },
  'a role name with a blank': {
    part: { roleArns: [`arn:aws:iam::${ACCOUNT}:role/my role`] },
    message: 'the name of the role has a character or a form that is not allowed. Allowed: letters, digits and "+=,.@_-*"',
  },
  'a role with a "?" in its path': {
    part: { roleArns: [`arn:aws:iam::${ACCOUNT}:role/a?b/x`] },
    message: 'the path of the role has a character or a form that is not allowed. Allowed: visible ASCII characters except "?"',
  },
  'a role name of 65 characters beside a wildcard': {
    part: { roleArns: [`arn:aws:iam::${ACCOUNT}:role/*${'n'.repeat(65)}`] },
    message: 'the name of the role without "*" has 65 characters, and IAM allows 64. Shorten it',
  },
  'a role path of 513 characters beside a wildcard': {
    part: { roleArns: [`arn:aws:iam::${ACCOUNT}:role/*${'p'.repeat(511)}/x`] },
    message: 'the path of the role without "*" has 513 characters, and IAM allows 512. Shorten it',
  },
  'a label value of 64 characters': {
    part: { namespaces: { selector: { matchLabels: { team: 'v'.repeat(64) } } } },
    message: 'the value of the label has 64 characters, and Kubernetes allows 63. Shorten it',
  },
  'a label value with a blank': {
    part: { namespaces: { selector: { matchLabels: { team: 'my team' } } } },
    message: 'the value of the label has a character or a form that Kubernetes does not allow',
  },
  'a label key of 318 characters': {
    part: { namespaces: { selector: { matchLabels: { ['k'.repeat(318)]: 'v' } } } },
    message: 'the label key has 318 characters, and Kubernetes allows 317. Shorten it',
  },
  'a tag value of 257 characters': {
    part: { requiredRoleTags: { team: 'v'.repeat(257) } },
    message: 'the value of the tag has 257 characters, and IAM allows 256. Shorten it',
  },
  'a tag value with a character that tags do not have': {
    part: { requiredRoleTags: { team: 'a&b' } },
    message: 'the value of the tag has a character or a form that IAM does not allow',
  },
  'a tag key of 129 characters': {
    part: { requiredRoleTags: { ['k'.repeat(129)]: 'v' } },
    message: 'the tag key has 129 characters, and IAM allows 128. Shorten it',
  },
  'an empty tag key': { part: { requiredRoleTags: { '': 'v' } }, message: 'the tag key is empty. Remove it' },
  'more tags than a role can have': {
    part: { requiredRoleTags: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`t${at}`, 'v'])) },
    message: /requiredRoleTags: Too many: 51: must have at most 50 items/,
  },
  'a namespace of 64 characters': {
    part: { namespaces: { names: ['n'.repeat(64)] } },
    message: 'the name of the namespace has 64 characters, and Kubernetes allows 63. Shorten it',
  },
  'a ServiceAccount name of 254 characters': {
    part: { serviceAccountNames: ['n'.repeat(254)] },
    message: 'the name in serviceAccountNames has 254 characters, and Kubernetes allows 253. Shorten it',
  },
  'an audience of 300 characters': {
    part: { audiences: ['a'.repeat(300)] },
    message: 'the audience has 300 characters, and IAM allows 255. Shorten it',
  },
  'an empty selector': {
    part: { namespaces: { selector: { matchLabels: {} } } },
    message: 'an empty selector would select every namespace',
  },
  'neither names nor a selector': { part: { namespaces: {} }, message: 'name namespaces, or give a selector' },
};
const putGrant = (name: string, spec: object) =>
  suite.api.call('POST', pathOf('irsagrants'), { body: { ...grant(spec), metadata: { name } } });
// Contract: api-grant-patterns, api-grant-selector
describe('the API server itself refuses a grant with', () => {
  for (const [sentence, { part, message }] of Object.entries(refusedGrants)) {
    test(sentence, async () => {
      await expect(putGrant('refused', { ...rightGrant, ...part })).rejects.toThrow(message);
    });
  }
  test('nothing of that: one with the longest of each is taken, in every character', async () => {
    await putGrant('longest', {
      ...rightGrant,
      roleArns: [`arn:aws:iam::${ACCOUNT}:role/*${'p'.repeat(510)}/${'n'.repeat(64)}*`, `arn:aws:iam::${ACCOUNT}:role/a!b/*`],
      namespaces: { selector: { matchLabels: { [`${'k'.repeat(253)}/${'k'.repeat(63)}`]: 'v'.repeat(63), empty: '' } } },
      requiredRoleTags: { ['k'.repeat(128)]: '\u{20000}'.repeat(256), empty: '' },
    });
    await suite.api.call('DELETE', pathOf('irsagrants', { name: 'longest' }));
  });
  test('nothing of that: the same one without it is taken', async () => {
    await putGrant('taken', rightGrant);
    await suite.api.call('DELETE', pathOf('irsagrants', { name: 'taken' }));
  });
});

// Contract: api-grant-unreadable
test('a stored grant that cannot be read is told once, on the Lease of the operator', async () => {
  // The schema lets this key pass.
  await putGrant('unreadable', { ...rightGrant, requiredRoleTags: JSON.parse('{"__proto__": "x"}') });
  const notes = () => notesOfOperator(suite.testbed, 'InvalidSpec');
  await until('it is told', async () => (await notes()).length > 0, { timeoutMs: 30_000 });
  await secondLook();
  expect(await notes()).toEqual([
    'IrsaGrant "unreadable" cannot be read, and grants nothing until you correct it: spec.requiredRoleTags: the key "__proto__" cannot be compared, so this grants nothing. Remove it',
  ]);
  await suite.api.call('DELETE', pathOf('irsagrants', { name: 'unreadable' }));
});

// Contract: api-immutable
test('of a binding the ServiceAccount cannot be changed, the role can', async () => {
  const s = await prepared('moving');
  await s.bind({ suspend: true });
  await expect(s.change({ serviceAccountName: 'other' })).rejects.toThrow('serviceAccountName is immutable');
  await s.change({ roleArn: `${s.roleArn}-2` });
});

// Contract: failure-apart
test('beside all of them the healthy one was Ready all the while, and another that comes now becomes Ready', async () => {
  // The time of its last transition too.
  expect(await healthy.condition('Ready')).toEqual(readyBefore);
  expect(healthy.writes()).toHaveLength(1);
  await working('healthy-late');
});
