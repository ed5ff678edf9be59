import type { Namespace } from '../api/cluster.ts';
import type { IrsaGrant } from '../api/grant.ts';

/**
 * What must be so before trust is taken away, read from the API server itself and not from a cache: a cache may be cold, or of the past. Every
 * method throws `Fault` and nothing else.
 */
export interface APIReader {
  grants(signal: AbortSignal): Promise<readonly IrsaGrant[]>;
  /** Undefined where there is none of that name. */
  namespace(name: string, signal: AbortSignal): Promise<Namespace | undefined>;
  /** The uid of a CRD of ours; undefined where it is being deleted, and each object of it only for that, or where there is none. */
  definition(of: 'bindings' | 'grants', signal: AbortSignal): Promise<string | undefined>;
}
