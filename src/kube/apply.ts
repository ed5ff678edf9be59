import { apiVersionOf, objectPath, type ResourceType } from './paths.ts';
import type { Transport } from './transport.ts';

/** An object by name, and by what must still be true of it. */
export interface Target {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name: string;
  /** The write is refused (409) unless the object with this uid is there: an apply can then never create one. */
  readonly uid?: string;
  /** The write is refused (409) unless the object is still at this version. */
  readonly resourceVersion?: string;
}

export interface Write {
  /** Whose fields these are; the API server keeps managers apart. */
  readonly manager: string;
  readonly subresource?: 'status';
}

/**
 * Server-side apply: `fields` becomes everything that this manager owns of the object; what it owned before and is not in it is removed.
 * Forced, because what a controller manages it takes over (Kubernetes documentation, server-side apply). Returns the object as it is now.
 */
export function apply(
  transport: Transport,
  target: Target,
  fields: { readonly metadata?: object; readonly [field: string]: unknown },
  { manager, subresource }: Write,
  signal: AbortSignal,
): Promise<unknown> {
  const { type } = target;
  return transport.request(
    {
      method: 'PATCH',
      path: objectPath(type, target, subresource),
      query: { fieldManager: manager, force: 'true' },
      contentType: 'application/apply-patch+yaml', // JSON is YAML
      body: { ...fields, apiVersion: apiVersionOf(type), kind: type.kind, metadata: { ...fields.metadata, ...identityOf(target) } },
    },
    signal,
  );
}

/** JSON merge patch (RFC 7386): members that are null are removed, lists are replaced whole. Returns the object as it is now. */
export function mergePatch(
  transport: Transport,
  target: Target,
  patch: { readonly metadata?: object; readonly [field: string]: unknown },
  { manager, subresource }: Write,
  signal: AbortSignal,
): Promise<unknown> {
  return transport.request(
    {
      method: 'PATCH',
      path: objectPath(target.type, target, subresource),
      query: { fieldManager: manager },
      contentType: 'application/merge-patch+json',
      body: { ...patch, metadata: { ...patch.metadata, ...identityOf(target) } },
    },
    signal,
  );
}

/** An uncached read: what the API server has now. */
export function read(transport: Transport, target: Target, signal: AbortSignal): Promise<unknown> {
  return transport.request({ method: 'GET', path: objectPath(target.type, target) }, signal);
}

function identityOf({ namespace, name, uid, resourceVersion }: Target): object {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}
