import type { BindingObjects } from '../../ports/binding-objects.ts';
import type { Clock } from '../../runtime/clock.ts';

export interface BindingPorts {
  readonly bindings: BindingObjects;
  readonly clock: Clock;
  /** Of the kubeconfig's context. */
  readonly namespace: string;
}
