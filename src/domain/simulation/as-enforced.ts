import type { IrsaBinding } from '../../api/binding.ts';
import { isProblem } from '../../api/problem.ts';

/**
 * The binding as if it said Enforce and were not suspended: what is planned is what comes of that. The proof by STS waits for an answer of
 * AWS, and is left out.
 */
export function asEnforced(binding: IrsaBinding): IrsaBinding {
  const { spec } = binding;
  if (isProblem(spec)) return binding;
  return { ...binding, spec: { ...spec, mode: 'Enforce', suspend: false, verification: 'Never' } };
}
