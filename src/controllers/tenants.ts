import type { RoleArn } from '../api/arn.ts';
import type { ObjectKey } from '../api/cluster.ts';
import type { Stores } from './stores.ts';

/** Turns go round over namespaces: how many objects stand in one of them is its tenant's to choose, how many namespaces there are is not. */
export function namespaceOf(key: ObjectKey): string[] {
  return [key.slice(0, key.indexOf('/'))];
}

/** Of the bindings, and of the unbound ServiceAccounts, for which a role is looked at. */
export function namespacesOf({ bindings, audits }: Pick<Stores, 'bindings' | 'audits'>, role: RoleArn): string[] {
  const bound = bindings.byIndex('role', role).map(({ metadata }) => metadata.namespace);
  return [...new Set([...bound, ...audits.byIndex('role', role).map(({ account }) => account.namespace)])];
}
