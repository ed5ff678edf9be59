import { withoutIdentity } from './end-state.ts';
import type { Call } from './proxy.ts';

/** Something that was done outside of the operator. */
export interface Effect {
  readonly name: string;
  /** What a status says, without what differs from run to run. A status is a report: one that says something else is another effect. */
  readonly says?: string;
}

/** A report says what was found, and nothing is decided by it but what its reader does. */
export const isReport = (name: string): boolean => name.startsWith('status of ');

export function effectFrom(call: Call, name: string): Effect {
  if (!isReport(name)) return { name };
  const namespace = /\/namespaces\/([^/]+)\//.exec(call.path)?.[1] ?? '';
  const { status } = JSON.parse(call.body) as { status: unknown };
  return { name, says: withoutIdentity(JSON.stringify(status), namespace) };
}

/**
 * What was done more often than in an undisturbed run, beyond what the crash left without an answer. Whoever is started again may report
 * what nobody saw in an undisturbed run, but nothing twice.
 */
export function tooOften(undisturbed: readonly Effect[], done: readonly Effect[], unanswered: readonly Effect[]): string[] {
  const keyOf = ({ name, says }: Effect) => JSON.stringify([name, says]);
  const known = new Set(undisturbed.map(keyOf));
  const reports = new Set(done.filter(({ says }) => says !== undefined).map(keyOf));
  const left = [...undisturbed.map(keyOf), ...unanswered.map(keyOf), ...[...reports].filter((key) => !known.has(key))];
  return done.flatMap((effect) => {
    const at = left.indexOf(keyOf(effect));
    if (at === -1) return [effect.says === undefined ? effect.name : `${effect.name} (${effect.says})`];
    left.splice(at, 1);
    return [];
  });
}

/**
 * What a call changes outside of the operator, in words that are the same in each run (pods have random names, roles have the namespace in theirs);
 * undefined: nothing that counts. Events and the Lease do not: they tell, and nothing is decided by them. Neither do dry runs, and questions about
 * the user itself.
 */
export function effectOf({ method, path, body }: Call): string | undefined {
  const [plain = '', query = ''] = path.split('?');
  if (query.includes('dryRun=All') || /\/selfsubject(access)?reviews$/.test(plain)) return undefined;
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

/** Without what differs from run to run: `role-of-c0012-new` is `new`. */
function roleOf(name: string | null): string {
  return (name ?? '').replace(/^.*\bc\d+-?/, '') || 'its role';
}
