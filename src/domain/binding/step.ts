import type { BindingStatus } from '../../api/binding.ts';
import type { RestartStep } from '../pods/restart/attempt.ts';

/** One effect outside of the process. They are performed in order; each is idempotent. */
export type Step =
  | { readonly do: 'addFinalizer' }
  | { readonly do: 'removeFinalizer' }
  | { readonly do: 'annotate'; readonly annotations: Readonly<Record<string, string>> }
  | { readonly do: 'unannotate' }
  | ({ readonly do: 'restart' } & RestartStep);

export interface BindingPlan {
  readonly steps: readonly Step[];
  readonly status: BindingStatus;
  /** When to check again though nothing changes: milliseconds from now. */
  readonly recheckInMs: number | undefined;
}
