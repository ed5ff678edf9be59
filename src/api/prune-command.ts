/**
 * The command that removes subjects from the statements of this cluster. Without an ID the statements may be those of several clusters, and
 * the command line asks for a word on that.
 */
export function pruneCommand(clusterId: string | undefined, which: 'orphans' | 'ungranted' = 'orphans'): string {
  const cluster = clusterId === undefined ? '--sole-cluster' : `--cluster-id ${clusterId}`;
  return `irsa-operator prune${which === 'orphans' ? '' : ' --ungranted'} ${cluster} --confirm`;
}

/** What its reader has to know first, where the cluster has no ID. */
export const otherCluster = (what: 'it' | 'them'): string =>
  `Another cluster with this issuer may need ${what}: give each cluster a --cluster-id`;
