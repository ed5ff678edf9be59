import { type Problem, problem } from '../api/problem.ts';
import type { ClusterIds } from '../domain/state/identity.ts';
import type { Flag, Given } from './command.ts';

/** A label of DNS: it is part of a hash alone, and a person writes it in two places. */
const CLUSTER_ID = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** For each command that goes by the statements of a cluster. */
export const CLUSTER_ID_FLAG: Flag = {
  type: 'string',
  value: 'NAME',
  help: 'what --cluster-id of the operator says, where clusters share the issuer',
};

/** What the flags `--cluster-id` and `--previous-cluster-id` say, as far as they were given. */
export function clusterIdsFrom(given: Given): ClusterIds | Problem {
  const { 'cluster-id': id, 'previous-cluster-id': before } = given;
  for (const [flag, text] of [
    ['cluster-id', id],
    ['previous-cluster-id', before],
  ] as const)
    if (typeof text === 'string' && text !== '' && !CLUSTER_ID.test(text))
      return problem(`--${flag}: "${text}" is not a name. Wanted: 1 to 63 lower-case letters, digits and "-"`);
  const clusterId = typeof id === 'string' && id !== '' ? id : undefined;
  const previousClusterId = typeof before === 'string' ? before : undefined;
  if (previousClusterId === (clusterId ?? ''))
    return problem(`--previous-cluster-id: "${previousClusterId}" is what --cluster-id says now. Leave it out`);
  return { ...(clusterId !== undefined && { clusterId }), ...(previousClusterId !== undefined && { previousClusterId }) };
}
