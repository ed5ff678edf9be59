import { byName } from '../../api/by-name.ts';
import type { Namespace } from '../../api/cluster.ts';
import type { GrantSpec, IrsaGrant } from '../../api/grant.ts';
import { isProblem } from '../../api/problem.ts';
import { type Asked, covers, coversByLabel, type Granted, termsOf } from './grants.ts';

/** A grant that parses, in the order of the names. */
interface Entry {
  readonly rank: number;
  readonly grant: IrsaGrant;
  readonly spec: GrantSpec;
  /** What each of its patterns begins with, up to the first `*`: an ARN that begins with none of them is not covered. */
  readonly beginnings: readonly string[];
}

/** The grants that may cover something in a namespace, and those of them for the role that was asked about last: its bindings come together. */
interface Place {
  readonly labels: Namespace['labels'];
  readonly entries: readonly Entry[];
  last: { readonly role: string; readonly entries: readonly Entry[] } | undefined;
}

interface Remembered {
  readonly namespace: string;
  readonly labels: Namespace['labels'];
  readonly granted: readonly Granted[];
}

/**
 * All grants as they are at one moment, by the namespaces that they name and the labels that they select. The answer to each spec is
 * remembered: specs, labels and this index are never changed in place, so that what is new is another object and is looked up anew.
 */
export class GrantIndex {
  readonly #all: readonly Entry[];
  readonly #byNamespace = new Map<string, Entry[]>();
  /** By one of the labels that a namespace must have. */
  readonly #byLabel = new Map<string, Entry[]>();
  readonly #places = new Map<string, Place>();
  readonly #remembered = new WeakMap<Asked, Remembered>();

  constructor(grants: readonly IrsaGrant[]) {
    this.#all = grants.toSorted(byName).flatMap((grant, rank) => (isProblem(grant.spec) ? [] : [entryOf(grant, grant.spec, rank)]));
    for (const entry of this.#all) {
      const { names = [], selector } = entry.spec.namespaces;
      for (const name of new Set(names)) add(this.#byNamespace, name, entry);
      const [label] = Object.entries(selector?.matchLabels ?? {});
      if (label !== undefined) add(this.#byLabel, labelKey(...label), entry);
    }
  }

  /**
   * The grants that cover a binding, each of them whole: two that cover half of it each do not add up. Default deny.
   * The answer depends on nothing but what the binding says, so that it cannot tell whether a role exists.
   */
  grantsFor(asked: Asked, namespace: Namespace): readonly Granted[] {
    const known = this.#remembered.get(asked);
    if (known?.namespace === namespace.name && known.labels === namespace.labels) return known.granted;
    const granted = this.#covering(asked, namespace).map(({ grant, spec }) => termsOf(grant.name, spec));
    this.#remembered.set(asked, { namespace: namespace.name, labels: namespace.labels, granted });
    return granted;
  }

  /** The grants that cover it, by name. */
  covering(asked: Asked, namespace: Namespace): readonly IrsaGrant[] {
    return this.#covering(asked, namespace).map(({ grant }) => grant);
  }

  /** Whether a grant would cover it if the namespace had other labels. */
  coversByLabel(asked: Asked): boolean {
    return this.#all.some((entry) => mayCover(entry, asked) && coversByLabel(entry.spec, asked));
  }

  #covering(asked: Asked, namespace: Namespace): readonly Entry[] {
    const place = this.#placeOf(namespace);
    if (place.last?.role !== asked.roleArn)
      place.last = { role: asked.roleArn, entries: place.entries.filter((entry) => mayCover(entry, asked)) };
    return place.last.entries.filter((entry) => covers(entry.spec, asked, namespace));
  }

  #placeOf({ name, labels }: Namespace): Place {
    const known = this.#places.get(name);
    if (known?.labels === labels) return known;
    const selecting = Object.entries(labels).flatMap(([label, value]) => this.#byLabel.get(labelKey(label, value)) ?? []);
    const all = new Set([...(this.#byNamespace.get(name) ?? []), ...selecting]);
    const place: Place = { labels, entries: [...all].toSorted((a, b) => a.rank - b.rank), last: undefined };
    this.#places.set(name, place);
    return place;
  }
}

function entryOf(grant: IrsaGrant, spec: GrantSpec, rank: number): Entry {
  const beginnings = spec.roleArns.map((pattern) => pattern.split('*', 1).join());
  return { rank, grant, spec, beginnings };
}

const mayCover = ({ beginnings }: Entry, { roleArn }: Asked): boolean => beginnings.some((beginning) => roleArn.startsWith(beginning));

/** No label has a blank. */
const labelKey = (label: string, value: string): string => `${label} ${value}`;

function add(index: Map<string, Entry[]>, key: string, entry: Entry): void {
  const entries = index.get(key);
  if (entries === undefined) index.set(key, [entry]);
  else entries.push(entry);
}
