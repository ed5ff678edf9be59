import type { ObjectName } from '../../api/cluster.ts';
import { type Problem, problem } from '../../api/problem.ts';
import type { Among } from '../../ports/among.ts';
import type { TargetKind } from '../../ports/read-cluster.ts';
import { selectorFrom } from '../cluster-flags.ts';
import type { Given } from '../command.ts';

/** What is to be checked: what runs pods, one ServiceAccount, or every annotated one of a namespace or of the cluster. */
export type Target =
  | { readonly kind: 'runner'; readonly of: ObjectName; readonly runner: TargetKind }
  | { readonly kind: 'serviceAccount'; readonly of: ObjectName }
  | ({ readonly kind: 'all' } & Among);

/** The words that kubectl takes. */
const WORDS: Readonly<Record<string, TargetKind | 'serviceaccounts'>> = {
  deploy: 'deployments',
  deployment: 'deployments',
  deployments: 'deployments',
  sts: 'statefulsets',
  statefulset: 'statefulsets',
  statefulsets: 'statefulsets',
  ds: 'daemonsets',
  daemonset: 'daemonsets',
  daemonsets: 'daemonsets',
  rs: 'replicasets',
  replicaset: 'replicasets',
  replicasets: 'replicasets',
  job: 'jobs',
  jobs: 'jobs',
  cj: 'cronjobs',
  cronjob: 'cronjobs',
  cronjobs: 'cronjobs',
  po: 'pods',
  pod: 'pods',
  pods: 'pods',
  sa: 'serviceaccounts',
  serviceaccount: 'serviceaccounts',
  serviceaccounts: 'serviceaccounts',
};
const GROUP = /\.(?:v1\.)?(?:apps|batch)$/;
const EXAMPLE = 'deploy/aws-load-balancer-controller';

/** `TYPE/NAME` or `TYPE NAME`, as in kubectl. `ofContext`: the namespace of the kubeconfig's context. */
export function targetFrom(operands: readonly string[], given: Given, ofContext: string): Target | Problem {
  const account = given['service-account'];
  const namespace = given['namespace'];
  // An empty one is a variable of a shell that is not set.
  const named = typeof namespace === 'string' && namespace !== '';
  const here = named ? namespace : ofContext;
  const all = given['all-namespaces'] === true;
  const selector = selectorFrom(given);
  const [one] = [...operands, ...(typeof account === 'string' ? [account] : [])];
  if (selector !== undefined && one !== undefined) return problem(`"${one}" and -l: give one of the two`);
  if (operands.length === 0) {
    if (typeof account === 'string') return { kind: 'serviceAccount', of: { namespace: here, name: account } };
    if (all || named || selector !== undefined) return { kind: 'all', namespace: all ? undefined : here, selector };
    return problem(`name what to check, for example ${EXAMPLE}, or a namespace with -n, or all of them with -A`);
  }
  if (all || typeof account === 'string')
    return problem(`"${operands.join(' ')}" and ${all ? '-A' : '--service-account'}: give one of the two`);
  const [first = '', second] = operands;
  const [word = '', name, ...rest] = second === undefined || first.includes('/') ? [...first.split('/'), ...operands.slice(1)] : operands;
  const kind = targetKindOf(word);
  if (kind === undefined) return problem(`"${word}" is no kind of object that runs pods. Wanted: TYPE/NAME, for example ${EXAMPLE}`);
  if (name === undefined || name === '' || rest.length > 0)
    return problem(`"${operands.join(' ')}": wanted is one TYPE/NAME, for example ${EXAMPLE}`);
  const of = { namespace: here, name };
  return kind === 'serviceaccounts' ? { kind: 'serviceAccount', of } : { kind: 'runner', of, runner: kind };
}

/** What a word of kubectl means; undefined where it is none of ours. */
export function targetKindOf(word: string): TargetKind | 'serviceaccounts' | undefined {
  // `deployment.apps/app`, as `kubectl get -o name` prints it.
  const short = word.toLowerCase().replace(GROUP, '');
  return Object.hasOwn(WORDS, short) ? WORDS[short] : undefined;
}
