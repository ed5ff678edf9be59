import type { ConditionType } from '../../src/api/condition.ts';
import type { FindingCode } from '../../src/api/finding.ts';
import { awsErrors, awsThrottled, unlessAwsIsOut } from './aws.ts';
import type { Alert } from './rule.ts';

/** Findings that have an alert of their own. `BindingStalled` and `BindingNotReady` leave these bindings to it: one alert for a cause. */
const CLUSTER_NOT_TRUSTED: readonly FindingCode[] = ['OidcProviderMissing', 'OidcProviderUrlMismatch', 'IssuerUnknown', 'IssuerNotPublic'];
const REVOCATION_PAUSED: readonly FindingCode[] = ['RevocationPaused'];
const WRITE_REJECTED: readonly FindingCode[] = ['TrustWriteRejected', 'TrustOrphanedPrincipal'];
const CONTENDED: readonly FindingCode[] = ['Contended'];
const ACCOUNT_UNREACHABLE: readonly FindingCode[] = ['AccountRoleDenied', 'AccountMismatch', 'PartitionUnreachable'];
const RESTART_BLOCKED: readonly FindingCode[] = ['EvictionBlocked', 'MultiplePDBs'];
const WITH_OWN_ALERT = [
  ...CLUSTER_NOT_TRUSTED,
  ...REVOCATION_PAUSED,
  ...WRITE_REJECTED,
  ...CONTENDED,
  ...ACCOUNT_UNREACHABLE,
  ...RESTART_BLOCKED,
];

/** Both replicas have these gauges. */
const BY_BINDING = 'max by (namespace, name)';
const found = (codes: readonly FindingCode[]): string => `irsa_binding_findings{code${codes.length > 1 ? '=~' : '='}"${codes.join('|')}"}`;
const isTrue = (condition: ConditionType): string => `irsa_binding_status_condition{condition="${condition}",status="True"}`;
const BINDING = '{{ $labels.namespace }}/{{ $labels.name }}';

/** The Lease and its metric have this name, wherever the operator is installed. */
const LEADS = 'sum(leader_election_master_status{name="irsa-operator"})';
/** A bookmark comes once a minute, and a watch that is silent for 90 s is opened again. */
const SILENT_SECONDS = 300;
const SHARE_OF_ERRORS = 0.1;
const SHARE_OF_QUOTA = 0.9;

