import { allowing, EC2, policy } from './policies.ts';
import type { Scene } from './scene.ts';
import { ACCOUNT, ROLE_ARN } from './views.ts';

/** The article's checklist, cause by cause, as a cluster and an account that are broken in that way. */
export const OTHER_CLUSTER = 'https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';

interface Slip {
  readonly action?: string;
  readonly issuer?: string;
  readonly subject?: string;
}

/** The right statement for a subject of the cluster, or one with a slip. */
export const allow = (s: Scene, { issuer = s.issuer, action, subject = s.subject }: Slip = {}) =>
  allowing(issuer, subject, action === undefined ? {} : { Action: action });

export interface Case {
  readonly annotation?: (scene: Scene) => Record<string, string>;
  readonly policy: (scene: Scene) => object;
  /** The binding names what was wrong before it is mended: as reason in an Event. */
  readonly told: string;
  readonly writes: 0 | 1;
  /** What a refused pod says; the article's sentence unless the webhook had nothing to inject. */
  readonly message?: RegExp;
}

export const NOT_AUTHORIZED =
  /^WebIdentityErr: failed to retrieve credentials\ncaused by: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity/;
export const NO_CREDENTIALS = /NoCredentialProviders/;
export const right = (s: Scene) => policy(EC2, allow(s));

export const ARTICLE: Record<string, Case> = {
  // Contract: trust-allowed, trust-fixpoint
  'the ServiceAccount has no annotation': {
    annotation: () => ({}),
    policy: right,
    told: 'AnnotationMissing',
    writes: 0,
    message: NO_CREDENTIALS,
  },
  // Contract: annotate-wrong
  "the ServiceAccount has another role's annotation": {
    annotation: () => ({ [ROLE_ARN]: `arn:aws:iam::${ACCOUNT}:role/somebody-elses` }),
    policy: right,
    told: 'AnnotationRoleMismatch',
    writes: 0,
  },
  // Contract: trust-as-sts
  'the trust policy has a service principal and sts:AssumeRole': {
    policy: () => policy(EC2),
    told: 'TrustNoWebIdentityStatement',
    writes: 1,
  },
  // Contract: trust-as-sts
  'the trust policy has the provider, but sts:AssumeRole': {
    policy: (s) => policy(allow(s, { action: 'sts:AssumeRole' })),
    told: 'TrustWrongAction',
    writes: 1,
  },
  // Contract: trust-as-sts, trust-by-meaning, trust-fixpoint, trust-byte-for-byte
  'the subject has a blank after system:serviceaccount:': {
    policy: (s) => policy(allow(s, { subject: `system:serviceaccount: ${s.namespace}:app` })),
    told: 'TrustSubjectWhitespace',
    writes: 1,
  },
  // Contract: trust-as-sts
  'the subject has the wrong name': {
    policy: (s) => policy(EC2, allow(s, { subject: `system:serviceaccount:${s.namespace}:ap` })),
    told: 'TrustSubjectMismatch',
    writes: 1,
  },
  // Contract: trust-as-sts
  'the subject has the wrong namespace': {
    policy: (s) => policy(allow(s, { subject: 'system:serviceaccount:elsewhere:app' })),
    told: 'TrustSubjectMismatch',
    writes: 1,
  },
  // Contract: trust-as-sts
  "the provider ID is another cluster's": {
    policy: (s) => policy(allow(s, { issuer: OTHER_CLUSTER })),
    told: 'TrustPrincipalProviderMismatch',
    writes: 1,
  },
  // Contract: trust-as-sts
  "the provider is another region's": {
    policy: (s) => policy(allow(s, { issuer: s.issuer.replace('us-east-1', 'eu-west-1') })),
    told: 'TrustPrincipalProviderMismatch',
    writes: 1,
  },
};

export const annotated = (s: Scene) => ({ [ROLE_ARN]: s.roleArn });
