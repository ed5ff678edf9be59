import { describe, expect, test } from 'vitest';
import type { AccountId } from '../../api/arn.ts';
import type { Container, ServiceAccount, Workload } from '../../api/cluster.ts';
import { EKS_ANNOTATIONS } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { parseDocument } from '../../trust/document/document.ts';
import { podOf, statefulSet, template, workload } from '../test-cluster.ts';
import { ARN, arn, ISSUER, NOW, OTHER_ARN, own, policy, present, provider, SERVICE, SUBJECT, serviceAccount } from '../test-observed.ts';
import { fixesOf, type Reach } from './fixes.ts';
import { judge } from './judge.ts';
import { type CheckSeen, read, unread } from './seen.ts';
import { word } from './shell.ts';
import { app, appPod, checkSeen, statement, webhook } from './test-seen.ts';

const { roleArn: ROLE, audience: AUDIENCE } = EKS_ANNOTATIONS;
const reach: Reach = { kubectl: [], aws: [], check: ['npx', 'irsa-operator', 'check', '-n', 'shop', 'deploy/app'] };
const fixesFor = (part: Partial<CheckSeen>, by = reach) => {
  const seen = checkSeen(part);
  return fixesOf(seen, judge(seen), by);
};
const commands = (part: Partial<CheckSeen>, by = reach) => {
  const { kubectl, aws, restarts } = fixesFor(part, by);
  return [...kubectl, ...aws, ...restarts];
};

const account = (annotations: Record<string, string>, part: Partial<ServiceAccount> = {}) =>
  read({ ...serviceAccount(annotations, 'kubectl'), ...part });
const early = { containers: [{ name: 'app', env: {}, mountsToken: false }], tokenAudience: undefined, tokenExpirationSeconds: undefined };
const earlyPod = read([appPod(early)]);
const trust = (...statements: readonly object[]) => read(present({ policy: policy(SERVICE, ...statements) }));
const missing = (foundAs?: string): CheckSeen['role'] => {
  const other = foundAs === undefined ? undefined : { arn: foundAs, tags: new Map() };
  return read({ arn: ARN, asOf: NOW, state: { kind: 'missing', since: NOW, foundAs: other } });
};
const [whole] = appPod().containers as readonly [Container];

const ANNOTATE = 'kubectl -n shop annotate serviceaccount app --overwrite';
const RESTART = 'kubectl -n shop rollout restart deployment/app';
const DELETE = 'kubectl -n shop delete pod';
const SET_ENV = 'kubectl -n shop set env deployment/app -c app';
const PROVIDER = 'arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABCD';
const UPDATE = [
  'npx irsa-operator check -n shop deploy/app --print trust > trust.json',
  'aws iam update-assume-role-policy --role-name app --policy-document file://trust.json',
];
const awsRole = arn('arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX');
const stranger = { kind: 'known', account: '444455556666' as AccountId, arn: 'arn:aws:iam::444455556666:user/jane', ownRoles: [] } as const;

/** A pod without the role at revision `db-1`, of a StatefulSet that is at another one. */
const onStatefulSet = (held: Workload['held'], revision: string): Partial<CheckSeen> => ({
  pods: read([podOf(statefulSet, 'db-0', { ...early, labels: { 'controller-revision-hash': 'db-1' } })]),
  workloads: read([workload({ kind: 'StatefulSet', name: 'db', uid: 'stateful-set', held, revision })]),
});
/** A pod with the role, and these variables of its template. */
const withEnv = (env: Container['env']): Partial<CheckSeen> => ({
  pods: read([appPod({ containers: [{ ...whole, env: { ...whole.env, ...env } }] })]),
  workloads: read([{ ...app, template: template({ name: 'app', env }) }]),
});

