import { isFault } from '../api/fault.ts';
import { REVOCATIONS } from '../api/names.ts';
import type { RevocationRecord } from '../controllers/revocation/ports.ts';
import { metaOf, object, text as textOf } from './objects.ts';
import { collectionPath, objectPath } from './paths.ts';
import { CONFIG_MAP } from './resource-types.ts';
import type { Requests } from './transport.ts';

const KEY = 'losses.json';
/** For the person who finds it with kubectl. */
const ABOUT = 'Subjects that no IrsaGrant covers, and since when. irsa-operator writes this. Times are milliseconds since 1970.';

/** The revocation record in a ConfigMap. Written by PUT with the resource version that was read: compare and swap. */
export function revocationRecord(requests: Requests, namespace: string): RevocationRecord {
  const at = { namespace, name: REVOCATIONS };
  const path = objectPath(CONFIG_MAP, at);
  let version: string | undefined;
  const body = (text: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      ...at,
      annotations: { 'kubernetes.io/description': ABOUT },
      ...(version === undefined ? {} : { resourceVersion: version }),
    },
    data: { [KEY]: text },
  });
  return {
    async read(signal) {
      try {
        const raw = await requests.request({ method: 'GET', path }, signal);
        version = metaOf(raw).resourceVersion;
        return textOf(object(object(raw)['data'])[KEY]);
      } catch (error) {
        if (!isFault(error, 'notFound')) throw error;
        version = undefined;
        return undefined;
      }
    },
    async write(text, signal) {
      const request =
        version === undefined
          ? ({ method: 'POST', path: collectionPath(CONFIG_MAP, namespace) } as const)
          : ({ method: 'PUT', path } as const);
      version = metaOf(await requests.request({ ...request, body: body(text) }, signal)).resourceVersion;
    },
  };
}
