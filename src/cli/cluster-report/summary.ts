import { parseRoleArn, roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf, type ObjectKey } from '../../api/cluster.ts';
import { conditionOf } from '../../api/condition.ts';
import { isProblem } from '../../api/problem.ts';
import type { CheckReport } from '../check/check.ts';
import { type Checked, headline } from '../check/text.ts';

export const STATES = ['fail', 'unread', 'note', 'ok'] as const;
export type State = (typeof STATES)[number];

/** A ServiceAccount that is annotated or bound. */
export interface SummaryRow {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Empty: no binding names it. */
  readonly binding: string;
  readonly mode: string;
  readonly role: string;
  readonly state: State;
  /** Of a finding; empty where all is right. */
  readonly code: string;
  readonly message: string;
  /** `2/2`, as far as a binding says it. */
  readonly pods: string;
}

export interface PolicySize {
  readonly role: string;
  readonly characters: number;
  readonly quota: number;
}

/** What people look at and pass on. */
export interface Summary {
  readonly cluster: string;
  readonly issuer: string;
  readonly account: string;
  /** RFC 3339. */
  readonly at: string;
  readonly counts: Readonly<Record<State, number>>;
  readonly bound: number;
  /** The worst first, then by name. */
  readonly rows: readonly SummaryRow[];
  /** Rows beyond the most that one page has. */
  readonly leftOut: number;
  readonly findings: readonly { readonly code: string; readonly times: number }[];
  /** The fullest first. */
  readonly policies: readonly PolicySize[];
  readonly accounts: readonly { readonly account: string; readonly times: number }[];
}

/** More is nothing that a person reads, and slow in a browser. */
export const MOST_ROWS = 500;

/** From a check of every annotated ServiceAccount, and the bindings with what the operator says of them. Pure. */
export function summaryOf(report: CheckReport, bindings: readonly IrsaBinding[], at: string): Summary {
  const rows = new Map<ObjectKey, SummaryRow>(report.checked.map((one) => [keyOf(one), checkedRow(one)]));
  for (const binding of bindings) {
    const row = boundRow(binding);
    const key = keyOf({ namespace: row.namespace, name: row.serviceAccount });
    const before = rows.get(key);
    rows.set(key, before === undefined ? row : merged(row, before));
  }
  const all = [...rows.values()].toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || (nameOf(a) < nameOf(b) ? -1 : 1));
  const { cluster, issuer = '', account = '' } = report.about;
  const counts = Object.fromEntries(STATES.map((state) => [state, all.filter((row) => row.state === state).length])) as Record<
    State,
    number
  >;
  return {
    cluster,
    issuer,
    account,
    at,
    counts,
    bound: all.filter(({ binding }) => binding !== '').length,
    rows: all.slice(0, MOST_ROWS),
    leftOut: Math.max(0, all.length - MOST_ROWS),
    findings: counted(all.map(({ code }) => code)).map(([code, times]) => ({ code, times })),
    policies: policiesOf(report, bindings),
    accounts: counted(all.map(({ role }) => accountIn(role))).map(([one, times]) => ({ account: one, times })),
  };
}

const nameOf = ({ namespace, serviceAccount }: SummaryRow): string => `${namespace}/${serviceAccount}`;

function checkedRow({ namespace, name, check }: Checked): SummaryRow {
  const { state: found, step } = headline(check);
  const first = [...(check.steps.find((one) => one.name === step)?.findings ?? []), ...check.notes][0];
  const state: State = found === 'fail' ? 'fail' : found === 'unread' ? 'unread' : first === undefined ? 'ok' : 'note';
  const unread = state === 'unread' ? check.steps.find((one) => one.state === 'unread')?.text : undefined;
  return {
    namespace,
    serviceAccount: name,
    binding: '',
    mode: '',
    role: check.engine?.spec.roleArn ?? '',
    state,
    code: state === 'unread' ? '' : (first?.code ?? ''),
    message: unread ?? first?.message ?? '',
    pods: '',
  };
}

function boundRow({ metadata: { namespace, name }, spec, status }: IrsaBinding): SummaryRow {
  const ready = conditionOf(status.conditions, 'Ready');
  const state: State = ready === undefined || ready.status === 'Unknown' ? 'unread' : ready.status === 'False' ? 'fail' : 'ok';
  const known = isProblem(spec) ? undefined : spec;
  const detail = status.conditions.find(({ type, reason }) => type !== 'Ready' && reason === ready?.reason);
  const [note] = status.findings ?? [];
  const isNote = state === 'ok' && note !== undefined;
  return {
    namespace,
    serviceAccount: known?.serviceAccountName ?? name,
    binding: name,
    mode: known === undefined ? '' : known.suspend ? 'suspended' : known.mode,
    role: known?.roleArn ?? '',
    state: isNote ? 'note' : state,
    code: state === 'ok' ? (note?.code ?? '') : (ready?.reason ?? ''),
    message: state === 'ok' ? (note?.message ?? '') : (detail?.message ?? ready?.message ?? 'irsa-operator has not reported on it yet'),
    pods: status.pods?.summary ?? '',
  };
}

/** What is wrong is shown, whoever of the two says it. */
function merged(bound: SummaryRow, checked: SummaryRow): SummaryRow {
  const isWorse = STATES.indexOf(checked.state) < STATES.indexOf(bound.state);
  return isWorse ? { ...bound, state: checked.state, code: checked.code, message: checked.message } : bound;
}

/** The most frequent first, without what is empty. */
function counted(values: readonly string[]): [string, number][] {
  const groups = [
    ...Map.groupBy(
      values.filter((value) => value !== ''),
      (value) => value,
    ),
  ].map(([value, all]): [string, number] => [value, all.length]);
  return groups.toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

function accountIn(role: string): string {
  const arn = parseRoleArn(role);
  return isProblem(arn) ? '' : roleArnParts(arn).account;
}

function policiesOf({ checked }: CheckReport, bindings: readonly IrsaBinding[]): PolicySize[] {
  const sizes = new Map<string, PolicySize>();
  for (const { spec, status } of bindings)
    if (!isProblem(spec) && status.trustPolicy !== undefined) {
      const { characters, quota } = status.trustPolicy;
      sizes.set(spec.roleArn, { role: spec.roleArn, characters, quota });
    }
  for (const { check } of checked) {
    const { engine } = check;
    const size = engine?.verdict !== undefined && engine.verdict.kind !== 'released' ? engine.verdict.size : undefined;
    if (engine !== undefined && size !== undefined) sizes.set(engine.spec.roleArn, { role: engine.spec.roleArn, ...size });
  }
  return [...sizes.values()].toSorted((a, b) => b.characters / b.quota - a.characters / a.quota || (a.role < b.role ? -1 : 1));
}
