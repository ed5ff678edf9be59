import { roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { conditionOf, timestamp } from '../../api/condition.ts';
import { isProblem } from '../../api/problem.ts';
import { isSuspended } from './select.ts';

/** A binding as `get` prints it. */
export interface Row {
  readonly namespace: string;
  readonly name: string;
  readonly ready: string;
  readonly reason: string;
  readonly serviceaccount: string;
  readonly role: string;
  readonly pods: string;
  readonly suspended: string;
  readonly age: string;
  readonly policy: string;
  readonly mode: string;
  readonly message: string;
}

const USUAL = ['name', 'ready', 'reason', 'serviceaccount', 'role', 'pods', 'suspended', 'age'] as const satisfies (keyof Row)[];
const WIDE = ['policy', 'mode', 'message'] as const satisfies (keyof Row)[];

export function columnsOf({ wide, allNamespaces }: { readonly wide: boolean; readonly allNamespaces: boolean }): (keyof Row)[] {
  return [...(allNamespaces ? (['namespace'] as const) : []), ...USUAL, ...(wide ? WIDE : [])];
}

/** `now`: epoch milliseconds. A wide row has the whole ARN. */
export function rowOf(binding: IrsaBinding, now: number, wide: boolean): Row {
  const { metadata, spec, status } = binding;
  const ready = readyOf(binding);
  const known = isProblem(spec) ? undefined : spec;
  const role = known === undefined ? '' : wide ? known.roleArn : roleIn(known.roleArn);
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    ready: ready.status,
    reason: ready.reason,
    serviceaccount: known?.serviceAccountName ?? '',
    role,
    pods: status.pods?.summary ?? '',
    suspended: String(isSuspended(binding)),
    age: ageOf(now - metadata.createdAt),
    policy: status.trustPolicy?.summary ?? '',
    mode: known?.mode ?? '',
    message: ready.message,
  };
}

/** What the operator says of the spec as it is. */
function readyOf({ metadata, spec, status }: IrsaBinding): { status: string; reason: string; message: string } {
  if (metadata.deleting) return { status: 'Unknown', reason: 'Deleting', message: 'it is being deleted' };
  const ready = conditionOf(status.conditions, 'Ready');
  if (ready === undefined || status.observedGeneration !== metadata.generation)
    return { status: 'Unknown', reason: 'Pending', message: 'irsa-operator has not reported on this spec yet' };
  return { status: ready.status, reason: ready.reason, message: isProblem(spec) ? spec.problem : ready.message };
}

/** The account is told by a wide row. */
function roleIn(arn: Parameters<typeof roleArnParts>[0]): string {
  const { path, name } = roleArnParts(arn);
  return `role${path}${name}`;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** In the unit that kubectl uses for an age of this size. */
export function ageOf(ms: number): string {
  const whole = (unit: number) => Math.max(0, Math.floor(ms / unit));
  if (ms < 2 * MINUTE) return `${whole(SECOND)}s`;
  if (ms < 3 * HOUR) return `${whole(MINUTE)}m`;
  return ms < 2 * DAY ? `${whole(HOUR)}h` : `${whole(DAY)}d`;
}

/** The same for programs. */
export function dataOf(binding: IrsaBinding): object {
  const { metadata, spec, status } = binding;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    createdAt: timestamp(metadata.createdAt),
    ...(isProblem(spec)
      ? { problem: spec.problem }
      : { serviceAccount: spec.serviceAccountName, role: spec.roleArn, mode: spec.mode, suspended: spec.suspend }),
    deleting: metadata.deleting,
    ready: readyOf(binding),
    findings: status.findings ?? [],
    ...(status.pods !== undefined && { pods: status.pods }),
    ...(status.trustPolicy !== undefined && { trustPolicy: status.trustPolicy }),
    ...(status.plan !== undefined && { plan: status.plan }),
  };
}
