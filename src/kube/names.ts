import { listAll } from './list-all.ts';
import { metaOf } from './objects.ts';
import type { ResourceType } from './paths.ts';
import type { Transport } from './transport.ts';

/** Of every object of the kind, in a namespace or in all; nothing else of them is read. Throws `Fault`. */
export async function namesOf(transport: Transport, type: ResourceType, signal: AbortSignal, namespace?: string): Promise<string[]> {
  const resource = { type, metadataOnly: true, decode: (raw: unknown) => metaOf(raw).name } as const;
  return [...(await listAll(transport, resource, signal, namespace))];
}
