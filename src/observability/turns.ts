interface Named {
  readonly namespace: string;
  readonly name: string;
}

/**
 * At most `limit` of any number of objects, in turns over their namespaces: tenants choose how many they have, and those of one must not
 * hide the only one of another. The same objects give the same choice, so that series do not come and go between two scrapes.
 */
export function inTurns<T extends Named>(limit: number) {
  const groups = new Map<string, T[]>();
  let total = 0;
  return {
    add(object: T): void {
      total += 1;
      const group = groups.get(object.namespace);
      if (group === undefined) groups.set(object.namespace, [object]);
      else if (group.push(object) >= 2 * limit) keepFirst(group, limit);
    },
    /** Those that are chosen. Undefined: a moment in which others may have their turn. */
    *taken(): Generator<T | undefined> {
      if (total <= limit) {
        for (const group of groups.values()) yield* group;
        return;
      }
      for (const group of groups.values()) {
        keepFirst(group, limit);
        yield undefined;
      }
      let waiting = [...groups].sort(([one], [other]) => compare(one, other)).map(([, group]) => group);
      let room = limit;
      for (let turn = 0; room > 0; turn += 1) {
        const served = waiting.slice(0, room);
        for (const group of served) yield group[turn];
        room -= served.length;
        waiting = waiting.filter((group) => group.length > turn + 1);
      }
    },
    /** How many are not chosen. */
    get left(): number {
      return Math.max(0, total - limit);
    },
    /** How many are held until then. */
    get kept(): number {
      return groups.values().reduce((sum, group) => sum + group.length, 0);
    },
  };
}

function keepFirst<T extends Named>(group: T[], limit: number): void {
  group.sort((one, other) => compare(one.name, other.name));
  group.length = Math.min(group.length, limit);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
