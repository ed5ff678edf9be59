import { sep } from 'node:path';
import type { ObjectName } from '../../../api/cluster.ts';
import type { FindingCode } from '../../../api/finding.ts';
import type { Accepted, CheckFinding, StepName } from '../../../domain/check/judge.ts';
import type { CheckReport } from '../check.ts';
import { type Checked, causesOf, type Place } from '../text.ts';

/** A finding for a program that shows findings one by one: one for each ServiceAccount, step and code. */
export interface Result {
  readonly of: ObjectName;
  readonly code: FindingCode;
  /** `note`: it decides no exit code. */
  readonly level: 'error' | 'warning' | 'note';
  readonly message: string;
  readonly accepted: Accepted | undefined;
  readonly place: Place | undefined;
}

/** A step that could not be looked at. */
export interface UnreadStep {
  readonly of: ObjectName;
  readonly message: string;
  readonly place: Place | undefined;
}

export function resultsOf({ checked, failOn }: CheckReport): Result[] {
  return checked.flatMap((one) => {
    const result = (level: Result['level'], step?: StepName) => (found: CheckFinding) => ({
      of: nameOf(one),
      code: found.code,
      level,
      message: found.message,
      accepted: found.accepted,
      place: placeOf(one, step),
    });
    return [
      ...one.check.steps.flatMap(({ name, findings }) => causesOf(findings).map(result('error', name))),
      ...causesOf(one.check.notes).map(result(failOn === 'Warning' ? 'warning' : 'note')),
    ];
  });
}

export function unreadOf({ checked }: CheckReport): UnreadStep[] {
  return checked.flatMap((one) =>
    one.check.steps
      .filter(({ state }) => state === 'unread')
      .map(({ name, text }) => ({ of: nameOf(one), message: `${name}: ${text}`, place: placeOf(one, name) })),
  );
}

/** Where the step has no place of its own it is that of the ServiceAccount: what is wrong is wrong for it. */
export function placeOf({ places }: Checked, step?: StepName): Place | undefined {
  return (step === undefined ? undefined : places[step]) ?? places.ServiceAccount;
}

/** Of a finding that was read in a cluster there is none. */
export const placeText = (place: Place | undefined): string =>
  place === undefined ? '' : `${slashed(place.file)}:${place.line}:${place.column}`;

/** As pipelines name a file: with slashes on Windows too, and without the folder where it is looked for. */
export const slashed = (file: string): string => file.replaceAll(sep, '/').replace(/^(\.\/+)+/, '');

const nameOf = ({ namespace, name }: Checked): ObjectName => ({ namespace, name });