const rows: Record<string, [seen: Partial<CheckSeen>, commands: readonly string[]]> = {
  'nothing, where nothing is wrong': [{}, []],
  'a ServiceAccount': [{ serviceAccount: read(undefined), pods: read([]) }, ['kubectl -n shop create serviceaccount app']],
  'a ServiceAccount, its annotation where the role is said, and a restart of what waits for it': [
    {
      serviceAccount: read(undefined),
      pods: read([]),
      roleArn: ARN,
      workloads: read([app, workload({ name: 'other', serviceAccountName: 'other' }), workload({ name: 'off', replicas: 0 })]),
    },
    ['kubectl -n shop create serviceaccount app', `${ANNOTATE} ${ROLE}=${ARN}`, RESTART],
  ],
  'the annotation, and a restart of the pods that it comes too late for': [
    { serviceAccount: account({}), roleArn: ARN, pods: earlyPod },
    [`${ANNOTATE} ${ROLE}=${ARN}`, RESTART],
  ],
  'nothing, where nobody says which role it is': [{ serviceAccount: account({}), pods: earlyPod }, []],
  'the annotation, and no restart of pods that have the role already': [
    { serviceAccount: account({ [ROLE]: 'app' }), roleArn: ARN },
    [`${ANNOTATE} ${ROLE}=${ARN}`],
  ],
  'the role in place of another one, which pods still have': [
    {
      serviceAccount: account({ [ROLE]: ARN }),
      roleArn: OTHER_ARN,
      role: read({ ...present({ policy: policy(statement()) }), arn: OTHER_ARN }),
    },
    [`${ANNOTATE} ${ROLE}=${OTHER_ARN}`, RESTART],
  ],
  'the right key in place of a misspelt one': [
    { serviceAccount: account({}, { misspelt: ['eks.amazon.com/role-arn'] }), roleArn: ARN, pods: earlyPod },
    [`${ANNOTATE} eks.amazon.com/role-arn- ${ROLE}=${ARN}`, RESTART],
  ],
  'nothing that would lose the value of a misspelt key, where the role is not said': [
    { serviceAccount: account({}, { misspelt: ['eks.amazon.com/role-arn'] }), pods: earlyPod },
    [],
  ],
  'nothing of a misspelt key beside the right one, which works': [
    { serviceAccount: account({ [ROLE]: ARN }, { misspelt: ['eks.amazon.com/role-arn'] }) },
    [],
  ],
  'nothing of a ServiceAccount that may not be read': [{ serviceAccount: unread('forbidden'), roleArn: ARN }, []],
  'the path that IAM has': [
    { role: missing('arn:aws:iam::111122223333:role/app') },
    [`${ANNOTATE} ${ROLE}=arn:aws:iam::111122223333:role/app`, RESTART],
  ],
  'no annotation of a role that does not exist': [{ role: missing(), serviceAccount: account({}), roleArn: ARN, pods: earlyPod }, []],
  'the audience, by leaving it to the webhook': [
    { serviceAccount: account({ [ROLE]: ARN, [AUDIENCE]: '' }) },
    [`${ANNOTATE} ${AUDIENCE}-`],
  ],
  'an audience of the API server, which no new pod should get': [
    {
      serviceAccount: account({ [ROLE]: ARN, [AUDIENCE]: 'https://kubernetes.default.svc' }),
      pods: read([appPod({ tokenAudience: 'https://kubernetes.default.svc' })]),
    },
    [`${ANNOTATE} ${AUDIENCE}-`, RESTART],
  ],
  'no audience, where the API server takes that of STS': [
    { apiAudiences: ['sts.amazonaws.com'], serviceAccount: account({ [ROLE]: ARN, [AUDIENCE]: 'sts.amazonaws.com' }), pods: earlyPod },
    [],
  ],
  'the OIDC provider': [
    { provider: read({ kind: 'missing', similar: [] }) },
    [`aws iam create-open-id-connect-provider --url ${ISSUER} --client-id-list sts.amazonaws.com`],
  ],
  'the right OIDC provider beside one that is nearly it': [
    { provider: read({ kind: 'missing', similar: ['oidc.eks.eu-west-1.amazonaws.com/id/ABCD/'] }) },
    [`aws iam create-open-id-connect-provider --url ${ISSUER} --client-id-list sts.amazonaws.com`],
  ],
  'the audience of the provider': [
    { provider: read({ ...provider, clientIds: ['other'] }) },
    [`aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${PROVIDER} --client-id sts.amazonaws.com`],
  ],
  'nothing of an issuer that AWS cannot reach': [{ cluster: unread('x'), notPublic: 'x', provider: unread('x') }, []],
  'nothing in an account that these credentials do not reach': [{ caller: read(stranger), role: unread('x'), provider: unread('x') }, []],
  'the trust policy': [{ role: trust() }, UPDATE],
  'provider and trust policy, in their order': [
    { role: trust(), provider: read({ kind: 'missing', similar: [] }) },
    [`aws iam create-open-id-connect-provider --url ${ISSUER} --client-id-list sts.amazonaws.com`, ...UPDATE],
  ],
  'nothing of a trust policy that denies': [{ role: trust(statement(), statement(SUBJECT, { Effect: 'Deny' })) }, []],
  'nothing of a trust policy that IAM rejects because of a deleted principal': [
    { role: trust({ ...SERVICE, Principal: { AWS: 'AROAEXAMPLEEXAMPLE123' } }) },
    [],
  ],
  'nothing of a trust policy that IAM rejects because of a shared provider': [
    {
      role: trust({
        Effect: 'Allow',
        Principal: { Federated: 'arn:aws:iam::111122223333:oidc-provider/gitlab.com' },
        Action: 'sts:AssumeRoleWithWebIdentity',
      }),
    },
    [],
  ],
  'nothing of a trust policy that is no JSON': [{ role: read(present({ policy: '{' })) }, []],
  'nothing of a trust policy without room': [{ role: trust(), quota: 100 }, []],
  'nothing of a trust policy whose Sid is taken': [{ role: trust({ ...own(), Action: 'sts:AssumeRole' }) }, []],
  'nothing of a role that only AWS may change': [
    {
      serviceAccount: account({ [ROLE]: awsRole }),
      role: read({ ...present({ policy: policy(SERVICE) }), arn: awsRole }),
      pods: read([]),
    },
    [],
  ],
  'a restart': [{ pods: earlyPod }, [RESTART]],
  'a restart for many pods': [{ pods: read([appPod(early), appPod(early, 'app-2')]) }, [RESTART]],
  'a restart of what lacks the role, and not of what has it': [
    {
      pods: read([appPod(), podOf(statefulSet, 'db-0', early)]),
      workloads: read([app, workload({ kind: 'StatefulSet', name: 'db', uid: 'stateful-set' })]),
    },
    ['kubectl -n shop rollout restart statefulset/db'],
  ],
  'a restart of a StatefulSet, and the pod that it would wait for': [
    {
      pods: read([podOf(statefulSet, 'db-0', early), podOf(statefulSet, 'db-1', { ...early, ready: false })]),
      workloads: read([workload({ kind: 'StatefulSet', name: 'db', uid: 'stateful-set' })]),
    },
    ['kubectl -n shop rollout restart statefulset/db', `${DELETE} db-1`],
  ],
  'the template of a StatefulSet, and the pod that it would wait for': [
    {
      pods: read([
        podOf(statefulSet, 'db-0', {
          ...early,
          ready: false,
          containers: [{ name: 'app', env: { AWS_ROLE_ARN: ARN }, mountsToken: false }],
        }),
      ]),
      workloads: read([
        workload({ kind: 'StatefulSet', name: 'db', uid: 'stateful-set', template: template({ name: 'app', env: { AWS_ROLE_ARN: ARN } }) }),
      ]),
    },
    ['kubectl -n shop set env statefulset/db -c app AWS_ROLE_ARN-', `${DELETE} db-0`],
  ],
  'no restart while no webhook reaches new pods': [{ pods: earlyPod, webhooks: read([]) }, []],
  'no restart while the webhook does not select them': [
    { pods: earlyPod, webhooks: read([webhook({ objectSelector: { matchLabels: { irsa: 'yes' }, matchExpressions: [] } })]) },
    [],
  ],
  'no restart of pods that are going, or gone': [
    { pods: read([appPod({ ...early, deleting: true }), appPod({ ...early, finished: true }, 'app-2')]) },
    [],
  ],
  'no restart of what nothing makes again, or repeats its work': [
    { pods: read([appPod({ ...early, owner: { kind: 'Job', name: 'import', uid: 'job' } }), appPod({ ...early, owner: undefined }, 'b')]) },
    [],
  ],
  'no restart of a static pod': [{ pods: read([appPod({ ...early, mirror: true })]) }, []],
  'the pods of a ReplicaSet that stands alone, which kubectl does not restart': [
    { pods: read([appPod({ ...early, labels: {} }), appPod({ ...early, labels: {} }, 'app-2')]) },
    [`${DELETE} app-1`, `${DELETE} app-2`],
  ],
  'the pods of what only has the name of a kind that kubectl restarts': [
    { pods: read([podOf(statefulSet, 'db-0', early)]), workloads: read([app]) },
    [`${DELETE} db-0`],
  ],
  'a restart of a Deployment that may not be read, by the name that its ReplicaSet has': [
    { pods: earlyPod, workloads: unread('forbidden') },
    [RESTART],
  ],
  'the pods of a ReplicaSet that has no such name': [
    { pods: read([appPod({ ...early, labels: {} })]), workloads: unread('forbidden') },
    [`${DELETE} app-1`],
  ],
  'the pod of a paused Deployment, which kubectl does not restart': [
    { pods: earlyPod, workloads: read([{ ...app, held: 'paused' }]) },
    [`${DELETE} app-1`],
  ],
  'nothing of a paused Deployment with a newer template': [
    { pods: earlyPod, workloads: read([{ ...app, held: 'paused', outdated: true }]) },
    [],
  ],
  'the pod of a StatefulSet with a partition, which a restart does not reach': [onStatefulSet('partition', 'db-1'), [`${DELETE} db-0`]],
  'the pod of a StatefulSet that is updated by deletion': [onStatefulSet('OnDelete', 'db-1'), [`${DELETE} db-0`]],
  'nothing of a StatefulSet whose owner holds a newer revision back': [onStatefulSet('OnDelete', 'db-2'), []],
  'a template that has access keys': [
    withEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }),
    [`${SET_ENV} AWS_ACCESS_KEY_ID- AWS_SECRET_ACCESS_KEY-`],
  ],
  'no template whose access keys do not count': [withEnv({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: undefined }), []],
  'no template that has access keys, where the role would not work': [
    { ...withEnv({ AWS_ACCESS_KEY_ID: undefined }), role: unread('forbidden') },
    [],
  ],
  'no template that has access keys, where the role is not fixed by a command': [
    { ...withEnv({ AWS_ACCESS_KEY_ID: undefined }), role: trust(statement(SUBJECT, { Effect: 'Deny' }), statement()) },
    [],
  ],
  'a template that has access keys, after the trust policy': [
    { ...withEnv({ AWS_ACCESS_KEY_ID: undefined }), role: trust() },
    [...UPDATE, `${SET_ENV} AWS_ACCESS_KEY_ID-`],
  ],
  'a template that has access keys, and no restart beside it': [
    {
      ...withEnv({ AWS_ACCESS_KEY_ID: undefined }),
      pods: read([appPod({ ...early, containers: [{ name: 'app', env: { AWS_ACCESS_KEY_ID: undefined }, mountsToken: false }] })]),
    },
    [`${SET_ENV} AWS_ACCESS_KEY_ID-`],
  ],
  'no template of a Deployment that is held': [
    { ...withEnv({ AWS_ACCESS_KEY_ID: undefined }), workloads: read([{ ...app, held: 'paused' }]) },
    [],
  ],
  'no template for access keys that another webhook adds to the pod': [
    { ...withEnv({ AWS_ACCESS_KEY_ID: undefined }), workloads: read([app]) },
    [],
  ],
  'a template that names a role and no token': [
    {
      pods: read([appPod({ ...early, containers: [{ name: 'app', env: { AWS_ROLE_ARN: ARN }, mountsToken: false }] })]),
      workloads: read([{ ...app, template: template({ name: 'app', env: { AWS_ROLE_ARN: ARN } }) }]),
    },
    [`${SET_ENV} AWS_ROLE_ARN-`],
  ],
  'a template with the label that the webhook skips': [
    { pods: read([appPod({ ...early, labels: { 'pod-template-hash': '5d9c', 'eks.amazonaws.com/skip-pod-identity-webhook': '' } })]) },
    [
      `kubectl -n shop patch deployment/app -p '{"spec":{"template":{"metadata":{"labels":{"eks.amazonaws.com/skip-pod-identity-webhook":null}}}}}'`,
    ],
  ],
  'a template whose every container is skipped': [
    { pods: read([appPod({ ...early, annotations: { 'eks.amazonaws.com/skip-containers': 'app' } })]) },
    [
      `kubectl -n shop patch deployment/app -p '{"spec":{"template":{"metadata":{"annotations":{"eks.amazonaws.com/skip-containers":null}}}}}'`,
    ],
  ],
};

