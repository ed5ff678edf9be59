import type { BindingObjects } from '../../ports/binding-objects.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Progress } from '../progress.ts';

export interface BindingPorts {
  readonly bindings: BindingObjects;
  readonly clock: Clock;
  readonly progress: Progress;
  /** Of the kubeconfig's context. */
  readonly namespace: string;
}
