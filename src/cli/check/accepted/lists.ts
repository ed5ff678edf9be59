import type { ObjectName } from '../../../api/cluster.ts';
import type { FindingCode } from '../../../api/finding.ts';
import type { Accepted } from '../../../domain/check/judge.ts';
import type { Target } from '../target.ts';
import type { Checked } from '../text.ts';
import type { KnownFinding } from './baseline.ts';
import type { IgnoreEntry } from './ignore.ts';
import { covers, type Scope } from './scope.ts';

/** What the user accepts, by the files of `--ignore` and `--baseline`. */
export interface Lists {
  readonly ignore: { readonly file: string; readonly entries: readonly IgnoreEntry[] } | undefined;
  readonly baseline: { readonly file: string; readonly findings: readonly KnownFinding[] } | undefined;
}

/** Why a finding of a ServiceAccount does not count; undefined where it does. */
export type AcceptedBy = (of: ObjectName, code: FindingCode) => Accepted | undefined;
export const acceptsNothing: AcceptedBy = () => undefined;

/** More names than these are read in the report. */
const MOST_NAMED = 5;

/** `today`: `2026-12-31`, in UTC. */
export function acceptedBy({ ignore, baseline }: Lists, today: string): AcceptedBy {
  const entries = Map.groupBy(
    (ignore?.entries ?? []).filter((entry) => !hasExpired(entry, today)),
    ({ code }) => code,
  );
  const known = new Set((baseline?.findings ?? []).map(keyOf));
  return ({ namespace, name: serviceAccount }, code) => {
    const entry = entries.get(code)?.find((one) => covers(one, { namespace, serviceAccount }));
    if (entry !== undefined) return { by: 'ignore', reason: entry.reason };
    return known.has(keyOf({ namespace, serviceAccount, code })) ? { by: 'baseline' } : undefined;
  };
}

/** What is worth a line of the lists themselves: entries that expired, entries without a finding, known findings that are there no more. */
export function remarksOn({ ignore, baseline }: Lists, today: string, target: Target, checked: readonly Checked[]): string[] {
  const found = new Set(checked.flatMap(keysOf));
  const scope = scopeOf(target, checked);
  // What was not read may hide the finding.
  const wasRead = (of: Scope) =>
    scope !== undefined &&
    covers(scope, of) &&
    checked.every(
      ({ namespace, name, check: { steps } }) =>
        !covers(of, { namespace, serviceAccount: name }) || steps.every(({ state }) => state !== 'unread'),
    );
  const hasFinding = (entry: IgnoreEntry) =>
    checked.some(
      ({ namespace, name: serviceAccount }) =>
        covers(entry, { namespace, serviceAccount }) && found.has(keyOf({ namespace, serviceAccount, code: entry.code })),
    );
  const remarks = (ignore?.entries ?? []).flatMap((entry) => {
    const where = `--ignore: "${ignore?.file}", line ${entry.line}: ${entry.code}${ofWhom(entry)}`;
    if (hasExpired(entry, today)) return `${where}: it expired on ${entry.expires}, so the finding counts`;
    return !hasFinding(entry) && wasRead(entry) ? `${where}: there is no such finding. Remove the entry` : [];
  });
  const absent = (baseline?.findings ?? []).filter((one) => !found.has(keyOf(one)) && wasRead(one));
  if (absent.length === 0) return remarks;
  const named = absent.slice(0, MOST_NAMED).map(({ namespace, serviceAccount, code }) => `${code} of ${namespace}/${serviceAccount}`);
  const more = absent.length > MOST_NAMED ? ` and ${absent.length - MOST_NAMED} more` : '';
  return [...remarks, `--baseline: "${baseline?.file}": not found any more: ${named.join(', ')}${more}`];
}

const hasExpired = ({ expires }: IgnoreEntry, today: string): boolean => expires !== undefined && expires < today;

const keyOf = ({ namespace, serviceAccount, code }: KnownFinding): string => JSON.stringify([namespace, serviceAccount, code]);

function keysOf({ namespace, name: serviceAccount, check: { steps, notes } }: Checked): string[] {
  return [...steps.flatMap(({ findings }) => findings), ...notes].map(({ code }) => keyOf({ namespace, serviceAccount, code }));
}

/** What a check says something about. Undefined: labels chose, so nothing is known of others. */
function scopeOf(target: Target, [only]: readonly Checked[]): Scope | undefined {
  if (target.kind === 'all' && target.selector !== undefined) return undefined;
  return target.kind === 'all' ? { namespace: target.namespace } : { namespace: only?.namespace, serviceAccount: only?.name };
}

function ofWhom({ namespace, serviceAccount }: Scope): string {
  if (namespace === undefined && serviceAccount === undefined) return '';
  return ` of "${namespace ?? '*'}/${serviceAccount ?? '*'}"`;
}