describe('what fixes it:', () => {
  for (const [sentence, [seen, wanted]] of Object.entries(rows)) test(sentence, () => expect(commands(seen)).toEqual(wanted));
});

test('the commands reach the cluster and the account that were checked', () => {
  const by = {
    kubectl: ['--context', 'arn:aws:eks:eu-west-1:111122223333:cluster/blue'],
    aws: ['--profile', "jane's"],
    check: ['kubectl', 'irsa', 'check', 'sa/app', '--profile', "jane's"],
  };
  const seen: Partial<CheckSeen> = {
    serviceAccount: account({}),
    roleArn: ARN,
    pods: earlyPod,
    role: trust(),
    provider: read({ kind: 'missing', similar: [] }),
  };
  expect(commands(seen, by)).toEqual([
    `kubectl --context arn:aws:eks:eu-west-1:111122223333:cluster/blue -n shop annotate serviceaccount app --overwrite ${ROLE}=${ARN}`,
    `aws iam create-open-id-connect-provider --profile 'jane'\\''s' --url ${ISSUER} --client-id-list sts.amazonaws.com`,
    `kubectl irsa check sa/app --profile 'jane'\\''s' --print trust > trust.json`,
    `aws iam update-assume-role-policy --profile 'jane'\\''s' --role-name app --policy-document file://trust.json`,
    'kubectl --context arn:aws:eks:eu-west-1:111122223333:cluster/blue -n shop rollout restart deployment/app',
  ]);
});

