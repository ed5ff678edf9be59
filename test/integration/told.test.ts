import { until } from '@irsa-operator/testbed';
import { AwsError } from '@irsa-operator/testbed/aws';
import { expect, test } from 'vitest';
import { allowing, EC2, hostOf, policy } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';
import { ROLE_ARN } from '../harness/views.ts';

/**
 * What a tenant is told, on the real control plane: its statuses, its Events, the series and the log lines of its objects, as users read them.
 * Whatever belongs to another has "canary" in its name. Log lines about a role or an account are for those who run the operator.
 */
const suite = integrationSuite({ flags: [...SWEEP, '--metrics-detail', 'full'] });
const PATIENCE = { timeoutMs: 60_000 };
const CANARY = /canary/i;
/** Tokens of Kubernetes, and what credentials of STS are called. */
const SECRETS = /eyJ[\w-]{10,}\.[\w-]{10,}|\bASIA[A-Z0-9]{12,}|SessionToken|SecretAccessKey/;
const CANARY_ISSUER = 'https://oidc.eks.eu-north-1.amazonaws.com/id/CANARYCANARYCANARYCANARYCANARY';

const SURFACES = ['status', 'event', 'metric', 'log'] as const;
type Surface = (typeof SURFACES)[number];
/** The log has a line of a binding where something is done for it. */
const WITHOUT_LOG = SURFACES.filter((surface) => surface !== 'log');

/** Everything that is told about the objects of a namespace, by where it is read. */
async function toldIn(s: Scene): Promise<Record<Surface, string[]>> {
  const bindings = await s.list<{ status?: object }>('irsabindings');
  return {
    status: bindings.map(({ status }) => JSON.stringify(status)),
    event: (await s.events()).map(({ reason, note }) => `${reason}: ${note}`),
    metric: (await suite.metrics()).split('\n').filter((line) => line.includes(`namespace="${s.namespace}"`)),
    log: suite.operator.log.filter(({ key }) => String(key).startsWith(`${s.namespace}/`)).map((line) => JSON.stringify(line)),
  };
}

/** One round: what is told to a tenant when everything came to rest. */
async function expectUntold(s: Scene, surfaces: readonly Surface[] = SURFACES): Promise<void> {
  // Whoever is told nothing is told no canary either. Events and metrics follow a status.
  const told = await until(
    `each surface has something of ${s.namespace}`,
    async () => {
      const found = await toldIn(s);
      const silent = surfaces.filter((surface) => found[surface].length === 0);
      if (silent.length > 0) throw new Error(silent.join());
      return found;
    },
    PATIENCE,
  );
  expect(Object.values(told).flatMap((texts) => texts.filter((text) => CANARY.test(text)))).toEqual([]);
}

// Contract: unbound-quotes
test('nothing of another tenant is told to a tenant of the same role, on any surface, whatever becomes of the trust policy', async () => {
  const [mine, canary] = [await suite.scene('tenant'), await suite.scene('canary')];
  const { issuer, aws } = suite.testbed;
  const foreign = [
    allowing(issuer, ['system:serviceaccount:canary:app', 'system:serviceaccount:canary-b:tenant', 'canary:app'], { Sid: 'CanarySid' }),
    allowing(issuer, mine.subject, { Sid: 'CanaryTags' }, { 'aws:ResourceTag/canary': 'canary', 'aws:PrincipalTag/canary': 'x' }),
    allowing(issuer, mine.subject, { Sid: 'CanaryCluster' }, { [`${hostOf(CANARY_ISSUER)}:sub`]: mine.subject }),
    allowing(CANARY_ISSUER, mine.subject, { Sid: 'CanaryProvider' }),
    { Sid: 'CanaryRole', Effect: 'Allow', Principal: { AWS: canary.roleArn }, Action: 'sts:AssumeRole' },
  ];
  aws.account().provider.put({ issuer: CANARY_ISSUER });
  canary.role();
  mine.role(policy(EC2), { tags: { canary: 'canary', 'managed-by': 'terraform-canary' } });
  mine.setTrust(EC2, ...foreign);
  for (const s of [mine, canary]) await s.serviceAccount();
  await mine.grant();
  await canary.grant({ roleArns: [mine.roleArn, canary.roleArn] });

  // Refused: every statement is diagnosed.
  await mine.bind({ mode: 'Observe' });
  await until('it is judged', async () => ((await mine.binding()).status?.findings?.length ?? 0) > 0, PATIENCE);
  await mine.serviceAccount({ [ROLE_ARN]: mine.roleArn }, 'unbound');
  await until('it is audited', async () => (await toldIn(mine)).metric.some((line) => line.includes('"unbound"')), PATIENCE);
  const judged = await toldIn(mine);
  expect([...judged.status, ...judged.event, ...judged.metric, ...judged.log].filter((text) => CANARY.test(text))).toEqual([]);

  // Each canary is shown to its owner, or the test could not fail.
  await canary.bind({ roleArn: mine.roleArn }, 'shared');
  await canary.conditionIs('Ready', 'True', 'Ready', 'shared');
  await canary.serviceAccount({}, 'own');
  await canary.bind({ serviceAccountName: 'own' }, 'own');
  await canary.conditionIs('Ready', 'True', 'Ready', 'own');
  const owners = await toldIn(canary);
  for (const texts of Object.values(owners)) expect(texts.join()).toMatch(CANARY);
  expect(owners.status.join()).toContain(canary.roleArn);
  const shown = mine.trust();
  for (const text of ['CanarySid', hostOf(CANARY_ISSUER), 'aws:ResourceTag/canary', canary.roleArn]) expect(shown).toContain(text);
  const role = aws.account().role.get(mine.roleName);
  expect(JSON.stringify(role?.tags)).toMatch(CANARY);

  // Refused by IAM because of a principal of the other tenant, which those who run the operator read in its log.
  const rejected = new AwsError('MalformedPolicyDocument', 400, `Invalid principal in policy: "AWS":"${canary.roleArn}"`);
  const fault = aws.fault({
    kind: rejected,
    operation: 'UpdateAssumeRolePolicy',
    roleName: mine.roleName,
    times: Number.POSITIVE_INFINITY,
  });
  mine.setTrust(EC2, ...foreign.slice(0, 1));
  await mine.change({ mode: 'Enforce' });
  const { message } = await mine.conditionIs('Trusted', 'False', 'TrustWriteRejected');
  expect(message).toContain('MalformedPolicyDocument: Invalid principal in policy. The log of irsa-operator has the whole answer');
  const lines = suite.operator.log.filter(({ msg, key }) => msg === 'IAM rejected the trust policy' && key === mine.roleArn);
  expect(JSON.stringify(lines)).toContain(canary.roleArn);
  await expectUntold(mine);
  fault.end();

  // Both in one statement, then the other one leaves, and is left as a subject that no binding names.
  mine.setTrust(EC2, ...foreign.slice(3));
  await mine.conditionIs('Ready', 'True', 'Ready');
  await until('both have their trust', () => mine.trust().includes(canary.subject) && mine.stands(), PATIENCE);
  await expectUntold(mine);
  await canary.change({ deletionPolicy: 'Retain' }, 'shared');
  await canary.unbind('shared');
  await canary.gone('shared');
  await until('the orphan is counted', async () => (await mine.findings())?.includes('TrustOrphaned'), PATIENCE);
  await expectUntold(mine);

  // Nor is a token or a credential told to anybody.
  const all = [await toldIn(mine), await toldIn(canary), await suite.metrics(), suite.operator.log];
  expect(JSON.stringify(all)).not.toMatch(SECRETS);
});

