import type { IrsaBinding } from '../../api/binding.ts';
import { conditionOf } from '../../api/condition.ts';
import { Fault } from '../../api/fault.ts';
import { FINDINGS } from '../../api/finding.ts';
import { isProblem, type Problem, problem } from '../../api/problem.ts';
import type { Among } from '../../ports/among.ts';
import { selectorFrom } from '../cluster-flags.ts';
import type { Given } from '../command.ts';
import { nearest } from '../nearest.ts';

/** Which bindings are meant. */
export interface Selection extends Among {
  /** Empty: whatever their names. */
  readonly names: readonly string[];
  readonly notReady: boolean;
  readonly code: string | undefined;
  readonly suspended: boolean;
}

/** `ofContext`: the namespace of the kubeconfig's context. */
export function selectionFrom(names: readonly string[], given: Given, ofContext: string): Selection | Problem {
  const all = given['all-namespaces'] === true;
  if (all && names.length > 0) return problem(`"${names.join(' ')}" and -A: a name is of one namespace. Give -n`);
  const selector = selectorFrom(given);
  if (selector !== undefined && names.length > 0) return problem(`"${names.join(' ')}" and -l: give one of the two`);
  const code = typeof given['code'] === 'string' ? given['code'] : undefined;
  if (code !== undefined && !Object.hasOwn(FINDINGS, code)) {
    const meant = nearest(code, Object.keys(FINDINGS));
    return problem(`--code: "${code}" is no code of a finding${meant === undefined ? '' : `. Is ${meant} meant?`}`);
  }
  const said = given['namespace'];
  // An empty one is a variable of a shell that is not set.
  const here = typeof said === 'string' && said !== '' ? said : ofContext;
  return {
    namespace: all ? undefined : here,
    selector,
    names,
    notReady: given['not-ready'] === true,
    code,
    suspended: given['suspended'] === true,
  };
}

/** A command that changes bindings needs to hear which: a name or a filter that was forgotten must not mean all of them. */
export function changeSelectionFrom(names: readonly string[], given: Given, ofContext: string): Selection | Problem {
  const selection = selectionFrom(names, given, ofContext);
  if (isProblem(selection)) return selection;
  const { selector, notReady, code, suspended } = selection;
  const narrowed = names.length > 0 || selector !== undefined || notReady || code !== undefined || suspended;
  if (given['all'] === true) return names.length > 0 ? problem(`"${names.join(' ')}" and --all: give one of the two`) : selection;
  return narrowed ? selection : problem('name the bindings, or choose them with -l, --not-ready, --code, --suspended or --all');
}

export function isSelected({ names, notReady, code, suspended }: Selection, binding: IrsaBinding): boolean {
  if (names.length > 0 && !names.includes(binding.metadata.name)) return false;
  if (notReady && isReady(binding)) return false;
  if (suspended && !isSuspended(binding)) return false;
  return code === undefined || codesOf(binding).includes(code);
}

/** Those that are meant. Throws `Fault` where one that is named does not exist. */
export function selectedFrom(selection: Selection, all: readonly IrsaBinding[]): IrsaBinding[] {
  const known = new Set(all.map(({ metadata }) => metadata.name));
  const missing = selection.names.find((name) => !known.has(name));
  if (missing !== undefined) throw new Fault('notFound', `there is no IrsaBinding "${missing}" in namespace "${selection.namespace}"`);
  return all.filter((binding) => isSelected(selection, binding));
}

/** Of the spec as it is: what was said of an older one says nothing. */
export function isReady({ metadata, status }: IrsaBinding): boolean {
  return status.observedGeneration === metadata.generation && conditionOf(status.conditions, 'Ready')?.status === 'True';
}

export function isSuspended({ spec }: IrsaBinding): boolean {
  return !isProblem(spec) && spec.suspend;
}

function codesOf({ status }: IrsaBinding): readonly string[] {
  const reason = conditionOf(status.conditions, 'Ready')?.reason;
  return [...(status.findings ?? []).map(({ code }) => code), ...(reason === undefined ? [] : [reason])];
}
