import { isDeepStrictEqual } from 'node:util';
import type { IrsaBinding } from '../api/binding.ts';
import { keyOf, type Namespace, type ObjectKey } from '../api/cluster.ts';
import type { GrantSpec, IrsaGrant } from '../api/grant.ts';
import { isProblem } from '../api/problem.ts';
import { covers, coversNamespace } from '../domain/authorization/grants.ts';
import { Oldest } from '../domain/authorization/oldest.ts';
import type { Store, StoreReader } from '../runtime/store.ts';

/** Of a binding: the grants that cover it, and whose limit older bindings of its namespace use up. Without one there is no record. */
export interface FullGrantsRecord {
  readonly uid: string;
  readonly binding: ObjectKey;
  readonly grants: ReadonlySet<string>;
}

interface Member {
  readonly uid: string;
  readonly key: ObjectKey;
  readonly createdAt: number;
}

/** A grant with a limit, and whom it covers in each namespace. */
interface Limited {
  readonly grant: string;
  readonly spec: GrantSpec;
  readonly most: number;
  readonly covered: Map<string, Oldest<Member>>;
}

interface Counted {
  readonly bindings: StoreReader<IrsaBinding, 'namespace'>;
  readonly grants: StoreReader<IrsaGrant>;
  readonly namespaces: StoreReader<Namespace>;
  readonly fullGrants: Store<FullGrantsRecord>;
}

/**
 * Counts the bindings of each namespace under each grant that limits them, a change at a time: to count them for each binding would be
 * thousands for each of thousands.
 */
export function keepGrantLimits({ bindings, grants, namespaces, fullGrants }: Counted): void {
  const limited = new Map<string, Limited>();

  function mark(grant: string, member: Member | undefined, isFull: boolean): void {
    if (member === undefined) return;
    const { uid, key } = member;
    const before = fullGrants.get(uid)?.grants ?? new Set<string>();
    if (before.has(grant) === isFull) return;
    const after = before.symmetricDifference(new Set([grant]));
    if (after.size === 0) fullGrants.delete(uid);
    else fullGrants.put({ uid, binding: key, grants: after });
  }

  function add({ grant, spec, most, covered }: Limited, binding: IrsaBinding): void {
    const { namespace } = binding.metadata;
    if (isProblem(binding.spec) || !covers(spec, binding.spec, labelled(namespace))) return;
    const oldest = covered.get(namespace) ?? new Oldest<Member>(most);
    covered.set(namespace, oldest);
    mark(grant, oldest.add(memberOf(binding)), true);
  }

  function remove({ grant, covered }: Limited, binding: IrsaBinding): void {
    const { namespace } = binding.metadata;
    const oldest = covered.get(namespace);
    mark(grant, oldest?.remove(memberOf(binding)), false);
    mark(grant, memberOf(binding), false);
    if (oldest?.all.length === 0) covered.delete(namespace);
  }

  function forget({ grant, covered }: Limited, namespace: string): void {
    for (const member of covered.get(namespace)?.all ?? []) mark(grant, member, false);
    covered.delete(namespace);
  }

  function count(one: Limited, namespace: Namespace): void {
    if (!coversNamespace(one.spec.namespaces, namespace)) return;
    for (const binding of bindings.byIndex('namespace', namespace.name)) add(one, binding);
  }

  function labelled(name: string): Namespace {
    return namespaces.get(name) ?? { name, labels: {} };
  }

  bindings.onChange((previous, next) => {
    if (limited.size === 0 || (previous && next && isDeepStrictEqual(countedOf(previous), countedOf(next)))) return;
    for (const one of limited.values()) {
      if (previous) remove(one, previous);
      if (next) add(one, next);
    }
  });
  namespaces.onChange((previous, next) => {
    if (isDeepStrictEqual(previous?.labels, next?.labels)) return;
    const { name = '' } = next ?? previous ?? {};
    for (const one of limited.values()) {
      forget(one, name);
      count(one, labelled(name));
    }
  });
  grants.onChange((previous, next) => {
    if (previous && next && isDeepStrictEqual(previous.spec, next.spec)) return;
    const before = limited.get((previous ?? next)?.name ?? '');
    if (before) {
      for (const namespace of before.covered.keys()) forget(before, namespace);
      limited.delete(before.grant);
    }
    const one = next && limitedBy(next);
    if (one === undefined) return;
    limited.set(one.grant, one);
    const { names = [], selector } = one.spec.namespaces;
    const named = selector === undefined ? [] : namespaces.list().map(({ name }) => name);
    for (const name of new Set([...names, ...named])) count(one, labelled(name));
  });
}

function limitedBy({ name, spec }: IrsaGrant): Limited | undefined {
  const most = isProblem(spec) ? undefined : spec.limits?.bindingsPerNamespace;
  return isProblem(spec) || most === undefined ? undefined : { grant: name, spec, most, covered: new Map() };
}

function memberOf({ metadata }: IrsaBinding): Member {
  return { uid: metadata.uid, key: keyOf(metadata), createdAt: metadata.createdAt };
}

/** Of a binding only what decides whether it is counted, and before whom. */
function countedOf(binding: IrsaBinding): unknown {
  return [memberOf(binding), binding.spec];
}
