interface Connection {
  readonly remoteAddress?: string | undefined;
}

/**
 * Which of too many connections has to go: the oldest one of the address that has the most. So a client that opens thousands closes its own,
 * and a probe or a scrape from elsewhere gets in. `open` is in the order in which they came.
 */
export function crowdedOut<T extends Connection>(open: Iterable<T>): T | undefined {
  const byAddress = new Map<string, T[]>();
  for (const one of open) {
    const address = one.remoteAddress ?? '';
    const others = byAddress.get(address);
    if (others === undefined) byAddress.set(address, [one]);
    else others.push(one);
  }
  let most: T[] = [];
  for (const all of byAddress.values()) if (all.length > most.length) most = all;
  return most[0];
}