test('outside of the partition aws, IAM is found by a region', () => {
  const role = arn('arn:aws-cn:iam::111122223333:role/app');
  const seen: Partial<CheckSeen> = {
    serviceAccount: account({ [ROLE]: role }),
    caller: read({ ...stranger, account: '111122223333' as AccountId, arn: 'arn:aws-cn:iam::111122223333:user/jane' }),
    role: read({ ...present({ policy: policy(SERVICE) }), arn: role }),
    pods: read([]),
  };
  const by = { ...reach, aws: ['--profile', 'cn'], region: 'cn-north-1' };
  const update = 'aws iam update-assume-role-policy --profile cn --region cn-north-1 --role-name app --policy-document file://trust.json';
  expect(commands(seen, by).at(-1)).toBe(update);
  expect(commands({ role: trust() }, by).at(-1)).toBe(update.replace(' --region cn-north-1', ''));
});

describe('a word of a shell', () => {
  const words: Record<string, string> = {
    'deploy/app': 'deploy/app',
    'user@eks.eu-west-1': 'user@eks.eu-west-1',
    'a b': "'a b'",
    '$(rm -rf x)': "'$(rm -rf x)'",
    "it's": `'it'\\''s'`,
    '': "''",
    '~': "'~'",
    'a;b': "'a;b'",
    'a\nb': "'a\nb'",
    rôle: "'rôle'",
    '*': "'*'",
  };
  for (const [text, quoted] of Object.entries(words)) test(JSON.stringify(text), () => expect(word(text)).toBe(quoted));
});

