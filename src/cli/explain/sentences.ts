import { FINDINGS, type FindingCode } from '../../api/finding.ts';
import { ONLY_OPERATOR } from '../../api/seen-by.ts';

/** What may be behind a sentence, and what would tell it apart from the others. */
export interface Candidate {
  readonly codes: readonly FindingCode[];
  readonly tells: string;
}

/** A sentence of AWS or of one of its SDKs. */
export interface Sentence {
  /** The sentence and nothing around it: no other word of a log is shown. */
  readonly pattern: RegExp;
  readonly means: string;
  readonly candidates: readonly Candidate[];
}

/** Of what AWS writes and nothing more. */
const ARN = String.raw`arn:[\w+=.@:/*-]{1,300}`;
const URL = String.raw`https?://[\w.:/%~-]{1,300}`;

const trust = (Object.keys(FINDINGS) as FindingCode[]).filter((code) => code.startsWith('Trust') && !(code in ONLY_OPERATOR));
const CHECK = 'irsa-operator check -n NAMESPACE TYPE/NAME';

const NO_CREDENTIALS: Omit<Sentence, 'pattern'> = {
  means: 'The SDK found no credentials: it never asked STS. The pod was not given a role, or the SDK did not use it.',
  candidates: [
    { codes: ['PodCredentialsMissing'], tells: 'the pod has no AWS_ROLE_ARN, and is older than the annotation of its ServiceAccount' },
    {
      codes: ['AnnotationMissing', 'AnnotationKeyMisspelt'],
      tells: 'kubectl get serviceaccount -o yaml: there is no eks.amazonaws.com/role-arn, or its key is misspelt',
    },
    { codes: ['WorkloadUsesOtherServiceAccount'], tells: 'spec.serviceAccountName of the pod is not the annotated ServiceAccount' },
    {
      codes: ['WebhookMissing', 'WebhookNotSelecting', 'WebhookSkipped', 'ContainerSkipped'],
      tells: 'new pods of an annotated ServiceAccount have no AWS_ROLE_ARN either',
    },
    {
      codes: ['PodPartialInjection', 'PodEnvOverridden'],
      tells: 'the pod template sets AWS_ROLE_ARN or AWS_WEB_IDENTITY_TOKEN_FILE itself',
    },
  ],
};

const NO_PROVIDER: readonly Candidate[] = [
  { codes: ['OidcProviderMissing'], tells: "aws iam list-open-id-connect-providers, in the role's account, does not list the issuer" },
  { codes: ['OidcProviderUrlMismatch'], tells: 'it lists nearly this issuer: another region, case or ID, or a slash at the end' },
  { codes: ['IssuerNotPublic'], tells: 'the issuer in the sentence is an address inside the cluster' },
  { codes: ['RoleInOtherAccount'], tells: 'the account in AWS_ROLE_ARN is not the one with the provider' },
];

const EXPIRED: Omit<Sentence, 'pattern'> = {
  means: 'The token is older than its life. The kubelet renews the file in time, so the application or a clock is behind.',
  candidates: [
    { codes: ['TokenExpired'], tells: 'a restart does not help: the clock of a node or of the API server is wrong' },
    {
      codes: ['TokenExpirationInvalid'],
      tells: 'a restart helps, and eks.amazonaws.com/token-expiration is set: the SDK reads the file only once',
    },
  ],
};

