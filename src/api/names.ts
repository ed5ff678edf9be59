/** Every string that somebody outside of the process knows us by. */
export const GROUP = 'irsa-operator.dev';
export const VERSION = 'v1alpha1';

/** Lets us clean up what we wrote before a binding goes. */
export const FINALIZER = `${GROUP}/finalizer`;

/** Annotations of ours on bindings and pods. */
export const ANNOTATIONS = {
  /** On a binding that is being deleted: `"true"` lets it go although its trust could not be released. */
  forceDelete: `${GROUP}/force-delete`,
  /** On any grant: the time up to which losses of grants may be acted on, though they are many. RFC 3339. */
  revocationConfirmed: `${GROUP}/revocation-confirmed`,
  /** On a pod: `never` leaves it alone, `evict` allows to restart one that no ReplicaSet, StatefulSet or DaemonSet controls. */
  restart: `${GROUP}/restart`,
  /** On a binding: a value that was not there before requests a reconcile that reads the role and its provider anew. */
  reconcileRequestedAt: `${GROUP}/reconcile-requested-at`,
  /** On the template of a workload: changed by us, so that its controller makes every pod again. */
  restartedAt: `${GROUP}/restarted-at`,
} as const;

/** What the EKS pod identity webhook reads from a ServiceAccount (webhook README). */
export const EKS_ANNOTATIONS = {
  roleArn: 'eks.amazonaws.com/role-arn',
  audience: 'eks.amazonaws.com/audience',
  tokenExpiration: 'eks.amazonaws.com/token-expiration',
  stsRegionalEndpoints: 'eks.amazonaws.com/sts-regional-endpoints',
} as const;

/** What the webhook injects into a pod (webhook source). */
export const INJECTED = {
  roleArn: 'AWS_ROLE_ARN',
  tokenFile: 'AWS_WEB_IDENTITY_TOKEN_FILE',
  volume: 'aws-iam-token',
  tokenName: 'token',
} as const;

/** The variables of a container by which an SDK finds credentials. Nothing is known of any other. */
export const CREDENTIAL_VARIABLES = [
  INJECTED.roleArn,
  INJECTED.tokenFile,
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_STS_REGIONAL_ENDPOINTS',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
] as const;

/** The one action that a web identity needs. */
export const WEB_IDENTITY_ACTION = 'sts:AssumeRoleWithWebIdentity';

/** The audience that STS wants and the webhook asks for unless it is told another. */
export const STS_AUDIENCE = 'sts.amazonaws.com';

/** The names under which the API server keeps our writes apart: one for what we apply elsewhere, one for our own status. */
export const FIELD_MANAGER = 'irsa-operator';
export const STATUS_FIELD_MANAGER = 'irsa-operator-status';

/**
 * The admission policies that confine the operator, as config/policies and config/verification name them. An installation may add a prefix or
 * a suffix.
 */
export const POLICIES = [
  'irsa-operator-service-accounts',
  'irsa-operator-bindings',
  'irsa-operator-status',
  'irsa-operator-workloads',
  'irsa-operator-revocations',
  'irsa-operator-verification',
] as const;
export type Policy = (typeof POLICIES)[number];

/** The one ConfigMap that the operator may write, in its own namespace. */
export const REVOCATIONS = 'irsa-operator-revocations';

/** A role carrying this tag with the value `true` is not written to, but for a revocation. */
export const PAUSED_ROLE_TAG = `${GROUP}/paused`;
