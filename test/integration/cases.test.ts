import { until } from '@irsa-operator/testbed';
import { expect, test } from 'vitest';
import { allowing, EC2, hostOf, policy, providerOf, statementsIn } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ACCOUNT, ROLE_ARN } from '../harness/views.ts';

/** Faults that people who do this job reported in public, each as what they had, and what a good operator says or does. */
const suite = integrationSuite({ grant: {} });
const PATIENCE = { timeoutMs: 60_000 };
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const VALUE = `object.metadata.annotations["${ROLE_ARN}"]`;

/** A policy of the platform that puts the name of the cluster behind every role, in the request itself. */
async function appendsCluster(s: Scene): Promise<void> {
  const name = `append-${s.namespace}`;
  const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['serviceaccounts'] }];
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': s.namespace } };
  const asks = `has(object.metadata.annotations) && "${ROLE_ARN}" in object.metadata.annotations && !${VALUE}.endsWith("-blue")`;
  const expression = `Object{metadata: Object.metadata{annotations: {"${ROLE_ARN}": ${VALUE} + "-blue"}}}`;
  await suite.api.call('POST', `${ADMISSION}/mutatingadmissionpolicies`, {
    body: {
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        matchConstraints: { namespaceSelector, resourceRules },
        matchConditions: [{ name: 'asks-for-a-role', expression: asks }],
        mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
      },
    },
  });
  await suite.api.call('POST', `${ADMISSION}/mutatingadmissionpolicybindings`, {
    body: { metadata: { name }, spec: { policyName: name } },
  });
}

/** The policy is in force some seconds after it was made. */
async function inForce(s: Scene): Promise<void> {
  const at = s.path('serviceaccounts', 'probe?dryRun=All');
  await s.put('serviceaccounts', 'probe', { metadata: { name: 'probe' } });
  await until(
    'the policy is in force',
    async () => {
      const body = { metadata: { annotations: { [ROLE_ARN]: 'arn:aws:iam::111122223333:role/x' } } };
      const { metadata } = await suite.api.call<{ metadata: { annotations: Record<string, string> } }>('PATCH', at, {
        patch: 'merge',
        body,
      });
      return metadata.annotations[ROLE_ARN]?.endsWith('-blue') === true;
    },
    PATIENCE,
  );
}

// Contract: annotate-own-request
test('06, a policy rewrites the annotation in our own request: it is said with the value that stands, soon with the cause, and nothing freezes', async () => {
  const s = await suite.scene('rewritten');
  s.role(policy(EC2));
  await appendsCluster(s);
  await inForce(s);
  await s.serviceAccount();
  await s.bind();
  const annotated = await s.conditionIs('Annotated', 'False', 'Contended');
  expect(annotated.message).toContain(`${s.roleArn}-blue`);
  expect(annotated.message).toMatch(/^a mutating webhook or policy keeps overwriting/);
  expect(await s.condition('Ready')).toMatchObject({ status: 'False' });
  // The trust was written, and the status says so.
  await s.conditionIs('Trusted', 'True', 'AllowedByOperator');
  // What changes later is told all the same.
  suite.testbed.aws.account().provider.delete(suite.testbed.issuer);
  await s.conditionIs('ProviderReady', 'False', 'OidcProviderMissing');
  suite.testbed.aws.account().provider.put({ issuer: suite.testbed.issuer, clientIds: ['sts.amazonaws.com'] });
  await s.conditionIs('ProviderReady', 'True');
  await s.lookAgain();
});

const PERIMETER = {
  Sid: 'Perimeter',
  Effect: 'Deny',
  Principal: { AWS: '*' },
  Action: ['sts:AssumeRole', 'sts:AssumeRoleWithSAML', 'sts:AssumeRoleWithWebIdentity'],
  Condition: {
    BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
    StringNotEqualsIfExists: { 'aws:PrincipalOrgID': 'o-exampleorgid' },
  },
};

