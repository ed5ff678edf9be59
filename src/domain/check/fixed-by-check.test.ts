import { describe, expect, test } from 'vitest';
import { SLIPS } from '../../../test/harness/slips.ts';
import type { Container, ServiceAccount } from '../../api/cluster.ts';
import { FIXED_BY_CHECK } from '../../api/fixed-by-check.ts';
import { EKS_ANNOTATIONS } from '../../api/names.ts';
import type { SeenByCheck } from '../../api/seen-by.ts';
import { template, workload } from '../test-cluster.ts';
import { ACCOUNT, ARN, arn, ISSUER, NOW, OTHER_ARN, own, policy, present, provider, SERVICE, serviceAccount } from '../test-observed.ts';
import { fixesOf } from './fixes.ts';
import { judge } from './judge.ts';
import { permissionDenied } from './log.ts';
import { type CheckSeen, read } from './seen.ts';
import { app, appPod, checkSeen } from './test-seen.ts';

const { roleArn: ROLE, audience: AUDIENCE, tokenExpiration: EXPIRATION } = EKS_ANNOTATIONS;
const API_AUDIENCE = 'https://kubernetes.default.svc';
const account = (annotations: Record<string, string>, part: Partial<ServiceAccount> = {}) =>
  read({ ...serviceAccount(annotations, 'kubectl'), ...part });
const role = (document: string, quota = 2048): Partial<CheckSeen> => ({ role: read(present({ policy: document })), quota });
const missing = (foundAs?: string): CheckSeen['role'] => {
  const other = foundAs === undefined ? undefined : { arn: foundAs, tags: new Map() };
  return read({ arn: ARN, asOf: NOW, state: { kind: 'missing', since: NOW, foundAs: other } });
};
const [whole] = appPod().containers as readonly [Container];
const early = { containers: [{ name: 'app', env: {}, mountsToken: false }], tokenAudience: undefined, tokenExpirationSeconds: undefined };
/** A pod of a template that sets and mounts this, and has a role where the webhook could give it one. */
const made = (from: Partial<Container>, pod: Partial<Container> = {}): Partial<CheckSeen> => ({
  pods: read([appPod({ containers: [{ ...whole, ...from, env: { ...whole.env, ...from.env }, ...pod }] })]),
  workloads: read([{ ...app, template: template({ name: 'app', ...from }) }]),
});
const notPublic = 'AWS cannot use the issuer "https://kubernetes.default.svc": names under ".svc" are not public';

