import { describe, expect, test } from 'vitest';
import type { AccountId } from '../../api/arn.ts';
import type { Container, ServiceAccount } from '../../api/cluster.ts';
import type { FindingCode } from '../../api/finding.ts';
import { EKS_ANNOTATIONS } from '../../api/names.ts';
import { EKS_WEBHOOK } from '../../api/webhook.ts';
import type { RoleRecord } from '../state/role-record.ts';
import { workload } from '../test-cluster.ts';
import { ARN, arn, ISSUER, NOW, OTHER_ARN, own, policy, present, provider, SERVICE, SUBJECT, serviceAccount } from '../test-observed.ts';
import { exitCodeOf, judge, STEP_NAMES } from './judge.ts';
import { type CheckSeen, read, unread } from './seen.ts';
import { app, appPod, checkSeen, statement, webhook } from './test-seen.ts';

const { roleArn: ROLE, audience: AUDIENCE } = EKS_ANNOTATIONS;
const account = (annotations: Record<string, string>, part: Partial<ServiceAccount> = {}) =>
  read({ ...serviceAccount(annotations, 'kubectl'), ...part });
const missing = (foundAs?: string): CheckSeen['role'] => {
  const other = foundAs === undefined ? undefined : { arn: foundAs, tags: new Map() };
  return read<RoleRecord>({ arn: ARN, asOf: NOW, state: { kind: 'missing', since: NOW, foundAs: other } });
};
const trust = (...statements: readonly object[]) => read(present({ policy: policy(SERVICE, ...statements) }));
const limited = { Condition: { ...conditionOf(statement()), IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } };
const [whole] = appPod().containers as readonly [Container];
const withEnv = (env: Container['env']) => appPod({ containers: [{ ...whole, env: { ...whole.env, ...env } }] });
/** Made before there was a role to inject. */
const early = { containers: [{ name: 'app', env: {}, mountsToken: false }], tokenAudience: undefined, tokenExpirationSeconds: undefined };
const podIdentity = {
  ...early,
  containers: [{ name: 'app', env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined }, mountsToken: false }],
};
const oddRole = arn("arn:aws:iam::111122223333:role/it's/$(a):b/app");
const awsRole = arn('arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX');
const why = 'may not be read';
const noAws = { caller: unread(why), role: unread(why), provider: unread(why) };
const stranger = { kind: 'known', account: '444455556666' as AccountId, arn: 'arn:aws:iam::444455556666:user/jane', ownRoles: [] } as const;
const notPublic = 'AWS cannot use the issuer "https://kubernetes.default.svc": names under ".svc" are not public';

function conditionOf(one: object): object {
  return (one as { Condition: object }).Condition;
}

interface Row {
  readonly seen: Partial<CheckSeen>;
  /** A letter for each step, in their order: ok, FAIL, ? (not read), - (skipped). */
  readonly steps: string;
  readonly codes?: readonly FindingCode[];
  readonly notes?: readonly FindingCode[];
  /** Of the first step that is not ok. */
  readonly says?: string;
}

