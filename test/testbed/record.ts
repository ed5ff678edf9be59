import { randomUUID } from 'node:crypto';
import { createReadStream, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { JournalEntry } from './aws/journal.ts';
import { type AuditEvent, isDryRun, OPERATOR_USER } from './control-plane/audit.ts';
import type { Comeback } from './control-plane/index.ts';

/** Where each testbed leaves its record when it ends; set by whoever looks at them all after the last suite. */
export const RECORDS_FOLDER = 'TESTBED_RECORDS';

/** What the operator asked for in one testbed, each kind of request once, and the answers. Tests that call as the operator's user are not in it. */
export interface TestbedRecord {
  readonly requests: readonly KubeRequest[];
  readonly calls: readonly AwsCall[];
  readonly expectedRefusals: readonly string[];
}

export interface KubeRequest {
  readonly verb: string;
  readonly apiGroup: string;
  /** `pods` or `pods/eviction`; a path where it is no resource. */
  readonly resource: string;
  readonly name: string;
  readonly code: number;
  /** What the authorizer said: `RBAC: allowed by ... of ClusterRole "irsa-operator" to ...`. */
  readonly why: string;
  readonly refused: boolean;
}

export type AwsCall = Pick<JournalEntry, 'service' | 'operation' | 'code' | 'allowedBy' | 'tagSessionAllowedBy'>;

/** With a version: adapters that a test drives have none. */
const USER_AGENT = /"userAgent":"irsa-operator\/\d/;
/** The operator's session; tests call as others. */
const CALLER = ':assumed-role/irsa-operator/';
const REFUSALS: readonly string[] = ['AccessDenied', 'AccessDeniedException', 'InvalidClientTokenId', 'SignatureDoesNotMatch'];

/** Where a testbed's API server wrote what it was asked for, and the times when it came back from a stop. */
export interface AuditSource {
  readonly auditLog: string;
  readonly comebacks: readonly Comeback[];
}

export async function keepRecord(
  source: AuditSource,
  journal: readonly JournalEntry[],
  expectedRefusals: readonly string[],
): Promise<void> {
  const folder = process.env[RECORDS_FOLDER];
  if (folder === undefined) return;
  const requests = existsSync(source.auditLog) ? await requestsIn(source) : [];
  const calls = journal
    .filter(({ caller, scripted }) => caller.includes(CALLER) && scripted === undefined)
    .map(({ service, operation, code, allowedBy, tagSessionAllowedBy }) => ({ service, operation, code, allowedBy, tagSessionAllowedBy }));
  writeFileSync(join(folder, `${randomUUID()}.json`), JSON.stringify({ requests, calls: distinct(calls), expectedRefusals }));
}

/** Line by line: the log of a benchmark has a few hundred megabytes. */
async function requestsIn({ auditLog, comebacks }: AuditSource): Promise<KubeRequest[]> {
  const found: KubeRequest[] = [];
  const seen = new Set<string>();
  for await (const line of createInterface({ input: createReadStream(auditLog) })) {
    if (!USER_AGENT.test(line)) continue;
    const request = requestOf(JSON.parse(line) as AuditEvent, comebacks);
    const key = JSON.stringify(request);
    if (request === undefined || seen.has(key)) continue;
    seen.add(key);
    found.push(request);
  }
  return found;
}

/**
 * Undefined for one of another user; without any user it was refused for want of one, and is the operator's. A dry run that RBAC let pass needs no
 * right that its write would not need, and what the policies say to it is for the operator to judge. An API server that comes back refuses
 * everybody until it has read its rules.
 */
export function requestOf(event: AuditEvent, comebacks: readonly Comeback[] = []): KubeRequest | undefined {
  const { verb, objectRef, requestURI, responseStatus, annotations = {} } = event;
  const code = responseStatus?.code ?? 0;
  if (event.user.username !== OPERATOR_USER && code !== 401) return undefined;
  if (isDryRun(event) && annotations['authorization.k8s.io/decision'] === 'allow') return undefined;
  const refused = code === 401 || code === 403;
  const received = Date.parse(event.requestReceivedTimestamp);
  if (refused && comebacks.some(({ from, to }) => from <= received && received <= to)) return undefined;
  const resource = objectRef === undefined ? requestURI : [objectRef.resource, objectRef.subresource].filter(Boolean).join('/');
  const name = NAMED_BY_CHANCE.has(resource) ? '' : (objectRef?.name ?? '');
  const why = annotations['authorization.k8s.io/reason'] ?? '';
  return { verb, apiGroup: objectRef?.apiGroup ?? '', resource, name, code, why, refused };
}

/** Thousands of names, by which no right is given. */
const NAMED_BY_CHANCE: ReadonlySet<string> = new Set([
  'pods',
  'pods/eviction',
  'events',
  'irsabindings',
  'irsabindings/status',
  'serviceaccounts',
]);

export function isRefusal(code: string): boolean {
  return REFUSALS.includes(code);
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
