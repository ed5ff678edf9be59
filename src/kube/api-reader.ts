import type { APIReader } from '../ports/api-reader.ts';

import { listAll } from './list-all.ts';
import { unlessMissing } from './missing.ts';
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
      const raw = await unlessMissing(transport.request({ method: 'GET', path: objectPath(NAMESPACE, { name }) }, signal));
      return raw === undefined ? undefined : namespaces.decode(raw);
    },
    async definition(of, signal) {
      const path = objectPath(CUSTOM_RESOURCE_DEFINITION, { name: of === 'bindings' ? BINDINGS_CRD : GRANTS_CRD });
      const raw = await unlessMissing(transport.request({ method: 'GET', path }, signal));
      if (raw === undefined) return undefined;
      const { uid, deleting } = metaOf(raw);
      return deleting ? undefined : uid;
    },
  };
}