/** In the order in which a line is compared with them: the first one wins. Their sources are public issues of the SDKs: sentences.test.ts has them as each SDK wraps them. */
export const SENTENCES: readonly Sentence[] = [
  {
    pattern: /(?:AccessDenied(?:Exception)?: )?Not authorized to perform sts:AssumeRoleWithWebIdentity/,
    means: 'STS says this for every cause in the trust policy, and for a role that does not exist. Only the objects show which one it is.',
    candidates: [
      { codes: ['RoleNotFound'], tells: 'aws iam get-role answers NoSuchEntity' },
      { codes: ['RoleArnMismatch'], tells: 'aws iam get-role shows another Arn, for example with a path' },
      { codes: ['PodRoleArnStale'], tells: 'AWS_ROLE_ARN of the pod is not the role in the annotation: restart the pod' },
      { codes: ['AnnotationRoleMismatch'], tells: 'the annotation names another role than the one that is meant' },
      { codes: ['WorkloadUsesOtherServiceAccount'], tells: 'spec.serviceAccountName of the pod is not the one in the trust policy' },
      { codes: trust, tells: `the trust policy says which: ${CHECK}` },
      { codes: ['OrgPolicyDenied'], tells: 'everything else allows it: a resource control policy of the organization is left' },
    ],
  },
  {
    pattern: new RegExp(`No OpenIDConnect provider found in your account for ${URL}`),
    means: "STS knows no OIDC provider for the issuer of the token in the role's account.",
    candidates: NO_PROVIDER,
  },
  {
    pattern: /No OpenIDConnect provider found in your account/,
    means: "STS knows no OIDC provider for the issuer of the token in the role's account.",
    candidates: NO_PROVIDER,
  },
  {
    pattern: /Incorrect token audience/,
    means: 'The token is for an audience that the OIDC provider does not have among its client IDs.',
    candidates: [
      { codes: ['OidcProviderAudienceMissing'], tells: 'aws iam get-open-id-connect-provider: sts.amazonaws.com is not in ClientIDList' },
      { codes: ['AudienceAnnotationMismatch'], tells: 'the ServiceAccount has the annotation eks.amazonaws.com/audience' },
      {
        codes: ['WebhookDefaultAudience'],
        tells: 'without that annotation, new pods have another audience: the webhook has --token-audience',
      },
      { codes: ['PodAudienceStale'], tells: 'the audience of the token volume of the pod is not that of new pods: restart the pod' },
    ],
  },
  {
    pattern: /Missing a required claim: aud/,
    means: 'The token is not that of the webhook. A token of the Kubernetes API has another audience.',
    candidates: [
      { codes: ['PodEnvOverridden'], tells: 'AWS_WEB_IDENTITY_TOKEN_FILE is below /var/run/secrets/kubernetes.io' },
      { codes: ['MountPathTaken', 'VolumeNameTaken'], tells: 'the pod template mounts a volume of its own at the place of the token' },
    ],
  },
  {
    pattern: / ?Couldn't retrieve verification key from your identity provider/,
    means: 'STS cannot read the signing keys of the issuer.',
    candidates: [
      { codes: ['IdpUnreachable'], tells: 'curl ISSUER/.well-known/openid-configuration, and its jwks_uri, fail from the internet' },
      { codes: ['IssuerNotPublic'], tells: 'the issuer is an address inside the cluster' },
    ],
  },
  {
    pattern: /OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint/,
    means: 'The certificate of the issuer matches no thumbprint of the OIDC provider.',
    candidates: [
      { codes: ['OidcProviderThumbprint'], tells: 'aws iam get-open-id-connect-provider: compare ThumbprintList with the certificate' },
    ],
  },
  {
    pattern: /The web identity token provided could not be validated|The ID Token provided is not a valid JWT/,
    means: 'The token was not signed with the keys that its issuer publishes.',
    candidates: [
      { codes: ['TokenRejected'], tells: 'the issuer publishes the keys of another cluster, or the file is no token' },
      { codes: ['PodEnvOverridden'], tells: 'AWS_WEB_IDENTITY_TOKEN_FILE is not the file of the webhook' },
    ],
  },
  {
    pattern: /IDPCommunicationError(?:Exception)?/,
    means: 'STS cannot reach the issuer.',
    candidates: [{ codes: ['IdpUnreachable'], tells: 'it stays after some minutes. STS says it for a moment too, and SDKs try again' }],
  },
  {
    pattern: /IDPRejectedClaim(?:Exception)?/,
    means: 'STS does not accept what the token says.',
    candidates: [
      { codes: ['TokenRejected', 'TokenExpired'], tells: 'decode the token: compare its iss and exp with the cluster and the clock' },
    ],
  },
  { pattern: /Token expired: current date\/time [\d.TZ:+-]+ must be before the expiration date\/time ?[\d.TZ:+-]+/, ...EXPIRED },
  { pattern: /The web identity token that was passed is expired/, ...EXPIRED },
  { pattern: /ExpiredTokenException/, ...EXPIRED },
  {
    pattern: /STS is not activated in this region for account: ?\d{12}|RegionDisabledException/,
    means: 'The account has STS switched off in the region that the pod calls.',
    candidates: [
      { codes: ['StsRegionDisabled'], tells: 'IAM, account settings: the region is not active. AWS_REGION of the pod is the region' },
    ],
  },
  {
    pattern: /Request ARN is invalid/,
    means: 'AWS_ROLE_ARN of the pod is not the ARN of a role.',
    candidates: [
      { codes: ['AnnotationMalformed'], tells: 'the annotation has a blank, a quote, a placeholder, or the ARN of something else' },
      { codes: ['RoleArnMismatch'], tells: 'the ARN has the partition of other regions, for example arn:aws in China' },
      { codes: ['PodRoleArnStale'], tells: 'the annotation is right, and the pod is older: restart the pod' },
    ],
  },
  {
    pattern:
      /(?:unable to read file at|failed to read (?:jwt )?token from|Unable to read token file|\bopen) ?[\w./-]{0,100}eks\.amazonaws\.com\/serviceaccount\/token[^"\n]{0,60}?(?:permission denied|no such file or directory)?/,
    means: 'The SDK knows the role, and cannot read the file with the token.',
    candidates: [
      { codes: ['PodEnvOverridden', 'PodPartialInjection'], tells: 'the pod has the variables, and no mount of aws-iam-token' },
      { codes: ['MountPathTaken', 'VolumeNameTaken'], tells: 'another volume is mounted there, or has the name aws-iam-token' },
    ],
  },
  {
    pattern: new RegExp(
      [
        '(?:AccessDenied(?:Exception)?: )?',
        `(?:User: ${ARN} is )?`,
        '[Nn]ot authorized to perform:? [a-z0-9-]+:[A-Za-z]+',
        `(?: on resource: (?:${ARN}|\\*))?`,
      ].join(''),
    ),
    means: 'AWS knows who is calling. If the user is a session of the role, IRSA works, and the role lacks a permission.',
    candidates: [
      { codes: ['RolePermissionDenied'], tells: 'the user is assumed-role/ROLE of the annotation' },
      {
        codes: ['PodCredentialsMissing'],
        tells: 'the user is the role of the node (assumed-role/.../i-...): the pod has no role of its own',
      },
      { codes: ['PodStaticCredentials'], tells: 'the user is an IAM user or another role: keys or a profile come before IRSA' },
      { codes: ['PodIdentityShadowsIrsa'], tells: 'the session is named eks-...: EKS Pod Identity gave the credentials' },
    ],
  },
  // Without credentials no service was called: these are words of the SDKs themselves.
  { pattern: /NoCredentialProviders/, ...NO_CREDENTIALS },
  { pattern: /no EC2 IMDS role found/, ...NO_CREDENTIALS },
  { pattern: /Unable to locate credentials/, ...NO_CREDENTIALS },
  { pattern: /Could not load credentials from any providers/, ...NO_CREDENTIALS },
  { pattern: /Missing credentials in config/, ...NO_CREDENTIALS },
  { pattern: /Unable to load (?:AWS )?credentials from any (?:of the providers|provider) in the chain/, ...NO_CREDENTIALS },
  { pattern: /the credential provider was not enabled|no providers in chain provided credentials/, ...NO_CREDENTIALS },
  {
    pattern: /Failed to resolve AWS credentials|Unable to get IAM security credentials from EC2 Instance Metadata Service/,
    ...NO_CREDENTIALS,
  },
  {
    pattern: /To use web identity tokens, the 'sts' service module must be on the class path/,
    means: 'The pod has the role. The application lacks the part of the SDK for Java that asks STS: add the module sts.',
    candidates: [],
  },
];
