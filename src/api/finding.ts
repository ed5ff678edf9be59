/**
 * Everything that can be wrong with a binding, as a closed vocabulary: the status, Events, metrics and documentation use the same codes.
 * Each has a page in `docs/findings/`. `Error` breaks credentials or stops us; `Warning` works, or works for now.
 */
export const FINDINGS = {
  // The grant and the declaration itself
  NotGranted: 'Error',
  GrantLimitReached: 'Error',
  InvalidSpec: 'Error',
  ReconcileRequestInvalid: 'Warning',
  RoleIsOperator: 'Error',
  AudienceForbidden: 'Error',
  RevocationPaused: 'Error',
  ServiceAccountTaken: 'Error',
  // The role
  RoleNotFound: 'Error',
  RoleUnmodifiable: 'Error',
  RoleAccessDenied: 'Error',
  RoleArnMismatch: 'Error',
  RoleInOtherAccount: 'Error',
  AccountRoleDenied: 'Error',
  AccountMismatch: 'Error',
  AccountSuspended: 'Error',
  PartitionUnreachable: 'Error',
  RolePaused: 'Warning',
  // The cluster's issuer and its provider in the role's account
  IssuerUnknown: 'Error',
  IssuerNotPublic: 'Error',
  OidcProviderMissing: 'Error',
  OidcProviderUrlMismatch: 'Error',
  OidcProviderAudienceMissing: 'Error',
  // The trust policy
  TrustPolicyUnparseable: 'Error',
  TrustNoWebIdentityStatement: 'Error',
  TrustWrongAction: 'Error',
  TrustPrincipalNotFederated: 'Error',
  TrustPrincipalProviderMismatch: 'Error',
  TrustPrincipalOtherAccount: 'Error',
  TrustPrincipalPartition: 'Error',
  TrustPrincipalMalformed: 'Error',
  TrustPrincipalWildcard: 'Error',
  TrustOrphanedPrincipal: 'Error',
  TrustThirdPartyGuard: 'Error',
  TrustConditionKeyIssuerMismatch: 'Error',
  TrustConditionKeyMalformed: 'Error',
  TrustConditionKeySwapped: 'Error',
  TrustConditionKeyUnknown: 'Error',
  TrustSubjectMismatch: 'Error',
  TrustSubjectWhitespace: 'Error',
  TrustSubjectCase: 'Error',
  TrustSubjectMalformed: 'Error',
  TrustWildcardInStringEquals: 'Error',
  TrustAudienceMismatch: 'Error',
  TrustMultiIssuerAnd: 'Error',
  TrustSetOperatorMisuse: 'Warning',
  TrustExplicitDeny: 'Error',
  TrustNullCondition: 'Error',
  TrustConditionUnsatisfiable: 'Error',
  TrustOverPermissive: 'Warning',
  TrustPolicyTooLarge: 'Error',
  TrustPodIdentityOnly: 'Error',
  TrustSidTaken: 'Error',
  TrustRestrictedByOwner: 'Error',
  TrustUngranted: 'Error',
  TrustOrphaned: 'Warning',
  TrustWriteRejected: 'Error',
  TrustRevocationBlocked: 'Error',
  // The ServiceAccount
  ServiceAccountMissing: 'Error',
  AnnotationMissing: 'Warning',
  AnnotationRoleMismatch: 'Warning',
  AnnotationMalformed: 'Warning',
  AnnotationKeyMisspelt: 'Warning',
  AudienceAnnotationMismatch: 'Warning',
  AnnotationSettingMismatch: 'Warning',
  TokenExpirationInvalid: 'Warning',
  Contended: 'Warning',
  // The webhook and the calls of the pods, which irsa-operator check reads
  WebhookMissing: 'Error',
  WebhookNotSelecting: 'Error',
  WebhookDefaultAudience: 'Warning',
  RolePermissionDenied: 'Warning',
  // The proof by STS
  OrgPolicyDenied: 'Error',
  IdpUnreachable: 'Error',
  OidcProviderThumbprint: 'Error',
  TokenExpired: 'Error',
  TokenRejected: 'Error',
  StsRegionDisabled: 'Error',
  // The pods
  WorkloadUsesOtherServiceAccount: 'Warning',
  PodCredentialsMissing: 'Warning',
  PodRoleArnStale: 'Warning',
  PodAudienceStale: 'Warning',
  PodExpirationStale: 'Warning',
  PodEnvOverridden: 'Warning',
  PodPartialInjection: 'Warning',
  VolumeNameTaken: 'Warning',
  MountPathTaken: 'Warning',
  PodStaticCredentials: 'Warning',
  WebhookSkipped: 'Warning',
  ContainerSkipped: 'Warning',
  PodIdentityShadowsIrsa: 'Warning',
  PodNotRestartable: 'Warning',
  EvictionBlocked: 'Warning',
  MultiplePDBs: 'Warning',
  RolloutForbidden: 'Error',
  RestartStalled: 'Error',
  RestartIneffective: 'Error',
} as const satisfies Record<string, 'Error' | 'Warning'>;

export type FindingCode = keyof typeof FINDINGS;
export type Severity = (typeof FINDINGS)[FindingCode];

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** One sentence: what was looked at, what was found, what was wanted, values quoted. */
  readonly message: string;
}

export function finding(code: FindingCode, message: string): Finding {
  return { code, severity: FINDINGS[code], message };
}