// Contract: api-told-after-consent
test('the real path of a role is told only to a tenant whom a grant covers for that path, tags included', async () => {
  const s = await suite.scene('elsewhere');
  const { aws } = suite.testbed;
  const found = { name: s.roleName, path: '/canary/breakglass/', trustPolicy: policy(EC2) };
  const { arn } = aws.account().role.put({ ...found, tags: { owner: 'nobody' } });
  await s.serviceAccount();
  await s.grant();
  await s.bind();

  // As a role that IAM does not have.
  const { message } = await s.conditionIs('Trusted', 'False', 'RoleNotFound');
  expect(message).toBe(`IAM has no role "${s.roleArn}". Create it, or correct the ARN (path and case count)`);
  await expectUntold(s, WITHOUT_LOG);
  await s.change({ mode: 'Observe' });
  await s.conditionIs('Trusted', 'False', 'RoleNotFound');
  await expectUntold(s, WITHOUT_LOG);

  // Where tags are required, as a role without them.
  await s.loseGrant();
  await s.grant({ requiredRoleTags: { owner: 'tenant' } });
  await s.conditionIs('Authorized', 'False', 'NotGranted');
  await expectUntold(s, WITHOUT_LOG);
  await s.grant({ roleArns: [arn], requiredRoleTags: { owner: 'tenant' } }, `${s.namespace}-other`);
  await suite.secondLook();
  await s.conditionIs('Authorized', 'False', 'NotGranted');
  await expectUntold(s, WITHOUT_LOG);

  // The owner of the other role consents.
  aws.account().role.setTags(s.roleName, { owner: 'tenant' });
  const told = await s.conditionIs('Trusted', 'False', 'RoleArnMismatch');
  expect(told.message).toContain(arn);
  expect(s.trust()).not.toContain('oidc');
});

// Contract: api-told-after-consent
test('what AWS says of a call that it denies is in the log, and in no status', async () => {
  const s = await suite.scene('denied');
  const { aws } = suite.testbed;
  const words =
    'User: arn:aws:sts::111122223333:assumed-role/canary-operator/x is not authorized on arn:aws:iam::111122223333:role/canary/app';
  const kind = new AwsError('AccessDenied', 403, words);
  const fault = aws.fault({ kind, operation: 'GetRole', roleName: s.roleName, times: Number.POSITIVE_INFINITY });
  await s.serviceAccount();
  await s.grant();
  await s.bind();
  const { message } = await s.conditionIs('Trusted', 'False', 'RoleAccessDenied');
  expect(message).toBe(`iam:GetRole of role "${s.roleArn}": AccessDenied, see the log of irsa-operator`);
  await expectUntold(s, WITHOUT_LOG);
  expect(JSON.stringify(suite.operator.log.filter(({ role }) => role === s.roleArn))).toContain(words);
  fault.end();
});
