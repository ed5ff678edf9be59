import { CLUSTER_FLAGS, NAMESPACE_FLAG, SELECTOR_FLAG } from '../cluster-flags.ts';
import type { Flags } from '../command.ts';

export const GET_OUTPUTS = ['table', 'wide', 'json', 'yaml'] as const;
export const CHANGE_OUTPUTS = ['table', 'json', 'yaml'] as const;

const FILTERS: Flags = {
  namespace: NAMESPACE_FLAG,
  'all-namespaces': { type: 'boolean', short: 'A', help: 'the bindings of all namespaces' },
  selector: SELECTOR_FLAG,
  'not-ready': { type: 'boolean', help: 'only those that are not Ready' },
  code: { type: 'string', value: 'CODE', completes: 'findings', help: 'only those with this finding' },
  suspended: { type: 'boolean', help: 'only those that are suspended' },
};

export const GET_FLAGS: Flags = {
  ...FILTERS,
  watch: { type: 'boolean', short: 'w', help: 'print each change too, until Ctrl-C' },
  ...CLUSTER_FLAGS,
  output: { type: 'string', short: 'o', value: GET_OUTPUTS.join('|'), default: 'table', help: 'how the bindings are written' },
};

/** Of a command that changes bindings. */
export const CHANGE_FLAGS: Flags = {
  ...FILTERS,
  all: { type: 'boolean', help: 'every binding of the namespace' },
  ...CLUSTER_FLAGS,
  output: { type: 'string', short: 'o', value: CHANGE_OUTPUTS.join('|'), default: 'table', help: 'how the report is written' },
};

export const RECONCILE_FLAGS: Flags = {
  ...CHANGE_FLAGS,
  wait: { type: 'boolean', help: 'until they are Ready. Exit code 1 if they are not' },
  timeout: { type: 'string', value: 'DURATION', default: '5m', help: 'how long --wait waits' },
};
