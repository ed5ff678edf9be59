import type { FindingCode } from './finding.ts';

const GRANTS = 'a person needs no grant';
const WRITES = 'it comes of writing, and check writes nothing';
const TIME = 'it needs time, and check looks once';
const PROOF = 'it comes of a token that irsa-operator asks for, and check asks for none';
const BINDING = 'a person has no binding';
const ACCOUNT = 'a person comes with credentials of their own';
const UNREAD = 'check says of such a step that it was not read';

/** Findings of an operator alone, with why `irsa-operator check` of a cluster cannot have them. All others it can. In files it has those of bindings too. */
export const ONLY_OPERATOR = {
  NotGranted: GRANTS,
  GrantLimitReached: GRANTS,
  RevocationPaused: GRANTS,
  TrustUngranted: GRANTS,
  InvalidSpec: BINDING,
  ReconcileRequestInvalid: BINDING,
  ServiceAccountTaken: BINDING,
  TrustOrphaned: BINDING,
  AnnotationSettingMismatch: BINDING,
  PodExpirationStale: BINDING,
  RoleIsOperator: 'the role of a person may be bound',
  RoleAccessDenied: UNREAD,
  RoleInOtherAccount: UNREAD,
  AccountRoleDenied: ACCOUNT,
  AccountMismatch: ACCOUNT,
  AccountSuspended: ACCOUNT,
  PartitionUnreachable: ACCOUNT,
  IssuerUnknown: UNREAD,
  RolePaused: WRITES,
  TrustWriteRejected: WRITES,
  TrustRevocationBlocked: WRITES,
  RolloutForbidden: WRITES,
  EvictionBlocked: WRITES,
  MultiplePDBs: WRITES,
  Contended: TIME,
  RestartStalled: TIME,
  RestartIneffective: TIME,
  OrgPolicyDenied: PROOF,
  IdpUnreachable: PROOF,
  OidcProviderThumbprint: PROOF,
  TokenExpired: PROOF,
  TokenRejected: PROOF,
  StsRegionDisabled: PROOF,
} as const satisfies Partial<Record<FindingCode, string>>;

/** Findings that check can have. */
export type SeenByCheck = Exclude<FindingCode, keyof typeof ONLY_OPERATOR>;
