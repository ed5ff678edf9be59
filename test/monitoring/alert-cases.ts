/** Series by name and labels, in the notation of promtool: a value a minute. */
export type Series = Readonly<Record<string, string>>;

export interface Firing {
  readonly series: Series;
  /** Minutes since the first value. */
  readonly at: number;
  /** One alert, beside `alertname` and `severity`. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly summary: string;
}

export interface Silent {
  readonly series: Series;
  readonly at: number;
  /** What fires in place of it. */
  readonly instead?: readonly string[];
}

export interface AlertCases {
  readonly fires: Firing;
  readonly silent: Readonly<Record<string, Silent>>;
}

/** An operator with two replicas that is well: beside the series of each case, unless it has the same. */
export const WELL: Series = {
  'irsa_build_info{version="0.1.0",pod="a"}': '1x200',
  'leader_election_master_status{name="irsa-operator",pod="a"}': '1x200',
  'leader_election_master_status{name="irsa-operator",pod="b"}': '0x200',
  'irsa_sweep_interval_seconds{pod="a"}': '60x200',
  'irsa_sweep_interval_seconds{pod="b"}': '60x200',
  'irsa_sweep_age_seconds{pod="a"}': '30x200',
  'irsa_aws_requests_total{service="iam",operation="ListRoles",code="ok",pod="a"}': '0+1x200',
  'irsa_aws_requests_total{service="iam",operation="GetOpenIDConnectProvider",code="ok",pod="a"}': '0+1x200',
};

const condition = (type: string, name = 'app', pod = 'a') =>
  `irsa_binding_status_condition{namespace="shop",name="${name}",condition="${type}",status="True",pod="${pod}"}`;
const finding = (code: string, name = 'app') => `irsa_binding_findings{namespace="shop",name="${name}",code="${code}",pod="a"}`;
const request = (operation: string, code: string, service = 'iam') =>
  `irsa_aws_requests_total{service="${service}",operation="${operation}",code="${code}",pod="a"}`;
const LEADER_A = 'leader_election_master_status{name="irsa-operator",pod="a"}';
const LEADER_B = 'leader_election_master_status{name="irsa-operator",pod="b"}';
const BINDING = { namespace: 'shop', name: 'app' };

const STALLED = { [condition('Stalled')]: '1x200', [condition('Ready')]: '0x200' };
const NOT_READY = { [condition('Stalled')]: '0x200', [condition('Ready')]: '0x200' };
/** From the start on, every read of a sweep is answered so. */
const answered = (code: string): Series => ({
  [request('ListRoles', 'ok')]: '0x200',
  [request('GetOpenIDConnectProvider', 'ok')]: '0x200',
  [request('ListRoles', code)]: '0+3x200',
  [request('GetOpenIDConnectProvider', code)]: '0+1x200',
});