const rows: Record<string, Row> = {
  'all is right': { seen: {}, steps: 'oooooo' },
  'an operator wrote the trust, for others too, whose bindings nobody read': {
    seen: { role: trust(own([SUBJECT, 'system:serviceaccount:shop:other'])) },
    steps: 'oooooo',
  },

  // The ServiceAccount and its annotations
  'there is no ServiceAccount': {
    seen: { serviceAccount: read(undefined), pods: read([]) },
    steps: 'F-o---',
    codes: ['ServiceAccountMissing'],
    says: 'ServiceAccount "app" does not exist in namespace "shop". Create it, or correct serviceAccountName of the workload',
  },
  'there is no ServiceAccount, and --role-arn: the rest is judged': {
    seen: { serviceAccount: read(undefined), pods: read([]), roleArn: ARN },
    steps: 'F-oooo',
    codes: ['ServiceAccountMissing'],
  },
  'there is no annotation': {
    seen: { serviceAccount: account({}), pods: read([appPod(early)]) },
    steps: 'oFo---',
    codes: ['AnnotationMissing'],
    says: 'ServiceAccount "app" has no annotation eks.amazonaws.com/role-arn, so its pods get no role. Which role it needs is not known. Name it with --role-arn to check the rest',
  },
  'there is no annotation, and roles trust it: they are proposed': {
    seen: { serviceAccount: account({}), trusting: [ARN, OTHER_ARN] },
    steps: 'oFo---',
    codes: ['AnnotationMissing'],
    says: `ServiceAccount "app" has no annotation eks.amazonaws.com/role-arn, so its pods get no role. The trust policy of "${ARN}", "${OTHER_ARN}" allows it. If that is the role, name it with --role-arn`,
  },
  'there is no annotation, and --role-arn': {
    seen: { serviceAccount: account({}), roleArn: ARN, pods: read([appPod(early)]) },
    steps: 'oFoooF',
    codes: ['AnnotationMissing', 'PodCredentialsMissing'],
    says: `ServiceAccount "app" has no annotation eks.amazonaws.com/role-arn. Wanted: "${ARN}"`,
  },
  'the annotation is empty': { seen: { serviceAccount: account({ [ROLE]: '' }) }, steps: 'oFo---', codes: ['AnnotationMissing'] },
  'the annotation is no ARN': {
    seen: { serviceAccount: account({ [ROLE]: `${ARN} ` }) },
    steps: 'oFo---',
    codes: ['AnnotationMalformed'],
    says: `ServiceAccount "app": annotation eks.amazonaws.com/role-arn: "${ARN} " is not the ARN of a role: there is white space around it. Wanted: "arn:aws:iam::<12 digits>:role/<path and name>"`,
  },
  'the annotation is no ARN, and --role-arn': {
    seen: { serviceAccount: account({ [ROLE]: 'app' }), roleArn: ARN },
    steps: 'oFoooo',
    codes: ['AnnotationMalformed'],
    says: `ServiceAccount "app": annotation eks.amazonaws.com/role-arn: "app" is not the ARN of a role: it does not have the form of one. Wanted: "arn:aws:iam::<12 digits>:role/<path and name>". The role that is meant is "${ARN}"`,
  },
  'the key is misspelt': {
    seen: { serviceAccount: account({}, { misspelt: ['eks.amazon.com/role-arn'] }) },
    steps: 'oFo---',
    codes: ['AnnotationKeyMisspelt'],
    says: 'the webhook does not read the annotation "eks.amazon.com/role-arn". Wanted: "eks.amazonaws.com/role-arn". Rename it, and restart the pods',
  },
  'the key is misspelt, and --role-arn: it is said once': {
    seen: { serviceAccount: account({}, { misspelt: ['eks.amazon.com/role-arn'] }), roleArn: ARN },
    steps: 'oFoooo',
    codes: ['AnnotationKeyMisspelt'],
  },
  'a misspelt key is beside the right one': {
    seen: { serviceAccount: account({ [ROLE]: ARN }, { misspelt: ['eks.amazon.com/role-arn'] }) },
    steps: 'oooooo',
    notes: ['AnnotationKeyMisspelt'],
  },
  'the annotation names another role than --role-arn': {
    seen: { serviceAccount: account({ [ROLE]: OTHER_ARN }), roleArn: ARN },
    steps: 'oFoooo',
    codes: ['AnnotationRoleMismatch'],
  },
  'the annotation of the audience is empty': {
    seen: { serviceAccount: account({ [ROLE]: ARN, [AUDIENCE]: '' }) },
    steps: 'oFoooo',
    codes: ['AudienceAnnotationMismatch'],
    says: 'ServiceAccount "app": annotation eks.amazonaws.com/audience is "". Wanted: "sts.amazonaws.com"',
  },
  'the annotation of the audience can be no audience: the role is judged all the same': {
    seen: { serviceAccount: account({ [ROLE]: ARN, [AUDIENCE]: 'sts.amazonaws.com\n' }) },
    steps: 'oFoooo',
    codes: ['AudienceAnnotationMismatch'],
  },
  'the expiration is no number': {
    seen: { serviceAccount: account({ [ROLE]: ARN, [EKS_ANNOTATIONS.tokenExpiration]: '1h' }) },
    steps: 'oooooo',
    notes: ['TokenExpirationInvalid'],
  },
  'the ServiceAccount may not be read, and no role is said': {
    seen: { serviceAccount: unread(why) },
    steps: '??o--?',
    says: `not read: ${why}`,
  },
  'the ServiceAccount may not be read, and --role-arn: the role is judged': {
    seen: { serviceAccount: unread(why), roleArn: ARN },
    steps: '??oooo',
  },

  // The webhook
  'no webhook is configured, and no pod was injected': {
    seen: { webhooks: read([]), pods: read([appPod(early)]) },
    steps: 'ooFooF',
    codes: ['WebhookMissing', 'PodCredentialsMissing'],
  },
  'the webhook does not select the namespace': {
    seen: { webhooks: read([webhook({ namespaceSelector: { matchLabels: { irsa: 'yes' }, matchExpressions: [] } })]) },
    steps: 'ooFooo',
    codes: ['WebhookNotSelecting'],
  },
  'the webhook may not be read, and a pod was injected': { seen: { webhooks: unread(why) }, steps: 'oooooo' },
  'the webhook may not be read, and no pod was injected': {
    seen: { webhooks: unread(why), pods: read([]) },
    steps: 'oo?ooo',
    says: `not read: ${why}`,
  },
  'the namespace may not be read, and no pod was injected': { seen: { namespace: unread(why), pods: read([]) }, steps: 'oo?ooo' },
  'there is no namespace': {
    seen: { namespace: read(undefined), serviceAccount: read(undefined), pods: read([]) },
    steps: 'F-----',
    codes: ['ServiceAccountMissing'],
  },
  'the webhook asks for another audience': {
    seen: { webhook: { ...EKS_WEBHOOK, tokenAudience: 'aws' }, pods: read([appPod({ tokenAudience: 'aws' })]) },
    steps: 'oooFFo',
    codes: ['OidcProviderAudienceMissing', 'TrustAudienceMismatch'],
    notes: ['WebhookDefaultAudience'],
  },

  'a pod that was made of the annotation as it is has a token for another audience': {
    seen: { pods: read([appPod({ tokenAudience: 'amazonaws.com', createdAt: NOW })]) },
    steps: 'oFoooF',
    codes: ['AudienceAnnotationMismatch', 'PodAudienceStale'],
    notes: ['WebhookDefaultAudience'],
    says: 'ServiceAccount "app" has no annotation eks.amazonaws.com/audience, so the webhook gives the pods its --token-audience, "amazonaws.com". Wanted: "sts.amazonaws.com"',
  },

  // The issuer and its provider
  'the issuer is not public': {
    seen: { cluster: unread(notPublic), notPublic, provider: unread(notPublic) },
    steps: 'oooF-o',
    codes: ['IssuerNotPublic'],
    says: `${notPublic}. IAM can have no OIDC provider for it. Give the API server a public https URL as --service-account-issuer, and publish its discovery document and keys there. If pods get tokens of another issuer, name it with --issuer`,
  },
  'the issuer may not be read': {
    seen: { cluster: unread('forbidden. Name the issuer with --issuer'), provider: unread('forbidden') },
    steps: 'ooo??o',
    says: 'not read: forbidden. Name the issuer with --issuer',
  },
  'there is no provider': {
    seen: { provider: read({ kind: 'missing', similar: [] }) },
    steps: 'oooFoo',
    codes: ['OidcProviderMissing'],
    says: `account 111122223333 has no OIDC provider for this cluster's issuer "${ISSUER}". Register it: aws iam create-open-id-connect-provider --url ${ISSUER} --client-id-list sts.amazonaws.com`,
  },
  'there is a provider that is nearly it': {
    seen: { provider: read({ kind: 'missing', similar: ['oidc.eks.eu-west-1.amazonaws.com/id/ABCD/'] }) },
    steps: 'oooFoo',
    codes: ['OidcProviderUrlMismatch'],
  },
  'the provider lacks the audience': {
    seen: { provider: read({ ...provider, clientIds: [] }) },
    steps: 'oooFoo',
    codes: ['OidcProviderAudienceMissing'],
  },
  'there is no provider, and no trust: both are told': {
    seen: { provider: read({ kind: 'missing', similar: [] }), role: trust() },
    steps: 'oooFFo',
    codes: ['OidcProviderMissing', 'TrustNoWebIdentityStatement'],
  },
  'the provider may not be read': { seen: { provider: unread(why) }, steps: 'ooo?oo', says: `not read: ${why}` },
  'the provider answers with an error': {
    seen: { provider: read({ kind: 'unreadable', why }) },
    steps: 'ooo?oo',
    says: `not read: ${why}`,
  },
  "the audience is the API server's": {
    seen: { serviceAccount: account({ [ROLE]: ARN, [AUDIENCE]: 'https://kubernetes.default.svc' }) },
    steps: 'oooF-F',
    codes: ['AudienceForbidden', 'PodAudienceStale'],
    says: 'audience "https://kubernetes.default.svc" is an audience of the API server itself. AWS could use such a token against this cluster. Set the annotation of the audience to what STS expects, usually "sts.amazonaws.com"',
  },
  'the API server takes the audience of STS': {
    seen: { apiAudiences: ['sts.amazonaws.com'] },
    steps: 'oooF-o',
    codes: ['AudienceForbidden'],
    says: 'audience "sts.amazonaws.com" is an audience of the API server itself. AWS could use such a token against this cluster. Remove "sts.amazonaws.com" from --api-audiences of the API server',
  },

  // The role
  'there is no such role': { seen: { role: missing() }, steps: 'ooooFo', codes: ['RoleNotFound'] },
  'the role has another path': {
    seen: { role: missing('arn:aws:iam::111122223333:role/app') },
    steps: 'ooooFo',
    codes: ['RoleArnMismatch'],
    says: `IAM knows the role "app" as "arn:aws:iam::111122223333:role/app". Named is "${ARN}". Correct the ARN: path and case count`,
  },
  'the role is in another account': {
    seen: { ...noAws, caller: read(stranger) },
    steps: 'ooo??o',
    says: 'not read: the role is in account 111122223333, and these credentials are of account 444455556666. Use --profile for one of account 111122223333',
  },
  'the role may not be read': { seen: { role: unread(why) }, steps: 'oooo?o', says: `not read: ${why}` },
  'the role answers with an error': {
    seen: { role: read({ arn: ARN, asOf: NOW, state: { kind: 'unreadable', since: NOW, why } }) },
    steps: 'oooo?o',
    says: `not read: ${why}`,
  },
  'there are no AWS credentials: the half of Kubernetes is told': { seen: noAws, steps: 'ooo??o', says: `not read: ${why}` },
  'there are no AWS credentials, and the pods are early': {
    seen: { ...noAws, pods: read([appPod(early)]) },
    steps: 'ooo??F',
    codes: ['PodCredentialsMissing'],
  },
  'the account allows longer policies, and nobody may ask': { seen: { quota: 100 }, steps: 'oooooo' },

  // Its trust policy
  'the subject has a blank': {
    seen: { role: trust(statement('system:serviceaccount: shop:app')) },
    steps: 'ooooFo',
    codes: ['TrustSubjectWhitespace'],
  },
  'the trust policy trusts another ServiceAccount': {
    seen: { role: trust(statement('system:serviceaccount:shop:other')) },
    steps: 'ooooFo',
    codes: ['TrustSubjectMismatch'],
  },
  'a statement denies it': {
    seen: { role: trust(statement(), statement(SUBJECT, { Effect: 'Deny' })) },
    steps: 'ooooFo',
    codes: ['TrustExplicitDeny'],
  },
  'the trust policy is no JSON': {
    seen: { role: read(present({ policy: '{' })) },
    steps: 'ooooFo',
    codes: ['TrustPolicyUnparseable'],
    says: `trust policy of ${ARN}: the document cannot be parsed: not JSON: at character 2, the end of the text was found, but the name of a member in double quotes was expected`,
  },
  'the trust policy leaves it open': {
    seen: { role: trust(statement(SUBJECT, limited)) },
    steps: 'oooo?o',
    notes: ['TrustRestrictedByOwner'],
    says: 'statement 2: "aws:SourceIp" is not known before the call',
  },
  'the owner limits it to others': {
    seen: { role: trust(statement(SUBJECT, { Condition: { ...conditionOf(statement()), StringEquals: { 'sts:RoleSessionName': 'x' } } })) },
    steps: 'oooo?o',
    notes: ['TrustRestrictedByOwner'],
  },
  'the Sid of a fix is taken': {
    seen: { role: trust({ ...own(), Action: 'sts:AssumeRole' }) },
    steps: 'ooooFo',
    codes: ['TrustSidTaken', 'TrustWrongAction'],
  },
  'one more statement has no room': {
    seen: { role: trust(), quota: 100 },
    steps: 'ooooFo',
    codes: ['TrustPolicyTooLarge', 'TrustNoWebIdentityStatement'],
  },
  'the trust policy lets everything of the cluster in': {
    seen: { role: trust(statement('*', { Condition: { StringLike: { [`${ISSUER.slice(8)}:sub`]: '*' } } })) },
    steps: 'oooooo',
    notes: ['TrustOverPermissive'],
  },

  // The pods
  'no pod runs': { seen: { pods: read([]) }, steps: 'oooooo' },
  'a pod is early': { seen: { pods: read([appPod(early)]) }, steps: 'oooooF', codes: ['PodCredentialsMissing'] },
  'a finished pod is early': { seen: { pods: read([appPod({ ...early, finished: true }), appPod({}, 'app-2')]) }, steps: 'oooooo' },
  'a pod that is early is being deleted': {
    seen: { pods: read([appPod({ ...early, deleting: true }), appPod({}, 'app-2')]) },
    steps: 'oooooo',
  },
  'a pod has a former role': {
    seen: { pods: read([withEnv({ AWS_ROLE_ARN: OTHER_ARN })]) },
    steps: 'oooooF',
    codes: ['PodRoleArnStale'],
  },
  'a pod that nothing recreates is early': {
    seen: { pods: read([appPod({ ...early, owner: undefined })]) },
    steps: 'oooooF',
    codes: ['PodCredentialsMissing', 'PodNotRestartable'],
  },
  'the trust of a role that only AWS may change is wrong': {
    seen: {
      serviceAccount: account({ [ROLE]: awsRole }),
      role: read({ ...present({ policy: policy(SERVICE) }), arn: awsRole }),
      pods: read([]),
    },
    steps: 'ooooFo',
    codes: ['TrustNoWebIdentityStatement', 'RoleUnmodifiable'],
  },
  'the role has a path that no grant can name': {
    seen: {
      serviceAccount: account({ [ROLE]: oddRole }),
      role: read({ ...present({ policy: policy(SERVICE, statement()) }), arn: oddRole }),
      pods: read([]),
    },
    steps: 'oooooo',
  },
  'a pod of a Job is early': {
    seen: { pods: read([appPod({ ...early, owner: { kind: 'Job', name: 'import', uid: 'job' } })]) },
    steps: 'oooooF',
    codes: ['PodCredentialsMissing', 'PodNotRestartable'],
  },
  'a pod of another controller is early': {
    seen: { pods: read([appPod({ ...early, owner: { kind: 'Rollout', name: 'app', uid: 'rollout' } })]) },
    steps: 'oooooF',
    codes: ['PodCredentialsMissing', 'PodNotRestartable'],
  },
  'a pod is early, and no operator may restart it: a person may': {
    seen: {
      pods: read([appPod({ ...early, annotations: { 'irsa-operator.dev/restart': 'never', 'karpenter.sh/do-not-disrupt': 'true' } })]),
    },
    steps: 'oooooF',
    codes: ['PodCredentialsMissing'],
  },
  'a pod has access keys, which SDKs take first': {
    seen: { pods: read([withEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined })]) },
    steps: 'oooooF',
    codes: ['PodStaticCredentials'],
    says: 'Deployment "app", container "app": its environment has AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Most AWS SDKs use access keys of the environment before the role. The template does not set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: an older one did, or another webhook does. Restart the pods. If they have this again, change that webhook',
  },
  'a pod has access keys, and the trust is wrong: both are told': {
    seen: { pods: read([withEnv({ AWS_ACCESS_KEY_ID: undefined })]), role: trust() },
    steps: 'ooooFF',
    codes: ['TrustNoWebIdentityStatement', 'PodStaticCredentials'],
  },
  'a pod has an empty access key, which is none': { seen: { pods: read([withEnv({ AWS_ACCESS_KEY_ID: '' })]) }, steps: 'oooooo' },
  'a pod has a profile, which some SDKs take first': {
    seen: { pods: read([withEnv({ AWS_PROFILE: undefined })]) },
    steps: 'oooooo',
    notes: ['PodStaticCredentials'],
  },
  'a pod has EKS Pod Identity in place of the role': {
    seen: { pods: read([appPod(podIdentity)]) },
    steps: 'oooooF',
    codes: ['PodIdentityShadowsIrsa'],
    says: 'pod shop/app-1 has credentials from EKS Pod Identity, so the webhook injects no role. Remove the association, or the annotation',
  },
  'every pod asks the webhook to skip it': {
    seen: { pods: read([appPod({ ...early, labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } })]) },
    steps: 'oooooF',
    codes: ['WebhookSkipped'],
  },
  'every pod names all its containers for the webhook to skip': {
    seen: { pods: read([appPod({ ...early, annotations: { 'eks.amazonaws.com/skip-containers': 'app' } })]) },
    steps: 'oooooF',
    codes: ['ContainerSkipped'],
  },
  'one pod of two asks the webhook to skip it': {
    seen: { pods: read([appPod(), appPod({ ...early, labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } }, 'app-2')]) },
    steps: 'oooooo',
    notes: ['WebhookSkipped'],
  },
  'a template sets its own role': {
    seen: {
      pods: read([withEnv({ AWS_ROLE_ARN: OTHER_ARN })]),
      workloads: read([{ ...app, template: { containers: [{ ...whole, env: { AWS_ROLE_ARN: OTHER_ARN } }], hasTokenVolume: false } }]),
    },
    steps: 'oooooF',
    codes: ['PodPartialInjection'],
  },
  'nothing runs as it, and a workload of its name runs as another': {
    seen: { pods: read([]), workloads: read([workload({ serviceAccountName: 'default' })]) },
    steps: 'oooooo',
    notes: ['WorkloadUsesOtherServiceAccount'],
  },
  'the pods may not be read: nobody says that nothing runs as it': {
    seen: { pods: unread(why), workloads: read([workload({ serviceAccountName: 'default' })]) },
    steps: 'ooooo?',
    says: `not read: ${why}`,
  },
  'the Jobs may not be read: nobody says that nothing runs as it': {
    seen: { pods: read([]), batchWorkloads: unread(why), workloads: read([workload({ serviceAccountName: 'default' })]) },
    steps: 'oooooo',
  },
  'the workloads may not be read': { seen: { workloads: unread(why), batchWorkloads: unread(why) }, steps: 'oooooo' },
  'nothing may be read': {
    seen: {
      ...noAws,
      serviceAccount: unread(why),
      namespace: unread(why),
      webhooks: unread(why),
      cluster: unread(why),
      pods: unread(why),
      workloads: unread(why),
      batchWorkloads: unread(why),
    },
    steps: '???--?',
    says: `not read: ${why}`,
  },
};