const perimeters: Record<string, boolean> = { 'without an Allow': false, 'beside an Allow': true };
// Contract: trust-deny
for (const [sentence, isAllowed] of Object.entries(perimeters))
  test(`07, a perimeter denies whatever carries no key of a principal, ${sentence}: nothing is written, and both keys are named`, async () => {
    const s = await suite.prepared(isAllowed ? 'perimeter-allow' : 'perimeter');
    s.setTrust(EC2, PERIMETER, ...(isAllowed ? [allowing(suite.testbed.issuer, s.subject)] : []));
    const before = s.trust();
    await s.bind();
    const { message } = await s.conditionIs('Trusted', 'False', 'TrustExplicitDeny');
    expect(message).toContain('statement 2 denies this token');
    expect(message).toContain('BoolIfExists on "aws:PrincipalIsAWSService" and StringNotEqualsIfExists on "aws:PrincipalOrgID" hold');
    await s.conditionIs('Stalled', 'True');
    await suite.secondLook();
    expect(s.trust()).toBe(before);
  });

// Contract: trust-slips
test('16, a placeholder was left before the claim: it is named, and is no obstacle', async () => {
  const s = await suite.prepared('placeholder');
  const { issuer } = suite.testbed;
  const pods = {
    Sid: 'PodIdentity',
    Effect: 'Allow',
    Principal: { Service: 'pods.eks.amazonaws.com' },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
  };
  const keys = { 'oidc-provider:sub': s.subject, 'oidc-provider:aud': 'sts.amazonaws.com' };
  const irsa = {
    Sid: 'IRSA',
    Effect: 'Allow',
    Principal: { Federated: providerOf(issuer) },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: keys },
  };
  s.setTrust(pods, irsa);
  await s.bind({ mode: 'Observe' });
  const { message } = await s.conditionIs('Trusted', 'False', 'TrustConditionKeyMalformed');
  expect(message).toContain(
    `has the condition key "oidc-provider:sub" ("oidc-provider" is not an issuer). No request has this key. Wanted: "${hostOf(issuer)}:sub"`,
  );
  await s.change({ mode: 'Enforce' });
  await s.conditionIs('Trusted', 'True', 'AllowedByOperator');
  const [sent] = suite.testbed.aws.journal.filter(({ params }) => params['RoleName'] === s.roleName && 'PolicyDocument' in params);
  expect(statementsIn(sent?.params['PolicyDocument'] ?? '').slice(0, 2)).toEqual([pods, irsa]);
});

// Contract: trust-full-names
test('five dead clusters fill a policy: they are named before a higher quota', async () => {
  const s = await suite.prepared('full');
  const dead = ['a', 'b', 'c', 'd', 'e'].map((id) =>
    allowing(`https://oidc.eks.us-east-1.amazonaws.com/id/${id.repeat(32).toUpperCase()}`, s.subject, { Sid: `Dead${id}` }),
  );
  s.setTrust(...dead);
  const before = s.trust();
  await s.bind();
  const says = async () => {
    const { message } = await s.conditionIs('Trusted', 'False', 'TrustPolicyTooLarge');
    return message.includes(
      'First remove what no cluster uses: statements 1, 2, 3, 4, 5 (their OIDC providers do not exist in the account). Or ask AWS',
    );
  };
  await until('it says what could be removed', says, PATIENCE);
  const { message } = await s.conditionIs('Ready', 'False');
  expect(message).toContain('Remove what no cluster uses from the trust policy, ask AWS for a higher quota, or bind another role');
  expect(s.trust()).toBe(before);
  // Their owner takes two of them out, and there is room.
  s.setTrust(...dead.slice(2));
  await s.conditionIs('Trusted', 'True', 'AllowedByOperator');
});

// Contract: bad-names
test('18, a name was cut in IAM and not in the annotation: its length is said, and the limit', async () => {
  const s = await suite.prepared('cut');
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/${'n'.repeat(79)}`;
  const what = 'the name of the role has 79 characters, and IAM allows 64. Shorten it';
  await expect(s.bind({ roleArn })).rejects.toThrow(what);
  s.setTrust(allowing(suite.testbed.issuer, s.subject));
  await s.annotate({ [ROLE_ARN]: roleArn });
  await s.bind({ mode: 'Observe', trustPolicy: 'External' });
  const { message } = await s.conditionIs('Annotated', 'False', 'AnnotationMalformed');
  expect(message).toContain(`"${roleArn}": ${what}`);
});
