import { describe, expect, test } from 'vitest';
import type { FIXED_BY_CHECK } from '../../src/api/fixed-by-check.ts';
import type { SeenByCheck } from '../../src/api/seen-by.ts';
import { commandsIn } from '../harness/command.ts';
import { ASKS_STS } from '../harness/scene.ts';
import { SLIPS } from '../harness/slips.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ROLE_ARN } from '../harness/views.ts';
import { type Ailment, OTHER_ROLE, patientWith } from './patient.ts';

/**
 * For every finding that `check` has commands for: a cluster and an account that are broken so, the page that a person gets, and a shell that
 * runs the commands of that page. Each scene has an account of its own.
 */
const suite = integrationSuite({ operator: false });

type Fixable = { [Code in SeenByCheck]: (typeof FIXED_BY_CHECK)[Code] extends 'commands' ? Code : never }[SeenByCheck];

const AUDIENCE = 'eks.amazonaws.com/audience';
const sayRole = (role: string) => ['--role-arn', role];
const otherRole = (role: string) => role.replace(/[^/]+$/, OTHER_ROLE);
const withEnv = (env: (role: string) => Record<string, string>) => ({
  workload: (role: string) => ({ container: { env: Object.entries(env(role)).map(([name, value]) => ({ name, value })) } }),
});
const slip = (code: Extract<Fixable, `Trust${string}`>): Ailment => {
  const trust = SLIPS[code];
  if (trust === undefined) throw new Error(`the trust policy of ${code} is missing`);
  return { trust };
};

// WebhookDefaultAudience is of another webhook (below).
const AILMENTS: Readonly<Record<Exclude<Fixable, 'WebhookDefaultAudience'>, Ailment>> = {
  RoleArnMismatch: { path: '/team/a/', annotations: (role) => ({ [ROLE_ARN]: role.replace('/team/a/', '/') }) },
  AudienceForbidden: { annotations: (role) => ({ [ROLE_ARN]: role, [AUDIENCE]: 'https://kubernetes.default.svc' }) },
  OidcProviderMissing: { provider: 'none' },
  OidcProviderUrlMismatch: { provider: { similar: (issuer) => `${issuer}/` } },
  OidcProviderAudienceMissing: { provider: { clientIds: ['other'] } },
  TrustNoWebIdentityStatement: slip('TrustNoWebIdentityStatement'),
  TrustWrongAction: slip('TrustWrongAction'),
  TrustPrincipalNotFederated: slip('TrustPrincipalNotFederated'),
  TrustPrincipalProviderMismatch: slip('TrustPrincipalProviderMismatch'),
  TrustPrincipalOtherAccount: slip('TrustPrincipalOtherAccount'),
  TrustPrincipalPartition: slip('TrustPrincipalPartition'),
  TrustPrincipalMalformed: slip('TrustPrincipalMalformed'),
  TrustPrincipalWildcard: slip('TrustPrincipalWildcard'),
  TrustConditionKeyIssuerMismatch: slip('TrustConditionKeyIssuerMismatch'),
  TrustConditionKeyMalformed: slip('TrustConditionKeyMalformed'),
  TrustConditionKeySwapped: slip('TrustConditionKeySwapped'),
  TrustSubjectMismatch: slip('TrustSubjectMismatch'),
  TrustSubjectWhitespace: slip('TrustSubjectWhitespace'),
  TrustSubjectCase: slip('TrustSubjectCase'),
  TrustSubjectMalformed: slip('TrustSubjectMalformed'),
  TrustWildcardInStringEquals: slip('TrustWildcardInStringEquals'),
  TrustAudienceMismatch: slip('TrustAudienceMismatch'),
  TrustMultiIssuerAnd: slip('TrustMultiIssuerAnd'),
  TrustNullCondition: slip('TrustNullCondition'),
  TrustConditionUnsatisfiable: slip('TrustConditionUnsatisfiable'),
  TrustPodIdentityOnly: slip('TrustPodIdentityOnly'),
  ServiceAccountMissing: { annotations: 'noServiceAccount', args: sayRole },
  AnnotationMissing: { annotations: () => ({}), args: sayRole },
  AnnotationRoleMismatch: { annotations: (role) => ({ [ROLE_ARN]: otherRole(role) }), args: sayRole },
  AnnotationMalformed: { annotations: (role) => ({ [ROLE_ARN]: `${role} ` }), args: sayRole },
  AnnotationKeyMisspelt: { annotations: (role) => ({ 'eks.amazon.com/role-arn': role }), args: sayRole },
  AudienceAnnotationMismatch: { annotations: (role) => ({ [ROLE_ARN]: role, [AUDIENCE]: '' }) },
  PodCredentialsMissing: { annotations: () => ({}), later: (role) => ({ [ROLE_ARN]: role }) },
  PodRoleArnStale: { annotations: (role) => ({ [ROLE_ARN]: otherRole(role) }), later: (role) => ({ [ROLE_ARN]: role }) },
  PodAudienceStale: {
    annotations: (role) => ({ [ROLE_ARN]: role, [AUDIENCE]: 'former' }),
    later: (role) => ({ [ROLE_ARN]: role, [AUDIENCE]: null }),
  },
  PodEnvOverridden: withEnv(() => ({ AWS_ROLE_ARN: 'REPLACE_ME', AWS_WEB_IDENTITY_TOKEN_FILE: '/token' })),
  PodPartialInjection: withEnv((role) => ({ AWS_ROLE_ARN: role })),
  PodStaticCredentials: withEnv(() => ({ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'EXAMPLE' })),
  WebhookSkipped: { workload: () => ({ labels: { ...ASKS_STS, 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } }) },
  ContainerSkipped: { workload: () => ({ annotations: { 'eks.amazonaws.com/skip-containers': 'app' } }) },
};

// Contract: check-commands-work
describe.concurrent('the commands that check prints make the pods Ready:', () => {
  for (const [at, [code, ailment]] of Object.entries(AILMENTS).entries())
    test(code, async () => {
      const patient = await patientWith(suite, `${300_000_000_000 + at}`, `fix-${code.toLowerCase()}`, ailment);
      const page = await patient.says(code);
      expect(page).not.toContain('IRSA works');
      await patient.cured(page);
    });
});

describe('where the webhook gives pods another audience', () => {
  const elsewhere = integrationSuite({ operator: false, testbed: { webhookArgs: ['--token-audience=amazonaws.com'] } });
  // Contract: check-commands-work
  test('WebhookDefaultAudience', async () => {
    // A pod shows it that was made of an annotation that is as old.
    const make: NonNullable<Ailment['runner']>['make'] = async (scene) => {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      await scene.deployment();
    };
    const patient = await patientWith(elsewhere, '300000001000', 'other-audience', { runner: { target: 'deploy/app', pods: 2, make } });
    const page = await patient.says('WebhookDefaultAudience');
    expect(commandsIn(page)[0]).toContain(`${AUDIENCE}=sts.amazonaws.com`);
    await patient.cured(page);
  });
});

/** From the annotation to a pod that shows what the webhook makes of it. */
const SETTLE_MS = 11_000;
