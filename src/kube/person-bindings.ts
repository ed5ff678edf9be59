import { setTimeout } from 'node:timers/promises';
import type { IrsaBinding } from '../api/binding.ts';
import type { ObjectName } from '../api/cluster.ts';
import { Fault, isFault } from '../api/fault.ts';
import { ANNOTATIONS } from '../api/names.ts';
import type { Among } from '../ports/among.ts';
import type { BindingChange, BindingObjects } from '../ports/binding-objects.ts';
import { mergePatch } from './apply.ts';
import { listWatch } from './list-watch.ts';
import { IRSA_BINDING } from './resource-types.ts';
import { bindings } from './resources.ts';
import type { Transport } from './transport.ts';

/** Whose fields these are: a person's, beside those of Git and of the operator. */
const MANAGER = 'irsa-operator-cli';
const PAGE_SIZE = 500;
const WATCH_SECONDS = 300;
/** An API server that ends each watch at once must not be asked without a pause. */
const PAUSE_MS = 1_000;

/** The bindings of a cluster, as a person reads and changes them. Throws `Fault`, and the reason of a signal. */
export function personBindings(transport: Transport): BindingObjects {
  const sourceOf = ({ namespace, selector }: Among) => listWatch(transport, { ...bindings, labelSelector: selector }, namespace);
  const page = async (among: Among, signal: AbortSignal) => {
    const source = sourceOf(among);
    for (;;) {
      const found: IrsaBinding[] = [];
      let token: string | undefined;
      let version: string | undefined;
      do {
        const next = await installed(source.list({ limit: PAGE_SIZE, ...(token === undefined ? {} : { continue: token }) }, signal));
        if (next.kind === 'expired') break;
        found.push(...next.items.map(({ object }) => object));
        token = next.continue;
        version = next.resourceVersion;
      } while (token !== undefined);
      if (version !== undefined && token === undefined) return { found, resourceVersion: version };
    }
  };
  const patch = async (of: ObjectName, change: { readonly metadata?: object; readonly spec?: object }, signal: AbortSignal) => {
    await mergePatch(transport, { type: IRSA_BINDING, namespace: of.namespace, name: of.name }, change, { manager: MANAGER }, signal);
  };
  return {
    async list(among: Among, signal: AbortSignal): Promise<readonly IrsaBinding[]> {
      return (await page(among, signal)).found;
    },
    async *changes(among: Among, signal: AbortSignal): AsyncGenerator<BindingChange> {
      const source = sourceOf(among);
      for (;;) {
        const { found, resourceVersion: from } = await page(among, signal);
        yield { kind: 'all', all: found };
        let resourceVersion: string | undefined = from;
        while (resourceVersion !== undefined) {
          const began: string = resourceVersion;
          try {
            for await (const events of source.watch({ resourceVersion, timeoutSeconds: WATCH_SECONDS }, signal))
              for (const event of events) {
                if (event.type === 'OPEN') continue;
                if (event.type === 'EXPIRED') {
                  resourceVersion = undefined;
                  break;
                }
                resourceVersion = event.resourceVersion;
                if (event.type !== 'BOOKMARK') yield { kind: event.type === 'DELETED' ? 'deleted' : 'changed', binding: event.object };
              }
          } catch (error) {
            // A connection that broke: what was missed is in the next watch, or in the next list.
            if (!isFault(error, 'transient')) throw error;
          }
          signal.throwIfAborted();
          if (resourceVersion === began) await setTimeout(PAUSE_MS, undefined, { signal });
        }
      }
    },
    requestReconcile: (of: ObjectName, value: string, signal: AbortSignal) =>
      patch(of, { metadata: { annotations: { [ANNOTATIONS.reconcileRequestedAt]: value } } }, signal),
    suspend: (of: ObjectName, suspend: boolean, signal: AbortSignal) => patch(of, { spec: { suspend } }, signal),
  };
}

/** Without the CRD there is no such path. */
async function installed<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!isFault(error, 'notFound')) throw error;
    throw new Fault('notFound', 'the cluster has no IrsaBindings: the CRDs of irsa-operator are not installed', { cause: error });
  }
}
