import type { SeenByCheck } from './seen-by.ts';

const COMMANDS = 'commands';
const NEW_ROLE = 'a new role needs permissions that check does not know';
const ROLE_OWNER = 'the owner of the role decides';
const NO_ROOM = 'the trust policy has no room for another statement';
const REJECTED = 'IAM rejects every change until the owner of the role corrects another statement';
const WORKLOAD_OWNER = 'the owner of the workload decides';
const ADMINISTRATOR = 'the administrator of the cluster decides';
const ANNOTATION_OWNER = 'the owner of the annotation decides';
const WORKS = 'it works as it is';

/**
 * Whether the commands that `irsa-operator check` prints fix a finding, or why there is none. Where the annotation names no role they need
 * `--role-arn`. A command never removes data, and trusts nothing but this ServiceAccount.
 */
export const FIXED_BY_CHECK = {
  RoleNotFound: NEW_ROLE,
  RoleUnmodifiable: 'only AWS can change the role',
  RoleArnMismatch: COMMANDS,
  AudienceForbidden: COMMANDS,
  IssuerNotPublic: ADMINISTRATOR,
  OidcProviderMissing: COMMANDS,
  OidcProviderUrlMismatch: COMMANDS,
  OidcProviderAudienceMissing: COMMANDS,
  TrustPolicyUnparseable: ROLE_OWNER,
  TrustNoWebIdentityStatement: COMMANDS,
  TrustWrongAction: COMMANDS,
  TrustPrincipalNotFederated: COMMANDS,
  TrustPrincipalProviderMismatch: COMMANDS,
  TrustPrincipalOtherAccount: COMMANDS,
  TrustPrincipalPartition: COMMANDS,
  TrustPrincipalMalformed: COMMANDS,
  TrustPrincipalWildcard: COMMANDS,
  TrustOrphanedPrincipal: REJECTED,
  TrustThirdPartyGuard: REJECTED,
  TrustConditionKeyIssuerMismatch: COMMANDS,
  TrustConditionKeyMalformed: COMMANDS,
  TrustConditionKeySwapped: COMMANDS,
  TrustConditionKeyUnknown: ROLE_OWNER,
  TrustSubjectMismatch: COMMANDS,
  TrustSubjectWhitespace: COMMANDS,
  TrustSubjectCase: COMMANDS,
  TrustSubjectMalformed: COMMANDS,
  TrustWildcardInStringEquals: COMMANDS,
  TrustAudienceMismatch: COMMANDS,
  TrustMultiIssuerAnd: COMMANDS,
  TrustSetOperatorMisuse: WORKS,
  TrustExplicitDeny: ROLE_OWNER,
  TrustNullCondition: COMMANDS,
  TrustConditionUnsatisfiable: COMMANDS,
  TrustOverPermissive: WORKS,
  TrustPolicyTooLarge: NO_ROOM,
  TrustPodIdentityOnly: COMMANDS,
  TrustSidTaken: ROLE_OWNER,
  TrustRestrictedByOwner: ROLE_OWNER,
  ServiceAccountMissing: COMMANDS,
  AnnotationMissing: COMMANDS,
  AnnotationRoleMismatch: COMMANDS,
  AnnotationMalformed: COMMANDS,
  AnnotationKeyMisspelt: COMMANDS,
  AudienceAnnotationMismatch: COMMANDS,
  TokenExpirationInvalid: ANNOTATION_OWNER,
  WebhookMissing: ADMINISTRATOR,
  WebhookNotSelecting: ADMINISTRATOR,
  WebhookDefaultAudience: COMMANDS,
  RolePermissionDenied: ROLE_OWNER,
  WorkloadUsesOtherServiceAccount: WORKLOAD_OWNER,
  PodCredentialsMissing: COMMANDS,
  PodRoleArnStale: COMMANDS,
  PodAudienceStale: COMMANDS,
  PodEnvOverridden: COMMANDS,
  PodPartialInjection: COMMANDS,
  VolumeNameTaken: WORKLOAD_OWNER,
  MountPathTaken: WORKLOAD_OWNER,
  PodStaticCredentials: COMMANDS,
  WebhookSkipped: COMMANDS,
  ContainerSkipped: COMMANDS,
  PodIdentityShadowsIrsa: WORKLOAD_OWNER,
  PodNotRestartable: WORKLOAD_OWNER,
} as const satisfies Record<SeenByCheck, string>;