const LETTERS = { ok: 'o', fail: 'F', unread: '?', skipped: '-', accepted: 'a' } as const;
const judged = Object.entries(rows).map(([sentence, row]) => ({ sentence, row, found: judge(checkSeen(row.seen)) }));

// Contract: check-exit-codes
describe('the checklist, where', () => {
  for (const { sentence, row, found } of judged)
    test(sentence, () => {
      const { steps, notes } = found;
      expect(steps.map(({ name }) => name)).toEqual(STEP_NAMES);
      expect(steps.map(({ state }) => LETTERS[state]).join('')).toBe(row.steps);
      expect([...new Set(steps.flatMap(({ findings }) => findings.map(({ code }) => code)))]).toEqual(row.codes ?? []);
      expect(notes.map(({ code }) => code)).toEqual(row.notes ?? []);
      if (row.says !== undefined) expect(steps.find(({ state }) => state === 'fail' || state === 'unread')?.text).toBe(row.says);
      const [certain, open] = [row.steps.includes('F'), row.steps.includes('?')];
      const warned = notes.length > 0 ? 1 : 0;
      expect(exitCodeOf(found, 'Warning')).toBe(certain ? 1 : open ? 2 : warned);
      expect(exitCodeOf(found, 'Error')).toBe(certain ? 1 : open ? 2 : 0);
    });
});

