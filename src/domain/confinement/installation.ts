import type { ObjectName } from '../../api/cluster.ts';

/** An irsa-operator in this cluster, as its own policy names it: the one that may write the status of bindings. */
export interface Installation {
  readonly serviceAccount: ObjectName;
  /** Of the binding of that policy. */
  readonly name: string;
  readonly createdAt: number;
}

/** The one that was here before that of this ServiceAccount. The first stays, also when it starts again. */
export function earlierThan({ namespace, name }: ObjectName, all: readonly Installation[]): Installation | undefined {
  const [first] = all.toSorted((a, b) => a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1));
  const isOurs = first?.serviceAccount.namespace === namespace && first.serviceAccount.name === name;
  return isOurs ? undefined : first;
}
