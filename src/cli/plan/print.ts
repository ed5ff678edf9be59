import { stringify } from 'yaml';
import type { Effect } from '../../domain/simulation/effect.ts';
import { plain, printable } from '../output.ts';
import { coloured, hanging, type Style } from '../style.ts';
import { type DiffLine, diffLines } from './diff.ts';
import type { PLAN_OUTPUTS } from './flags.ts';
import type { Plan, PlannedBinding } from './plan.ts';

type Output = (typeof PLAN_OUTPUTS)[number];

const COLOURS = { '+': '32', '-': '31', ' ': '0' } as const;
const INDENT = '  ';

/** What goes to standard output. */
export function printPlan(plan: Plan, output: Output, style: Style): string {
  switch (output) {
    case 'json':
      return `${JSON.stringify(data(plan), undefined, 2)}\n`;
    case 'yaml':
      return stringify(data(plan), { aliasDuplicateObjects: false });
    case 'table':
      return `${[...plan.effects.flatMap((one) => [...inText(one, style), '']), ...plan.bindings.flatMap((one) => conclusion(one, style))].join('\n')}\n`;
    case 'markdown':
      return markdown(plan);
  }
}

function inText(effect: Effect, style: Style): string[] {
  const lines = differenceOf(effect).map(([sign, text]) => coloured(`${INDENT}${sign} ${printable(text)}`, COLOURS[sign], style));
  return [
    ...hanging('', INDENT.length, plain(title(effect)), style.width),
    ...(style.colour ? lines : lines.map((line) => line.trimEnd())),
  ];
}

/** One line for each effect. */
export function title(effect: Effect): string {
  switch (effect.do) {
    case 'writeTrust':
      return `trust policy of ${effect.role}`;
    case 'annotate':
      return `annotations of ServiceAccount ${effect.serviceAccount.namespace}/${effect.serviceAccount.name}`;
    case 'restart': {
      const { how, pod, owner, serviceAccount, ifNotReady } = effect;
      const part = owner === '' ? '' : ` of ${owner}`;
      return `${how} pod ${serviceAccount.namespace}/${pod}${part}${ifNotReady ? ', if it is still not ready by then' : ''}`;
    }
    case 'rollOut':
      return `roll out ${effect.workload} of namespace ${effect.serviceAccount.namespace}`;
  }
}

function differenceOf(effect: Effect): DiffLine[] {
  if (effect.do === 'writeTrust') return diffLines(linesOf(effect.before), linesOf(effect.after));
  if (effect.do !== 'annotate') return [];
  const lines = (annotations: Readonly<Record<string, string>>) =>
    Object.entries(annotations)
      .map(([key, value]) => `${key}: ${value}`)
      .toSorted();
  return diffLines(lines(effect.before), lines(effect.after));
}

/** One that IAM has and that is no JSON would not be written. */
const linesOf = (document: string): string[] => JSON.stringify(JSON.parse(document), undefined, 2).split('\n');

function conclusion({ namespace, name, asIfEnforced, ready }: PlannedBinding, { width }: Style): string[] {
  const as = asIfEnforced ? ' (as if it said mode: Enforce)' : '';
  const why = ready.status === 'True' ? '' : `: ${ready.message}`;
  return hanging('', INDENT.length, plain(`${namespace}/${name}${as}: then Ready=${ready.status}, ${ready.reason}${why}`), width);
}

function data({ issuer, account, bindings, effects, ended }: Plan): object {
  return {
    issuer,
    account,
    complete: ended,
    bindings,
    effects: effects.map((effect) =>
      effect.do === 'writeTrust' ? { ...effect, before: JSON.parse(effect.before), after: JSON.parse(effect.after) } : effect,
    ),
  };
}

function markdown({ effects, bindings }: Plan): string {
  const fence = (lines: readonly DiffLine[]) =>
    lines.length === 0 ? [] : ['', '```diff', ...lines.map(([sign, text]) => `${sign} ${printable(text)}`), '```'];
  const changes = effects.flatMap((effect, at) => [
    `${at + 1}. ${code(title(effect))}`,
    ...fence(differenceOf(effect)).map((line) => (line === '' ? '' : `   ${line}`)),
  ]);
  const rows = bindings.map(
    ({ namespace, name, asIfEnforced, ready }) =>
      `| ${code(`${namespace}/${name}`)} | ${asIfEnforced ? 'as if Enforce' : 'Enforce'} | ${ready.status} | ${ready.reason} |`,
  );
  return [
    `## irsa-operator plan: ${effects.length === 0 ? 'no changes' : `${effects.length} changes`}`,
    '',
    ...changes,
    ...(changes.length === 0 ? [] : ['']),
    '| Binding | Mode | Then Ready | Reason |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** Names of Kubernetes and of IAM have no backquote. */
const code = (text: string): string => `\`${plain(text).replaceAll('`', "'").replaceAll('|', '\\|')}\``;
