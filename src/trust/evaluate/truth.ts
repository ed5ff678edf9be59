/**
 * Three values: it holds, it does not, or it cannot be known from here, with the reason (a phrase that goes into a message as it is).
 * An evaluator that has to guess at the third either locks people out or lets strangers in.
 */
export type Truth = boolean | Unknown;

/** The third value. */
export interface Unknown {
  readonly unknown: string;
}

/** `reason` is a phrase that goes behind `statement 2: `. */
export const unknown = (reason: string): Unknown => ({ unknown: reason });

/** Whether it is the third value. */
export function isUnknown(truth: Truth): truth is Unknown {
  return typeof truth === 'object';
}

/** What is not known does not become known by being turned round. */
export function not(truth: Truth): Truth {
  return isUnknown(truth) ? truth : !truth;
}

/** One that does not hold decides, whatever cannot be known about the others. */
export function all(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.find(isUnknown) ?? true;
}

/** One that holds decides, whatever cannot be known about the others. */
export function any(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true;
  return truths.find(isUnknown) ?? false;
}
