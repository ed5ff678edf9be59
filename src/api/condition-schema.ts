import * as z from 'zod';
import { CONDITION_STATUSES, MAX_MESSAGE } from './condition.ts';
import { time } from './schema.ts';

/** A condition in a status, as a CRD has it. `of` is what the object is called. */
export function conditionSchema<Types extends readonly [string, ...string[]]>(
  types: Types,
  { of, type, state }: { readonly of: string; readonly type: string; readonly state: string },
) {
  return z.object({
    type: z.enum(types).describe(type),
    status: z.enum(CONDITION_STATUSES).describe('True, False, or Unknown.'),
    observedGeneration: z.int().describe(`The generation of the ${of} that this is about.`),
    lastTransitionTime: time('When the status of this condition changed last.'),
    reason: z.string().max(1024).describe(`One word for why: a finding code, or a state such as ${state}.`),
    message: z.string().max(MAX_MESSAGE).describe('One or two sentences: what was found, what is wanted, and what to do.'),
  });
}
