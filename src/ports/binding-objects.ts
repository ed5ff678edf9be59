import type { IrsaBinding } from '../api/binding.ts';
import type { ObjectName } from '../api/cluster.ts';
import type { Among } from './among.ts';

/** `all`: as they are now, at the beginning and whenever changes were missed. */
export type BindingChange =
  | { readonly kind: 'all'; readonly all: readonly IrsaBinding[] }
  | { readonly kind: 'changed'; readonly binding: IrsaBinding }
  | { readonly kind: 'deleted'; readonly binding: IrsaBinding };

/** The bindings of a cluster, for a person. Every method throws `Fault`. */
export interface BindingObjects {
  list(among: Among, signal: AbortSignal): Promise<readonly IrsaBinding[]>;
  /** Goes on until the signal is aborted, by whose reason it ends. */
  changes(among: Among, signal: AbortSignal): AsyncIterable<BindingChange>;
  /** Asks the operator to read role and provider again. `value`: what its answer is known by. */
  requestReconcile(of: ObjectName, value: string, signal: AbortSignal): Promise<void>;
  suspend(of: ObjectName, suspend: boolean, signal: AbortSignal): Promise<void>;
}
