import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf, type ObjectKey, type ServiceAccount } from '../../api/cluster.ts';
import { Fault, isFault } from '../../api/fault.ts';
import { isProblem } from '../../api/problem.ts';
import type { Webhook } from '../../api/webhook.ts';
import { asksForRole } from '../../domain/audit/audit.ts';
import type { Among } from '../../ports/among.ts';
import type { ReadCluster } from '../../ports/read-cluster.ts';
import type { ReadAws } from '../check/ports.ts';
import type { Given } from '../command.ts';
import { inTurns } from '../in-turns.ts';
import type { Progress } from '../progress.ts';
import { type Imported, importedFrom, type KnownRole, roleNamedBy } from './imported.ts';

/** What an import reads. Every method throws `Fault`. */
export interface ImportPorts {
  readonly cluster: Pick<ReadCluster, 'serviceAccounts'> & {
    /** None where the CRD is not installed yet. */
    bindings(signal: AbortSignal): Promise<readonly IrsaBinding[]>;
  };
  readonly aws: { readonly caller: ReadAws['caller']; readonly roles: Pick<ReadAws['roles'], 'read'> };
  readonly webhook: Webhook;
  readonly progress: Progress;
}

/** What comes of each annotated ServiceAccount, in the order of their names. Writes nothing. Throws `Fault`. */
export async function importAll(among: Among, given: Given, ports: ImportPorts, signal: AbortSignal): Promise<Imported[]> {
  const mode = given['mode'];
  if (mode !== 'Observe' && mode !== 'Enforce') throw new Fault('invalid', `--mode: "${mode}" is neither Observe nor Enforce`);
  const { cluster, webhook, aws } = ports;
  const [all, bindings, caller] = await Promise.all([cluster.serviceAccounts(among, signal), cluster.bindings(signal), aws.caller(signal)]);
  if (caller.kind === 'unknown') throw new Fault('transient', `sts:GetCallerIdentity failed: ${caller.why}`);
  const accounts = all.filter((account) => asksForRole(account, webhook)).toSorted(byKey);
  const named = [...new Set(accounts.flatMap((account) => roleNamedBy(account, webhook) ?? []))];
  const own = named.filter((arn) => roleArnParts(arn).account === caller.account);
  const known = new Map(
    await inTurns(
      own,
      async (arn) => [arn, await readRole(arn, aws.roles, signal)] as const,
      (done, total) => ports.progress(done, total, 'roles'),
    ),
  );
  const byAccount = Map.groupBy(bindings, accountOf);
  return accounts.map((account) =>
    importedFrom({
      account,
      mode,
      bindings: byAccount.get(keyOf(account)) ?? [],
      roleOf: (arn) => known.get(arn) ?? { kind: 'otherAccount', account: caller.account },
      webhook,
    }),
  );
}

const byKey = (a: ServiceAccount, b: ServiceAccount): number => (keyOf(a) < keyOf(b) ? -1 : 1);

function accountOf({ metadata: { namespace }, spec }: IrsaBinding): ObjectKey {
  return keyOf({ namespace, name: isProblem(spec) ? '' : spec.serviceAccountName });
}

/** What IAM does not let the person read is told with the binding, and stops no other. */
async function readRole(arn: RoleArn, roles: ImportPorts['aws']['roles'], signal: AbortSignal): Promise<KnownRole> {
  try {
    const { arn: found, tags } = await roles.read(arn, signal, 'change');
    // GetRole takes a name and ignores the path.
    return found === arn ? { kind: 'present', tags } : { kind: 'missing' };
  } catch (error) {
    if (isFault(error, 'notFound')) return { kind: 'missing' };
    if (isFault(error, 'denied')) return { kind: 'unread', why: error.message };
    throw error;
  }
}
