import type { Call } from './proxy.ts';

/**
 * What a call changes outside of the operator, in words that are the same in each run (pods have random names, roles end in their namespace);
 * undefined: nothing that counts. Events and the Lease do not: they tell, and nothing is decided by them.
 */
export function effectOf({ method, path, body }: Call): string | undefined {
  const [plain = ''] = path.split('?');
  const found = /\/namespaces\/[^/]+\/(\w+)\/([^/]+)(?:\/(\w+))?$/.exec(plain);
  const [, resource, name, subresource] = found ?? [];
  switch (`${method} ${resource}/${subresource ?? ''}`) {
    case 'PATCH irsabindings/status':
      return `status of ${name}`;
    case 'PATCH irsabindings/':
      return `finalizers of ${name}: ${(JSON.parse(body) as { metadata: { finalizers: string[] } }).metadata.finalizers.length}`;
    case 'PATCH serviceaccounts/':
      return `annotations of ${name}`;
    case 'POST pods/eviction':
      return 'evict a pod';
    case 'DELETE pods/':
      return 'delete a pod';
    case 'PATCH deployments/':
      return `roll out ${name}`;
  }
  const form = new URLSearchParams(method === 'POST' && plain === '/' ? body : '');
  const operation = form.get('Action');
  if (operation !== null && !/^(Get|List|Assume)/.test(operation)) return `${operation} ${roleOf(form.get('RoleName'))}`;
  // Anything else that writes is an effect too: one that nobody thought of must not be missed.
  if (method === 'GET' || operation !== null || resource === 'events' || resource === 'leases' || /\/(events|leases)$/.test(plain))
    return undefined;
  return `${method} ${resource ?? plain}/${subresource ?? ''}`;
}

/** `c0012-old`: `old`. */
function roleOf(name: string | null): string {
  return (name ?? '').replace(/^[^-]+-/, '');
}
