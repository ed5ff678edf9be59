import type { IrsaBinding } from '../api/binding.ts';
import type { FindingCode } from '../api/finding.ts';

/** What is told about a binding as it happens; a closed vocabulary, findings included. */
export type EventReason =
  | 'OidcProviderCreated'
  | 'TrustPolicyWritten'
  | 'ServiceAccountAnnotated'
  | 'AnnotationRemoved'
  | 'PodRestarted'
  | 'WorkloadRestarted'
  | 'Ready'
  | 'NotConfined'
  | 'NoCredentials'
  | 'Confined'
  | FindingCode;
export type EventAction =
  | 'CreateOidcProvider'
  | 'WriteTrustPolicy'
  | 'Annotate'
  | 'RemoveAnnotation'
  | 'RestartPod'
  | 'Reconcile'
  | 'Audit'
  | 'Revoke'
  | 'CheckConfinement'
  | 'CheckApiServer'
  | 'GetCallerIdentity';

export interface BindingEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly action: EventAction;
  readonly note: string;
}

/** Never blocks and never throws: an event that does not get through is dropped. */
export interface BindingEvents {
  record(binding: IrsaBinding, event: BindingEvent): void;
}

/** About the operator's own object, in its own namespace and never in a tenant's. As above, it never blocks and never throws. */
export interface OwnEvents {
  record(event: BindingEvent): void;
}
