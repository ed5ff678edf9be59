import { graph, type Page } from './panel.ts';

const quantile = (of: number, metric: string, by: string) =>
  `histogram_quantile(${of}, sum by (le, ${by}) (rate(${metric}_bucket[$__rate_interval])))`;

/** What is asked of AWS and of the API server, how fast, and what it answers. */
export const AWS_PAGE: Page = {
  uid: 'irsa-operator-aws',
  title: 'irsa-operator / AWS and rates',
  variables: [],
  rows: {
    AWS: [
      graph({
        title: 'Calls by operation',
        description: 'All calls to AWS, also those that fail.',
        unit: 'reqps',
        queries: [{ expr: 'sum by (operation) (rate(irsa_aws_requests_total[$__rate_interval])) > 0', legend: '{{operation}}' }],
      }),
      graph({
        title: 'Calls that did not succeed',
        description: 'By the error code of AWS. NoSuchEntity and AccessDenied of one role are answers.',
        unit: 'reqps',
        queries: [
          {
            expr: 'sum by (operation, code) (rate(irsa_aws_requests_total{code!="ok"}[$__rate_interval]))',
            legend: '{{operation}} {{code}}',
          },
        ],
      }),
      graph({
        title: 'Length of calls, 90 %',
        description: 'Without the wait for their turn. A call ends after 10 s.',
        unit: 's',
        queries: [{ expr: quantile(0.9, 'irsa_aws_request_duration_seconds', 'operation'), legend: '{{operation}}' }],
      }),
      graph({
        title: 'Last sweep',
        description: 'Time since all roles were read, and three intervals: above that, drift is not seen.',
        unit: 's',
        queries: [
          { expr: 'max(irsa_sweep_age_seconds)', legend: 'age' },
          { expr: '3 * max(irsa_sweep_interval_seconds)', legend: 'three intervals' },
        ],
      }),
    ],
    Rates: [
      graph({
        title: 'Limit of calls',
        description: 'irsa-operator halves it while AWS throttles.',
        unit: 'reqps',
        queries: [{ expr: 'min by (action) (irsa_aws_rate_limit)', legend: '{{action}}' }],
      }),
      graph({
        title: 'Wait for a turn, 90 %',
        description: 'Long waits without throttling mean that the flag is the limit.',
        unit: 's',
        queries: [{ expr: quantile(0.9, 'irsa_aws_rate_limiter_duration_seconds', 'action'), legend: '{{action}}' }],
      }),
    ],
    'The API server': [
      graph({
        title: 'Requests by code',
        description: '403 comes from the dry runs too, by which irsa-operator checks that it is confined.',
        unit: 'reqps',
        queries: [
          { expr: 'sum by (method, code) (rate(rest_client_requests_total[$__rate_interval])) > 0', legend: '{{method}} {{code}}' },
        ],
      }),
      graph({
        title: 'Length of requests, 90 %',
        description: 'Watches are not in it.',
        unit: 's',
        queries: [{ expr: quantile(0.9, 'rest_client_request_duration_seconds', 'verb'), legend: '{{verb}}' }],
      }),
      graph({
        title: 'Watches that ended',
        description: 'Closed ones are normal, every five to ten minutes.',
        queries: [{ expr: 'sum by (kind, end) (increase(irsa_reflector_watches_total[$__rate_interval]))', legend: '{{kind}} {{end}}' }],
      }),
      graph({
        title: 'Longest block of the event loop',
        description: 'For so long nothing else had a turn.',
        unit: 's',
        queries: [{ expr: 'max by (pod) (irsa_event_loop_longest_block_seconds)', legend: '{{pod}}' }],
      }),
    ],
  },
};