describe('every sentence of it', () => {
  const sentences = judged.flatMap(({ found: { steps, notes } }) => [
    ...steps.map(({ text }) => text),
    ...steps.flatMap(({ findings }) => findings.map(({ message }) => message)),
    ...notes.map(({ message }) => message),
  ]);
  test('says something', () => expect(sentences.filter((text) => text.trim() === '')).toEqual([]));
  test('is for a person who has no operator, no binding and no grant', () => {
    const forOperators = /irsa-operator|\bbindings?\b|Irsa(Binding|Grant)|\bgrants?\b|(?<!\.)\bspec\.(?!template|jobTemplate)/;
    const outsideOfCommands = sentences.map((text) => text.replaceAll(/npx irsa-operator/g, ''));
    expect(outsideOfCommands.filter((text) => forOperators.test(text))).toEqual([]);
  });
});

test('the role of --role-arn is judged, whatever the annotation says', () => {
  const other = arn('arn:aws:iam::111122223333:role/other');
  const { engine } = judge(checkSeen({ roleArn: other }));
  expect(engine?.spec.roleArn).toBe(other);
});
test('whoever checks may be the role itself', () => {
  const self = { kind: 'known', account: '111122223333' as AccountId, arn: 'arn:aws:sts::111122223333:assumed-role/app/jane' } as const;
  const { steps } = judge(checkSeen({ caller: read({ ...self, ownRoles: [{ account: '111122223333', name: 'app' }] }) }));
  expect(steps.map(({ state }) => state)).toEqual(STEP_NAMES.map(() => 'ok'));
});

test('an issuer that was not read is marked as derived', () => {
  const shown = (issuerIsDerived: boolean) =>
    judge(checkSeen({ issuerIsDerived })).steps.find(({ name }) => name === 'OIDC provider')?.text;
  const host = ISSUER.slice('https://'.length);
  expect([shown(false), shown(true)]).toEqual([host, `${host} (by the address of the API server)`]);
});