describe('the trust policy that is printed', () => {
  const wrong = statement('system:serviceaccount: shop:app');
  const { trust: printed = '', terraform } = fixesFor({ role: trust(wrong) });
  test('keeps every statement, adds one, and makes STS accept the ServiceAccount', () => {
    const { Statement: statements } = JSON.parse(printed) as { Statement: object[] };
    expect(statements).toEqual([SERVICE, wrong, own()]);
    expect(isProblem(parseDocument(printed))).toBe(false);
    expect(judge(checkSeen({ role: read(present({ policy: printed })) })).steps.every(({ state }) => state === 'ok')).toBe(true);
  });
  test('is the same in Terraform', () => {
    expect(terraform.join('\n')).toBe(`statement {
  actions = ["sts:AssumeRoleWithWebIdentity"]
  principals {
    type        = "Federated"
    identifiers = ["${PROVIDER}"]
  }
  condition {
    test     = "StringEquals"
    variable = "oidc.eks.eu-west-1.amazonaws.com/id/ABCD:sub"
    values   = ["${SUBJECT}"]
  }
  condition {
    test     = "StringEquals"
    variable = "oidc.eks.eu-west-1.amazonaws.com/id/ABCD:aud"
    values   = ["sts.amazonaws.com"]
  }
}`);
  });
  test('is none where the trust is right', () => {
    const { trust: none, terraform: hcl } = fixesFor({});
    expect([none, hcl]).toEqual([undefined, []]);
  });
});
