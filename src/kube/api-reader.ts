import { isFault } from '../api/fault.ts';
import type { APIReader } from '../ports/api-reader.ts';

import { listAll } from './list-all.ts';
import { metaOf } from './objects.ts';
import { objectPath } from './paths.ts';
import { CUSTOM_RESOURCE_DEFINITION, NAMESPACE } from './resource-types.ts';
import { BINDINGS_CRD, GRANTS_CRD, grants, namespaces } from './resources.ts';
import type { Transport } from './transport.ts';

/** What the API server itself says, past every cache: reads without a resource version are answered from etcd. Throws `Fault` and nothing else. */
export function apiReader(transport: Transport): APIReader {
  return {
    grants: (signal) => listAll(transport, grants, signal),
    async namespace(name, signal) {
      try {
        return namespaces.decode(await transport.request({ method: 'GET', path: objectPath(NAMESPACE, { name }) }, signal));
      } catch (error) {
        if (isFault(error, 'notFound')) return undefined;
        throw error;
      }
    },
    async definition(of, signal) {
      try {
        const path = objectPath(CUSTOM_RESOURCE_DEFINITION, { name: of === 'bindings' ? BINDINGS_CRD : GRANTS_CRD });
        const { uid, deleting } = metaOf(await transport.request({ method: 'GET', path }, signal));
        return deleting ? undefined : uid;
      } catch (error) {
        if (isFault(error, 'notFound')) return undefined;
        throw error;
      }
    },
  };
}
