interface Named {
  readonly name: string;
}

/** An order that is the same in each process: a list comes sorted, a watch as things happen, and a status must not tell one from the other. */
export function byName(a: Named, b: Named): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}
