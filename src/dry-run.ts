import type { IrsaBinding } from './api/binding.ts';
import { isProblem } from './api/problem.ts';

/** With `--dry-run` every binding is as if it said Observe: what it would do is in its plan, and one that is deleted goes as if it said Retain. */
export function onlyLookedAt(binding: IrsaBinding): IrsaBinding {
  return isProblem(binding.spec) ? binding : { ...binding, spec: { ...binding.spec, mode: 'Observe' } };
}
