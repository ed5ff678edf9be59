import { Fault } from '../api/fault.ts';
import { type Answer, faultOf, statusOf } from './faults.ts';
import { apiVersionOf, objectPath, type ResourceType } from './paths.ts';
import type { KubeRequest, Requests } from './transport.ts';

/** An object by name, and by what must still be true of it. */
export interface Target {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name: string;
  /** The write is refused (conflict) unless the object with this uid is there: an apply can then never create one. */
  readonly uid?: string;
  /** The write is refused (conflict) unless the object is still at this version. */
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
  transport: Requests,
  target: Target,
  fields: { readonly metadata?: object; readonly [field: string]: unknown },
  { manager, subresource }: Write,
  signal: AbortSignal,
): Promise<unknown> {
  const { type } = target;
  return patchObject(
    transport,
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
  transport: Requests,
  target: Target,
  patch: { readonly metadata?: object; readonly [field: string]: unknown },
  { manager, subresource }: Write,
  signal: AbortSignal,
): Promise<unknown> {
  return patchObject(
    transport,
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
export function read(transport: Requests, target: Target, signal: AbortSignal): Promise<unknown> {
  return transport.request({ method: 'GET', path: objectPath(target.type, target) }, signal);
}

async function patchObject(transport: Requests, request: KubeRequest, signal: AbortSignal): Promise<unknown> {
  const answer = await transport.exchange(request, signal);
  if (answer.code < 300) return answer.body;
  const fault = faultOf(`${request.method} ${request.path}`, answer);
  throw isReplaced(answer)
    ? new Fault('conflict', `${fault.message} (another object has taken the name)`, { code: 'Conflict', cause: answer.body })
    : fault;
}

/** An object that is absent is a conflict to the API server; one that was made again under its name is an immutable field that was changed. */
function isReplaced(answer: Answer): boolean {
  return answer.code === 422 && statusOf(answer.body).details?.causes?.some(({ field }) => field === 'metadata.uid') === true;
}

function identityOf({ namespace, name, uid, resourceVersion }: Target): object {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}