/** By alert: when it fires, and what is close to that and is none of it. Beside each alert no other one fires. */
export const CASES: Readonly<Record<string, AlertCases>> = {
  IrsaOperatorDown: {
    fires: {
      series: { 'irsa_build_info{version="0.1.0",pod="a"}': '1x10 stale', [LEADER_A]: '1x10 stale', [LEADER_B]: '0x10 stale' },
      at: 17,
      summary: 'Prometheus reads no metrics of irsa-operator',
    },
    silent: {
      'for the minutes of a restart': {
        series: {
          'irsa_build_info{version="0.1.0",pod="a"}': '1x10 stale _x3 1x30',
          [LEADER_A]: '1x10 stale _x3 1x30',
          [LEADER_B]: '_x30',
        },
        at: 16,
      },
      'while one replica is left': { series: { [LEADER_B]: '0x10 stale', 'irsa_sweep_interval_seconds{pod="b"}': '60x10 stale' }, at: 30 },
    },
  },
  IrsaNoLeader: {
    fires: { series: { [LEADER_A]: '1x5 0x20' }, at: 9, summary: 'No replica of irsa-operator leads' },
    silent: {
      'while another replica takes over': { series: { [LEADER_A]: '1x5 0x20', [LEADER_B]: '0x6 1x20' }, at: 9 },
      'for the Lease of another program': { series: { 'leader_election_master_status{name="other"}': '0x20' }, at: 20 },
      'where no replica is left': {
        series: { [LEADER_A]: '1x5 stale', [LEADER_B]: '0x5 stale', 'irsa_build_info{version="0.1.0",pod="a"}': '1x5 stale' },
        at: 20,
        instead: ['IrsaOperatorDown'],
      },
    },
  },
  IrsaManyLeaders: {
    fires: { series: { [LEADER_B]: '0x5 1x20' }, at: 8, summary: '2 replicas of irsa-operator lead' },
    silent: { 'for one scrape of a handover': { series: { [LEADER_A]: '1x5 0x20', [LEADER_B]: '0x4 1x20' }, at: 6 } },
  },
  IrsaCacheStale: {
    fires: {
      // Of Pods nothing came since the time 0.
      series: { 'irsa_reflector_last_contact_timestamp_seconds{kind="Pod",pod="a"}': '0x20' },
      at: 12,
      summary: 'irsa-operator has not heard of a kind for 12m 0s',
    },
    silent: {
      'while a bookmark comes every minute': {
        series: { 'irsa_reflector_last_contact_timestamp_seconds{kind="Pod",pod="a"}': '0+60x20' },
        at: 20,
      },
      'where the API server was away for some minutes': {
        series: { 'irsa_reflector_last_contact_timestamp_seconds{kind="Pod",pod="a"}': '0x9 600+60x20' },
        at: 20,
      },
    },
  },
  IrsaPanics: {
    fires: {
      series: { 'controller_runtime_reconcile_panics_total{controller="role",pod="a"}': '0x5 1x20' },
      at: 8,
      labels: { controller: 'role' },
      summary: 'irsa-operator has a bug: its controller role threw an unexpected error',
    },
    silent: {
      'for reconciliations that failed as they may': {
        series: {
          'controller_runtime_reconcile_errors_total{controller="role",pod="a"}': '0+5x20',
          'controller_runtime_reconcile_panics_total{controller="role",pod="a"}': '0x20',
        },
        at: 20,
      },
    },
  },
  IrsaOidcProviderMissing: {
    fires: {
      series: {
        ...STALLED,
        [finding('OidcProviderMissing')]: '1x30',
        [condition('Stalled', 'other')]: '1x30',
        [condition('Ready', 'other')]: '0x30',
        [finding('OidcProviderMissing', 'other')]: '1x30',
      },
      at: 29,
      labels: { code: 'OidcProviderMissing' },
      summary: 'AWS does not trust the tokens of this cluster (OidcProviderMissing)',
    },
    silent: {
      'for an audience that one binding wants': {
        series: { ...STALLED, [finding('OidcProviderAudienceMissing')]: '1x30' },
        at: 29,
        instead: ['IrsaBindingStalled'],
      },
    },
  },
  IrsaBindingStalled: {
    fires: { series: STALLED, at: 11, labels: BINDING, summary: 'Binding shop/app waits for you' },
    silent: {
      'for a binding that is Reconciling': { series: NOT_READY, at: 11 },
      'for a binding whose grant comes some minutes late': {
        series: { [condition('Stalled')]: '1x8 0x20', [condition('Ready')]: '0x8 1x20' },
        at: 20,
      },
      'where a replica that restarts shows it once more': {
        series: { ...STALLED, [condition('Stalled', 'app', 'b')]: '0x5 1x20' },
        at: 9,
      },
    },
  },
  IrsaBindingNotReady: {
    fires: { series: NOT_READY, at: 16, labels: BINDING, summary: 'Binding shop/app is not Ready' },
    silent: {
      'where the binding is Stalled': { series: STALLED, at: 16, instead: ['IrsaBindingStalled'] },
      'for a binding that has its role but no ServiceAccount yet': { series: { [condition('Ready')]: '1x30' }, at: 29 },
      'during the restart of a large workload': { series: { [condition('Ready')]: '0x13 1x30' }, at: 20 },
      'where one replica knows better': { series: { ...NOT_READY, [condition('Ready', 'app', 'b')]: '1x30' }, at: 29 },
      'while AWS is out, which is one alert': {
        series: { ...NOT_READY, [condition('Ready', 'other')]: '0x30', ...answered('ServiceUnavailable') },
        at: 29,
        instead: ['IrsaAwsErrors'],
      },
      'after a restart while AWS is out, which is one alert': {
        series: {
          ...NOT_READY,
          [request('ListRoles', 'ok')]: 'stale',
          [request('GetOpenIDConnectProvider', 'ok')]: 'stale',
          [request('GetCallerIdentity', 'ServiceUnavailable', 'sts')]: '0+1x40',
        },
        at: 39,
        instead: ['IrsaAwsErrors'],
      },
      'while AWS throttles all reads, which is one alert': {
        series: { ...NOT_READY, ...answered('Throttling') },
        at: 29,
        instead: ['IrsaAwsThrottled'],
      },
      'while AWS denies all that irsa-operator may do, which is one alert': {
        series: { ...NOT_READY, ...answered('AccessDenied') },
        at: 29,
        instead: ['IrsaAwsErrors'],
      },
    },
  },
  IrsaSweepStale: {
    fires: { series: { 'irsa_sweep_age_seconds{pod="a"}': '0+60x30' }, at: 12, summary: 'irsa-operator last read all roles 12m 0s ago' },
    silent: {
      'where sweeps are an hour apart': {
        series: {
          'irsa_sweep_age_seconds{pod="a"}': '0+60x59 0+60x59',
          'irsa_sweep_interval_seconds{pod="a"}': '3600x200',
          'irsa_sweep_interval_seconds{pod="b"}': '3600x200',
        },
        at: 110,
      },
      'for one sweep that failed': { series: { 'irsa_sweep_age_seconds{pod="a"}': '0+60x5 0x30' }, at: 20 },
      'while AWS is out, which is one alert': {
        series: { 'irsa_sweep_age_seconds{pod="a"}': '0+60x30', ...answered('NoAnswer') },
        at: 29,
        instead: ['IrsaAwsErrors'],
      },
    },
  },
  IrsaAccountUnreachable: {
    fires: {
      series: {
        'irsa_account_reachable{account="111122223333",pod="a"}': '1x30',
        'irsa_account_reachable{account="444455556666",pod="a"}': '0x30',
      },
      at: 12,
      labels: { account: '444455556666' },
      summary: 'irsa-operator does not reach account 444455556666',
    },
    silent: {
      'for one that answers again within minutes': {
        series: { 'irsa_account_reachable{account="444455556666",pod="a"}': '0x8 1x30' },
        at: 20,
      },
      'where another replica leads now and reaches it': {
        series: {
          'irsa_account_reachable{account="444455556666",pod="a"}': '0x3 stale',
          'irsa_account_reachable{account="444455556666",pod="b"}': '_x3 1x30',
        },
        at: 20,
      },
      'for the bindings of its roles, which wait for the account': {
        series: {
          'irsa_account_reachable{account="444455556666",pod="a"}': '0x30',
          [finding('AccountRoleDenied')]: '1x30',
          [request('AssumeRole', 'AccessDenied', 'sts')]: '0+1x30',
          ...STALLED,
        },
        at: 5,
      },
      'while AWS is out, which is one alert': {
        series: { 'irsa_account_reachable{account="444455556666",pod="a"}': '0x30', ...answered('NoAnswer') },
        at: 29,
        instead: ['IrsaAwsErrors'],
      },
    },
  },
  IrsaAwsErrors: {
    fires: {
      series: { [request('GetAccountSummary', 'ok')]: '0+8x40', [request('GetAccountSummary', 'ServiceFailure')]: '0+2x40' },
      at: 28,
      summary: '20% of the calls of an operation of AWS fail',
    },
    silent: {
      'for one call in twenty': {
        series: { [request('GetRole', 'ok')]: '0+19x40', [request('GetRole', 'ServiceFailure')]: '0+1x40' },
        at: 39,
      },
      'for some minutes': { series: { [request('GetRole', 'ServiceFailure')]: '0x5 5x40' }, at: 25 },
      'for roles that do not exist, or that one tenant may not bind': {
        series: {
          [request('GetRole', 'NoSuchEntity')]: '0+5x40',
          [request('GetRole', 'AccessDenied')]: '0+5x40',
          [request('UpdateAssumeRolePolicy', 'AccessDenied')]: '0+1x40',
          [request('UpdateAssumeRolePolicy', 'MalformedPolicyDocument')]: '0+1x40',
        },
        at: 39,
      },
      'for tokens that STS refuses': {
        series: {
          [request('AssumeRoleWithWebIdentity', 'AccessDenied', 'sts')]: '0+5x40',
          [request('AssumeRoleWithWebIdentity', 'InvalidIdentityToken', 'sts')]: '0+5x40',
        },
        at: 39,
      },
      'where ListRoles is denied on purpose': {
        series: { [request('ListRoles', 'ok')]: '0x40', [request('ListRoles', 'AccessDenied')]: '0+1x40' },
        at: 39,
      },
    },
  },
  IrsaAwsThrottled: {
    fires: {
      series: { [request('GetRole', 'ok')]: '0+99x40', [request('GetRole', 'Throttling')]: '0+1x40' },
      at: 20,
      summary: 'AWS throttles irsa-operator',
    },
    silent: { 'for one burst': { series: { [request('GetRole', 'Throttling')]: '0x5 30x40' }, at: 25 } },
  },
  IrsaTrustPolicyNearQuota: {
    fires: {
      series: { 'irsa_trust_policy_size_ratio{role_arn="arn:aws:iam::111122223333:role/shared",pod="a"}': '0.95x60' },
      at: 31,
      labels: { role_arn: 'arn:aws:iam::111122223333:role/shared' },
      summary: 'The trust policy of arn:aws:iam::111122223333:role/shared needs 95% of its quota',
    },
    silent: {
      'at nine tenths': {
        series: { 'irsa_trust_policy_size_ratio{role_arn="arn:aws:iam::111122223333:role/shared",pod="a"}': '0.9x60' },
        at: 59,
      },
    },
  },
  IrsaTrustWriteRejected: {
    fires: {
      series: { ...STALLED, [finding('TrustWriteRejected')]: '1x30' },
      at: 29,
      labels: BINDING,
      summary: 'IAM rejects the trust policy that shop/app needs',
    },
    silent: {
      'for a policy that is too large': {
        series: { ...STALLED, [finding('TrustPolicyTooLarge')]: '1x30' },
        at: 29,
        instead: ['IrsaBindingStalled'],
      },
    },
  },
  IrsaContended: {
    fires: {
      series: { ...STALLED, [finding('Contended')]: '1x30' },
      at: 29,
      labels: BINDING,
      summary: 'Another writer keeps reverting what irsa-operator writes for shop/app',
    },
    silent: { 'for a repair that was reverted for a moment': { series: { ...NOT_READY, [finding('Contended')]: '1x3 stale' }, at: 6 } },
  },
  IrsaRestartBlocked: {
    fires: {
      series: { ...NOT_READY, [finding('EvictionBlocked')]: '1x60' },
      at: 31,
      labels: BINDING,
      summary: 'A PodDisruptionBudget blocks the restart of the pods of shop/app',
    },
    silent: {
      'while a budget lets one pod after the other go': {
        series: { ...NOT_READY, [finding('EvictionBlocked')]: '1x20 stale _x4 1x20' },
        at: 29,
        instead: [],
      },
    },
  },
  IrsaRevocationPaused: {
    fires: {
      series: {
        ...STALLED,
        [finding('RevocationPaused')]: '1x30',
        [condition('Stalled', 'other')]: '1x30',
        [finding('RevocationPaused', 'other')]: '1x30',
      },
      at: 29,
      summary: 'irsa-operator has paused revocation: too many ServiceAccounts lost their grant',
    },
    silent: {
      'for one binding without a grant': {
        series: { ...STALLED, [finding('NotGranted')]: '1x30' },
        at: 29,
        instead: ['IrsaBindingStalled'],
      },
    },
  },
  IrsaTrustUngranted: {
    fires: {
      series: { 'irsa_trust_ungranted{account="111122223333",pod="a"}': '0x5 3x30' },
      at: 8,
      labels: { account: '111122223333' },
      summary: '3 ServiceAccounts are trusted in account 111122223333 and no grant was ever seen for them',
    },
    silent: { 'where all are covered': { series: { 'irsa_trust_ungranted{account="111122223333",pod="a"}': '0x30' }, at: 29 } },
  },
  IrsaUnconfined: {
    fires: {
      series: {
        'irsa_confined{policy="irsa-operator-bindings",pod="a"}': '0x30',
        'irsa_confined{policy="irsa-operator-workloads",pod="a"}': '0x30',
      },
      at: 16,
      summary: '2 admission policies do not confine irsa-operator',
    },
    silent: { 'where all confine it': { series: { 'irsa_confined{policy="irsa-operator-bindings",pod="a"}': '1x30' }, at: 29 } },
  },
  IrsaUnboundUntrusted: {
    fires: {
      series: {
        'irsa_serviceaccount_trusted{namespace="shop",service_account="a",pod="a"}': '0x90',
        'irsa_serviceaccount_trusted{namespace="shop",service_account="b",pod="a"}': '0x90',
        'irsa_serviceaccount_trusted{namespace="bank",service_account="c",pod="a"}': '1x90',
      },
      at: 61,
      labels: { namespace: 'shop' },
      summary: '2 annotated ServiceAccounts of shop have no binding, and STS does not accept them',
    },
    silent: {
      'where STS accepts it': { series: { 'irsa_serviceaccount_trusted{namespace="shop",service_account="a",pod="a"}': '1x90' }, at: 89 },
    },
  },
};