export const ALERTS: readonly Alert[] = [
  {
    name: 'IrsaOperatorDown',
    severity: 'critical',
    forMinutes: 5,
    expr: () => 'absent(irsa_build_info)',
    summary: 'Prometheus reads no metrics of irsa-operator',
    description: 'No replica runs, or Prometheus does not reach one. Credentials of running pods are not affected. New bindings wait.',
  },
  {
    name: 'IrsaNoLeader',
    severity: 'critical',
    forMinutes: 2,
    expr: () => `${LEADS} == 0`,
    summary: 'No replica of irsa-operator leads',
    description: 'Replicas run, and none has the lease. irsa-operator writes nothing until one has it.',
  },
  {
    name: 'IrsaManyLeaders',
    severity: 'critical',
    forMinutes: 1,
    expr: () => `${LEADS} > 1`,
    summary: '{{ $value }} replicas of irsa-operator lead',
    description: 'One at most may lead. Two installations in the cluster, or two Leases, are the usual cause.',
  },
  {
    name: 'IrsaCacheStale',
    severity: 'critical',
    forMinutes: 5,
    expr: () => `max(time() - irsa_reflector_last_contact_timestamp_seconds) > ${SILENT_SECONDS}`,
    summary: 'irsa-operator has not heard of a kind for {{ $value | humanizeDuration }}',
    description: 'The API server sends nothing about at least one kind. What irsa-operator knows of these objects may be old.',
  },
  {
    name: 'IrsaPanics',
    severity: 'critical',
    forMinutes: 0,
    expr: (duration) => `sum by (controller) (increase(controller_runtime_reconcile_panics_total[${duration(15)}])) > 0`,
    summary: 'irsa-operator has a bug: its controller {{ $labels.controller }} threw an unexpected error',
    description: 'The log has the stack. irsa-operator retries the object, and continues with the others.',
  },
  {
    name: 'IrsaOidcProviderMissing',
    severity: 'critical',
    forMinutes: 5,
    expr: () => `max by (code) (${found(CLUSTER_NOT_TRUSTED)}) > 0`,
    summary: 'AWS does not trust the tokens of this cluster ({{ $labels.code }})',
    description: 'No pod of the cluster gets new credentials by IRSA. Every binding waits for this one cause.',
  },
  {
    name: 'IrsaBindingStalled',
    severity: 'warning',
    forMinutes: 10,
    expr: () => `${BY_BINDING} (${isTrue('Stalled')}) == 1\nunless on (namespace, name)\n${found(WITH_OWN_ALERT)}`,
    summary: `Binding ${BINDING} waits for you`,
    description: 'irsa-operator cannot continue until you change something. The message of the condition Ready says what.',
  },
  {
    name: 'IrsaBindingNotReady',
    severity: 'warning',
    forMinutes: 15,
    expr: (duration) =>
      [
        `${BY_BINDING} (${isTrue('Ready')}) == 0`,
        `unless on (namespace, name)\n${isTrue('Stalled')} == 1`,
        `unless on (namespace, name)\n${found(WITH_OWN_ALERT)}`,
        unlessAwsIsOut(duration),
      ].join('\n'),
    summary: `Binding ${BINDING} is not Ready`,
    description: 'irsa-operator is working on it or retries, for longer than it should need.',
  },
  {
    name: 'IrsaSweepStale',
    severity: 'warning',
    forMinutes: 5,
    expr: (duration) => `max(irsa_sweep_age_seconds) > 3 * max(irsa_sweep_interval_seconds)\n${unlessAwsIsOut(duration)}`,
    summary: 'irsa-operator last read all roles {{ $value | humanizeDuration }} ago',
    description: 'Three sweeps did not succeed. Changes of trust policies by others are not seen.',
  },
  {
    name: 'IrsaAccountUnreachable',
    severity: 'warning',
    forMinutes: 10,
    expr: (duration) => `max by (account) (irsa_account_reachable) == 0\n${unlessAwsIsOut(duration)}`,
    summary: 'irsa-operator does not reach account {{ $labels.account }}',
    description: 'Trust in this account is neither written nor revoked. Bindings of its roles have no alert of their own.',
  },
  {
    name: 'IrsaAwsErrors',
    severity: 'warning',
    forMinutes: 15,
    expr: awsErrors(SHARE_OF_ERRORS),
    summary: '{{ $value | humanizePercentage }} of the calls of an operation of AWS fail',
    description:
      'AWS is out of order, or does not accept the credentials or the permissions of irsa-operator. Bindings that wait for AWS have no alert of their own.',
  },
  {
    name: 'IrsaAwsThrottled',
    severity: 'warning',
    forMinutes: 15,
    expr: awsThrottled,
    summary: 'AWS throttles irsa-operator',
    description: 'AWS has throttled calls again and again. irsa-operator has slowed down, and what it writes comes late.',
  },
  {
    name: 'IrsaTrustPolicyNearQuota',
    severity: 'warning',
    forMinutes: 30,
    expr: () => `max by (role_arn) (irsa_trust_policy_size_ratio) > ${SHARE_OF_QUOTA}`,
    summary: 'The trust policy of {{ $labels.role_arn }} needs {{ $value | humanizePercentage }} of its quota',
    description: 'The next ServiceAccount may not fit. Those that are in the policy stay.',
  },
  {
    name: 'IrsaTrustWriteRejected',
    severity: 'warning',
    forMinutes: 10,
    expr: () => `${BY_BINDING} (${found(WRITE_REJECTED)}) > 0`,
    summary: `IAM rejects the trust policy that ${BINDING} needs`,
    description: 'Another statement of the role does not pass the checks of IAM. irsa-operator never removes it.',
  },
  {
    name: 'IrsaContended',
    severity: 'warning',
    forMinutes: 5,
    expr: () => `${BY_BINDING} (${found(CONTENDED)}) > 0`,
    summary: `Another writer keeps reverting what irsa-operator writes for ${BINDING}`,
    description: 'irsa-operator writes at most once in 5 minutes. The status has the name of the other writer.',
  },
  {
    name: 'IrsaRestartBlocked',
    severity: 'warning',
    forMinutes: 30,
    expr: () => `${BY_BINDING} (${found(RESTART_BLOCKED)}) > 0`,
    summary: `A PodDisruptionBudget blocks the restart of the pods of ${BINDING}`,
    description: 'These pods run without the role, or with a former one, until they are replaced.',
  },
  {
    name: 'IrsaRevocationPaused',
    severity: 'warning',
    forMinutes: 1,
    expr: () => `max(${found(REVOCATION_PAUSED)}) > 0`,
    summary: 'irsa-operator has paused revocation: too many ServiceAccounts lost their grant',
    description: 'Their trust is kept until you restore the grants or confirm the revocation.',
  },
  {
    name: 'IrsaTrustUngranted',
    severity: 'warning',
    forMinutes: 1,
    expr: () => 'max by (account) (irsa_trust_ungranted) > 0',
    summary: '{{ $value }} ServiceAccounts are trusted in account {{ $labels.account }} and no grant was ever seen for them',
    description: 'irsa-operator revokes their trust after --ungranted-grace, a day by default.',
  },
  {
    name: 'IrsaUnconfined',
    severity: 'warning',
    forMinutes: 15,
    expr: () => 'count(irsa_confined == 0) > 0',
    summary: '{{ $value }} admission policies do not confine irsa-operator',
    description: 'irsa-operator works, and could change more than it needs to.',
  },
  {
    name: 'IrsaUnboundUntrusted',
    severity: 'info',
    forMinutes: 60,
    expr: () => 'count by (namespace) (max by (namespace, service_account) (irsa_serviceaccount_trusted) == 0) > 0',
    summary: '{{ $value }} annotated ServiceAccounts of {{ $labels.namespace }} have no binding, and STS does not accept them',
    description: 'Their pods get no credentials. irsa-operator changes nothing without a binding.',
  },
];
