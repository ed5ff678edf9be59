import { graph, number, type Page, stack } from './panel.ts';

/** For the team that runs irsa-operator: is it well, and who waits for what. */
export const OVERVIEW: Page = {
  uid: 'irsa-operator-overview',
  title: 'irsa-operator / Overview',
  variables: [],
  rows: {
    Now: [
      number({
        title: 'Bindings',
        description: 'All bindings of the cluster.',
        queries: [{ expr: 'sum(max by (status, reason) (irsa_bindings{condition="Ready"}))', legend: 'bindings' }],
      }),
      number({
        title: 'Ready',
        description: 'The part of them that is Ready.',
        unit: 'percentunit',
        colours: [
          [null, 'orange'],
          [1, 'green'],
        ],
        queries: [
          {
            expr: 'sum(max by (reason) (irsa_bindings{condition="Ready",status="True"})) / sum(max by (status, reason) (irsa_bindings{condition="Ready"}))',
            legend: 'Ready',
          },
        ],
      }),
      number({
        title: 'Wait for a person',
        description: 'Stalled: irsa-operator cannot continue until you change something.',
        colours: [
          [null, 'green'],
          [1, 'orange'],
        ],
        queries: [{ expr: 'sum(max by (reason) (irsa_bindings{condition="Stalled",status="True"})) or vector(0)', legend: 'Stalled' }],
      }),
      number({
        title: 'In progress',
        description: 'Reconciling: irsa-operator is working on them, or retries.',
        queries: [
          { expr: 'sum(max by (reason) (irsa_bindings{condition="Reconciling",status="True"})) or vector(0)', legend: 'Reconciling' },
        ],
      }),
      number({
        title: 'Leaders',
        description: 'One replica leads. The others are standbys.',
        colours: [
          [null, 'red'],
          [1, 'green'],
          [2, 'red'],
        ],
        queries: [{ expr: 'sum(leader_election_master_status{name="irsa-operator"})', legend: 'leaders' }],
      }),
      number({
        title: 'Last sweep',
        description: 'Time since all roles were read. Drift of trust policies is seen by this.',
        unit: 's',
        queries: [{ expr: 'max(irsa_sweep_age_seconds)', legend: 'age' }],
      }),
    ],
    Bindings: [
      stack({
        title: 'Why bindings are not Ready',
        description: 'By the reason of the condition Ready. Each reason has a page in docs/findings.',
        queries: [{ expr: 'max by (reason) (irsa_bindings{condition="Ready",status!="True"})', legend: '{{reason}}' }],
      }),
      stack({
        title: 'Who waits for a person',
        description: 'Stalled bindings by namespace.',
        queries: [
          {
            expr: 'count by (namespace) (max by (namespace, name) (irsa_binding_status_condition{condition="Stalled",status="True"}) == 1)',
            legend: '{{namespace}}',
          },
        ],
      }),
      stack({
        title: 'Findings',
        description: 'Bindings with a finding, by its code. Only bindings of which something is not True.',
        queries: [{ expr: 'count by (code) (max by (namespace, name, code) (irsa_binding_findings))', legend: '{{code}}' }],
      }),
      stack({
        title: 'Pods',
        description: 'Pods of bound ServiceAccounts. Stale ones do not have the role yet, and are restarted.',
        queries: [{ expr: 'sum by (state) (max by (namespace, name, state) (irsa_pods))', legend: '{{state}}' }],
      }),
    ],
    'What irsa-operator does': [
      graph({
        title: 'Drift and repairs',
        description: 'Changes by other writers that were seen, and writes of irsa-operator.',
        unit: 'ops',
        queries: [
          { expr: 'sum by (kind) (rate(irsa_drift_total[$__rate_interval]))', legend: 'drift of {{kind}}' },
          { expr: 'sum by (kind) (rate(irsa_repairs_total[$__rate_interval]))', legend: 'repair of {{kind}}' },
        ],
      }),
      graph({
        title: 'Restarts',
        description: 'Blocked ones are refused by a PodDisruptionBudget, and retried.',
        unit: 'ops',
        queries: [{ expr: 'sum by (strategy, result) (rate(irsa_restarts_total[$__rate_interval]))', legend: '{{strategy}} {{result}}' }],
      }),
      graph({
        title: 'Writes of trust policies',
        description: 'Rejected ones have a finding at their binding.',
        unit: 'ops',
        queries: [{ expr: 'sum by (result) (rate(irsa_trust_policy_writes_total[$__rate_interval]))', legend: '{{result}}' }],
      }),
      graph({
        title: 'Fullest trust policies',
        description: 'Characters of the policy as a part of the quota. At 1 no further ServiceAccount fits.',
        unit: 'percentunit',
        queries: [{ expr: 'topk(10, max by (role_arn) (irsa_trust_policy_size_ratio))', legend: '{{role_arn}}' }],
      }),
      graph({
        title: 'Trust without a grant',
        description: 'Subjects that no grant was ever seen to cover. They are revoked after --ungranted-grace.',
        queries: [{ expr: 'max by (account) (irsa_trust_ungranted)', legend: '{{account}}' }],
      }),
      stack({
        title: 'ServiceAccounts without a binding',
        description: 'They have the annotation. 1: STS accepts them. 0: their pods get no credentials.',
        queries: [
          {
            expr: 'count by (namespace) (max by (namespace, service_account) (irsa_serviceaccount_trusted) == 0)',
            legend: 'not accepted: {{namespace}}',
          },
          {
            expr: 'count by (namespace) (max by (namespace, service_account) (irsa_serviceaccount_trusted) == 1)',
            legend: 'accepted: {{namespace}}',
          },
        ],
      }),
    ],
    'The process': [
      graph({
        title: 'Reconciliations',
        description: 'By controller and result. Errors are retried.',
        unit: 'ops',
        queries: [
          {
            expr: 'sum by (controller, result) (rate(controller_runtime_reconcile_total{result!="requeue"}[$__rate_interval])) > 0',
            legend: '{{controller}} {{result}}',
          },
        ],
      }),
      graph({
        title: 'Keys that wait',
        description: 'A depth that stays means that a controller does not keep up.',
        queries: [{ expr: 'sum by (name) (workqueue_depth)', legend: '{{name}}' }],
      }),
      graph({
        title: 'Age of the caches',
        description: 'Time since the API server last sent something about a kind. A bookmark comes every minute.',
        unit: 's',
        queries: [{ expr: 'max by (kind) (time() - irsa_reflector_last_contact_timestamp_seconds)', legend: '{{kind}}' }],
      }),
      graph({
        title: 'Memory',
        description: 'Resident memory of each replica. The limit that ships is 256 MiB.',
        unit: 'bytes',
        queries: [{ expr: 'process_resident_memory_bytes and on (pod) irsa_build_info', legend: '{{pod}}' }],
      }),
    ],
  },
};
