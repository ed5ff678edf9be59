import { assertNever } from '../../api/assert-never.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import type { ServiceAccount } from '../../api/cluster.ts';
import { EKS_ANNOTATIONS } from '../../api/names.ts';
import { otherWriters } from '../../binding/annotations.ts';
import type { Observed } from '../../binding/observed.ts';
import type { Blocked } from '../../binding/restarts.ts';
import type { Step } from '../../binding/step.ts';
import type { Log } from '../../runtime/log.ts';
import { quote, quoteAll } from '../../trust/quote.ts';
import type { OwnWrites } from './own-writes.ts';
import type { BindingOptions } from './ports.ts';

interface PerformOptions extends BindingOptions {
  readonly blocked: Map<string, Blocked>;
  readonly ownWrites: OwnWrites;
  readonly log: Log;
}

/** Every effect of the binding controller but the status. Each comes back as a change of what is watched. */
export async function perform(step: Step, seen: Observed, options: PerformOptions, signal: AbortSignal): Promise<'done' | 'blocked'> {
  const { writes, log } = options;
  const { binding, serviceAccount } = seen;
  switch (step.do) {
    case 'addFinalizer':
      options.ownWrites.wrote(binding, await writes.addFinalizer(binding, signal));
      return 'done';
    case 'removeFinalizer':
      log.info({}, 'lets the binding go');
      options.ownWrites.wrote(binding, await writes.removeFinalizer(binding, signal));
      return 'done';
    case 'annotate':
      if (serviceAccount !== undefined) await annotate(binding, serviceAccount, step.annotations, options, signal);
      return 'done';
    case 'unannotate':
      if (serviceAccount !== undefined) await unannotate(binding, serviceAccount, options, signal);
      return 'done';
    case 'restart':
      return restart(step, binding, options, signal);
    default:
      return assertNever(step);
  }
}

async function annotate(
  binding: IrsaBinding,
  account: ServiceAccount,
  annotations: Readonly<Record<string, string>>,
  options: PerformOptions,
  signal: AbortSignal,
): Promise<void> {
  const { writes, events, metrics, log } = options;
  await writes.annotate(account, annotations, signal);
  log.info({ serviceAccount: account.name, annotations }, 'annotated the ServiceAccount');
  const replaced = replacedValues(account, annotations);
  if (account.annotations[EKS_ANNOTATIONS.roleArn] !== annotations[EKS_ANNOTATIONS.roleArn]) {
    metrics.repaired();
    if (account.writers[EKS_ANNOTATIONS.roleArn] !== undefined) metrics.drifted();
  }
  const note = `set ${Object.entries(annotations)
    .map(([key, value]) => `${key}: "${value}"`)
    .join(', ')} on ServiceAccount "${account.name}"${replaced}`;
  events.record(binding, { type: 'Normal', reason: 'ServiceAccountAnnotated', action: 'Annotate', note });
}

/** Names who must be asked when it happens again. */
function replacedValues(account: ServiceAccount, annotations: Readonly<Record<string, string>>): string {
  const replaced = Object.entries(annotations).flatMap(([key, value]) => {
    const old = account.annotations[key];
    if (old === undefined || old === value) return [];
    const managers = otherWriters(account, { [key]: value });
    const by = managers.length === 0 ? '' : `, set by ${quoteAll(managers)}`;
    return [`; ${key} was ${quote(old)}${by}`];
  });
  return replaced.join('');
}

async function unannotate(
  binding: IrsaBinding,
  account: ServiceAccount,
  { writes, events }: PerformOptions,
  signal: AbortSignal,
): Promise<void> {
  await writes.annotate(account, {}, signal);
  const note = `took our annotations from ServiceAccount "${account.name}"`;
  events.record(binding, { type: 'Normal', reason: 'AnnotationRemoved', action: 'RemoveAnnotation', note });
}

async function restart(
  step: Extract<Step, { do: 'restart' }>,
  binding: IrsaBinding,
  options: PerformOptions,
  signal: AbortSignal,
): Promise<'done' | 'blocked'> {
  const { writes, events, metrics, clock, blocked, log } = options;
  const { pod, how } = step;
  const removal = how === 'evict' ? await writes.evict(pod, signal) : await writes.deletePod(pod, signal);
  if (removal.kind !== 'gone') {
    metrics.restarted(how, 'blocked');
    blocked.set(pod.uid, { kind: removal.kind, at: clock.now(), message: removal.message });
    log.info({ pod: pod.name, why: removal.message }, 'the pod cannot be evicted now');
    return 'blocked';
  }
  blocked.delete(pod.uid);
  metrics.restarted(how, 'done');
  log.info({ pod: pod.name, how }, 'took a pod away that lacks the role, to be made again');
  const note =
    how === 'evict'
      ? `evicted pod "${pod.name}", so that a new one gets the role`
      : `deleted pod "${pod.name}": it was not ready, and its PodDisruptionBudget would never let it be evicted`;
  events.record(binding, { type: 'Normal', reason: 'PodRestarted', action: 'RestartPod', note });
  return 'done';
}