/** A trust policy with the slip of this code, in place of what is said here. */
type Slip = 'slip';
const CASES: Record<SeenByCheck, Partial<CheckSeen> | Slip | 'log'> = {
  RoleNotFound: { role: missing() },
  RoleUnmodifiable: {
    serviceAccount: account({ [ROLE]: 'arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX' }),
    role: read({
      ...present({ policy: policy(SERVICE) }),
      arn: arn('arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX'),
    }),
    pods: read([]),
  },
  RoleArnMismatch: { role: missing('arn:aws:iam::111122223333:role/app') },
  AudienceForbidden: { serviceAccount: account({ [ROLE]: ARN, [AUDIENCE]: API_AUDIENCE }) },
  IssuerNotPublic: { cluster: { kind: 'unread', why: notPublic }, notPublic },
  OidcProviderMissing: { provider: read({ kind: 'missing', similar: [] }) },
  OidcProviderUrlMismatch: { provider: read({ kind: 'missing', similar: [`${ISSUER.slice('https://'.length)}/`] }) },
  OidcProviderAudienceMissing: { provider: read({ ...provider, clientIds: ['other'] }) },
  TrustPolicyUnparseable: 'slip',
  TrustNoWebIdentityStatement: 'slip',
  TrustWrongAction: 'slip',
  TrustPrincipalNotFederated: 'slip',
  TrustPrincipalProviderMismatch: 'slip',
  TrustPrincipalOtherAccount: 'slip',
  TrustPrincipalPartition: 'slip',
  TrustPrincipalMalformed: 'slip',
  TrustPrincipalWildcard: 'slip',
  TrustOrphanedPrincipal: 'slip',
  TrustThirdPartyGuard: 'slip',
  TrustConditionKeyIssuerMismatch: 'slip',
  TrustConditionKeyMalformed: 'slip',
  TrustConditionKeySwapped: 'slip',
  TrustConditionKeyUnknown: 'slip',
  TrustSubjectMismatch: 'slip',
  TrustSubjectWhitespace: 'slip',
  TrustSubjectCase: 'slip',
  TrustSubjectMalformed: 'slip',
  TrustWildcardInStringEquals: 'slip',
  TrustAudienceMismatch: 'slip',
  TrustMultiIssuerAnd: 'slip',
  TrustSetOperatorMisuse: 'slip',
  TrustExplicitDeny: 'slip',
  TrustNullCondition: 'slip',
  TrustConditionUnsatisfiable: 'slip',
  TrustOverPermissive: 'slip',
  TrustPolicyTooLarge: role(policy(SERVICE), 100),
  TrustPodIdentityOnly: 'slip',
  TrustSidTaken: role(policy(SERVICE, { ...own(), Action: 'sts:AssumeRole' })),
  TrustRestrictedByOwner: 'slip',
  ServiceAccountMissing: { serviceAccount: read(undefined), pods: read([]) },
  AnnotationMissing: { serviceAccount: account({}), roleArn: ARN },
  AnnotationRoleMismatch: { serviceAccount: account({ [ROLE]: OTHER_ARN }), roleArn: ARN },
  AnnotationMalformed: { serviceAccount: account({ [ROLE]: 'app' }), roleArn: ARN },
  AnnotationKeyMisspelt: { serviceAccount: account({}, { misspelt: ['eks.amazon.com/role-arn'] }), roleArn: ARN },
  AudienceAnnotationMismatch: { serviceAccount: account({ [ROLE]: ARN, [AUDIENCE]: '' }) },
  TokenExpirationInvalid: { serviceAccount: account({ [ROLE]: ARN, [EXPIRATION]: '60' }) },
  WebhookMissing: { webhooks: read([]), pods: read([]) },
  WebhookNotSelecting: { webhooks: read([{ ...notSelecting(), configuration: 'w' }]) },
  WebhookDefaultAudience: { pods: read([appPod({ tokenAudience: 'amazonaws.com' })]) },
  RolePermissionDenied: 'log',
  WorkloadUsesOtherServiceAccount: { pods: read([]), workloads: read([workload({ serviceAccountName: 'default' })]) },
  PodCredentialsMissing: { pods: read([appPod(early)]) },
  PodRoleArnStale: { pods: read([appPod({ containers: [{ ...whole, env: { ...whole.env, AWS_ROLE_ARN: OTHER_ARN } }] })]) },
  PodAudienceStale: {
    serviceAccount: account({ [ROLE]: ARN, [AUDIENCE]: 'sts.amazonaws.com' }),
    pods: read([appPod({ tokenAudience: 'x' })]),
  },
  PodEnvOverridden: made({ env: { AWS_ROLE_ARN: 'REPLACE_ME', AWS_WEB_IDENTITY_TOKEN_FILE: '/token' } }, { mountsToken: false }),
  PodPartialInjection: made({ env: { AWS_ROLE_ARN: ARN } }, { env: { AWS_ROLE_ARN: ARN }, mountsToken: false }),
  VolumeNameTaken: made({ own: { tokenMount: '/token' } }, { mountsToken: false }),
  MountPathTaken: made({ own: { onWebhookPath: 'data' } }, { env: {}, mountsToken: false }),
  PodStaticCredentials: made({ env: { AWS_ACCESS_KEY_ID: undefined } }),
  WebhookSkipped: { pods: read([appPod({ ...early, labels: { ...appPod().labels, 'eks.amazonaws.com/skip-pod-identity-webhook': '' } })]) },
  ContainerSkipped: { pods: read([appPod({ ...early, annotations: { 'eks.amazonaws.com/skip-containers': 'app' } })]) },
  PodIdentityShadowsIrsa: {
    pods: read([
      appPod({ ...early, containers: [{ name: 'app', env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined }, mountsToken: false }] }),
    ]),
  },
  PodNotRestartable: { pods: read([appPod({ ...early, owner: undefined })]) },
};

/** Neither of the namespace nor of the pods. */
function notSelecting() {
  const nothing = { matchLabels: { irsa: 'yes' }, matchExpressions: [] };
  return { namespaceSelector: nothing, objectSelector: nothing };
}

function seenIn(code: SeenByCheck): CheckSeen {
  const given = CASES[code];
  if (given !== 'slip') return checkSeen(given === 'log' ? {} : given);
  const slip = Object.entries(SLIPS).find(([name]) => name === code)?.[1];
  const document = slip?.({ account: ACCOUNT, issuer: ISSUER, namespace: 'shop' }) ?? '';
  return checkSeen(role(typeof document === 'string' ? document : policy(...document)));
}

describe('the commands of check', () => {
  for (const [name, fixedBy] of Object.entries(FIXED_BY_CHECK)) {
    const code = name as SeenByCheck;
    const seen = seenIn(code);
    const found = judge(seen);
    const denied = permissionDenied({ at: undefined, text: '', action: 's3:GetObject', user: undefined }, ARN);
    const notes = CASES[code] === 'log' && denied !== undefined ? [denied] : found.notes;
    const { kubectl, aws, restarts } = fixesOf(seen, found, { kubectl: [], aws: [], check: ['irsa-operator', 'check'] });
    const commands = [...kubectl, ...aws, ...restarts];
    test(`${code}: ${fixedBy === 'commands' ? 'there are some' : `there is none, because ${fixedBy}`}`, () => {
      expect([...found.steps.flatMap(({ findings }) => findings), ...notes].map((one) => one.code)).toContain(code);
      expect(commands.length > 0).toBe(fixedBy === 'commands');
    });
  }
});
