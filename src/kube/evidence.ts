import { Fault, isFault } from '../api/fault.ts';
import type { IrsaGrant } from '../api/grant.ts';
import type { Evidence } from '../controllers/trust/ports.ts';
import { listWatch } from './list-watch.ts';
import { metaOf } from './objects.ts';
import { objectPath } from './paths.ts';
import { CUSTOM_RESOURCE_DEFINITION, NAMESPACE } from './resource-types.ts';
import { BINDINGS_CRD, grants, namespaces } from './resources.ts';
import type { Transport } from './transport.ts';

/** Grants fit one page; more pages than these would be a loop. */
const PAGE_SIZE = 500;
const MAX_PAGES = 100;

/** What the API server itself says, past every cache: reads without a resource version are answered from etcd. Throws `Fault` and nothing else. */
export function evidence(transport: Transport): Evidence {
  return {
    async grants(signal) {
      const source = listWatch(transport, grants);
      const found: IrsaGrant[] = [];
      let token: string | undefined;
      for (let pages = 0; pages < MAX_PAGES; pages++) {
        const page = await source.list({ limit: PAGE_SIZE, ...(token === undefined ? {} : { continue: token }) }, signal);
        if (page.kind === 'expired') throw new Fault('transient', 'the list of IrsaGrants expired before its end');
        found.push(...page.items.map(({ object }) => object));
        if (page.continue === undefined) return found;
        token = page.continue;
      }
      throw new Fault('transient', `the list of IrsaGrants has more than ${MAX_PAGES * PAGE_SIZE} entries`);
    },
    async namespace(name, signal) {
      try {
        return namespaces.decode(await transport.request({ method: 'GET', path: objectPath(NAMESPACE, { name }) }, signal));
      } catch (error) {
        if (isFault(error, 'notFound')) return undefined;
        throw error;
      }
    },
    async isRetiring(signal) {
      try {
        const path = objectPath(CUSTOM_RESOURCE_DEFINITION, { name: BINDINGS_CRD });
        return metaOf(await transport.request({ method: 'GET', path }, signal)).deleting;
      } catch (error) {
        if (isFault(error, 'notFound')) return true;
        throw error;
      }
    },
  };
}
