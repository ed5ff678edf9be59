import { assertNever } from '../../api/assert-never.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import type { ServiceAccount } from '../../api/cluster.ts';
import { ADMISSION_UNDID, Fault } from '../../api/fault.ts';
import { annotationKeys } from '../../api/webhook.ts';
import type { Observed } from '../../domain/binding/observed.ts';
import type { Step } from '../../domain/binding/step.ts';
import type { Blocked, RestartStep } from '../../domain/pods/restart/attempt.ts';
import { heldByUs, otherWriters } from '../../domain/service-account/annotations.ts';
import { ADMISSION, isRevertedWithin } from '../../domain/service-account/contention.ts';
import { type Contentions, recordRevert } from '../../domain/state/contention.ts';
import type { EventReason } from '../../ports/events.ts';
import type { Log } from '../../runtime/log.ts';
import { quote, quoteAll } from '../../trust/document/quote.ts';
import type { BindingOptions, BindingWrites, Removal } from './ports.ts';
import type { RestartExpectations } from './restart-expectations.ts';
import type { WriteExpectations } from './write-expectations.ts';

interface PerformOptions extends BindingOptions {
  readonly blocked: Map<string, Blocked>;
  readonly contentions: Contentions;
  readonly expectations: {
    readonly bindings: WriteExpectations;
    readonly serviceAccounts: WriteExpectations;
    readonly restarts: RestartExpectations;
  };
  readonly log: Log;
}

/**
 * `done`: it comes back as a change of what is watched. `unchanged`: nothing was to be changed, so nothing comes back. `reverted`: admission
 * changed it within the request, and whether anything comes back is open. `changed`: it was meant for what is not so any more, and is to be
 * decided again.
 */
export type Performed = 'done' | 'unchanged' | 'reverted' | 'blocked' | 'changed';

/** The binding as it is with our finalizer: what is reported in the same attempt is reported of that. */
export async function addFinalizer(
  { binding }: Observed,
  { writes, expectations }: PerformOptions,
  signal: AbortSignal,
): Promise<IrsaBinding> {
  const resourceVersion = await writes.addFinalizer(binding, signal);
  expectations.bindings.expect(binding.metadata, resourceVersion);
  return { ...binding, metadata: { ...binding.metadata, resourceVersion } };
}

/** Every effect of the binding controller but the finalizer and the status. */
export async function perform(
  step: Exclude<Step, { do: 'addFinalizer' }>,
  seen: Observed,
  options: PerformOptions,
  signal: AbortSignal,
): Promise<Performed> {
  const { writes, log } = options;
  const { binding, serviceAccount } = seen;
  switch (step.do) {
    case 'removeFinalizer':
      log.info({}, 'removing finalizer');
      await writes.removeFinalizer(binding, signal);
      options.expectations.bindings.expect(binding.metadata);
      return 'done';
    case 'annotate':
      return serviceAccount === undefined ? 'done' : annotate(binding, serviceAccount, step.annotations, options, signal);
    case 'unannotate':
      return serviceAccount === undefined ? 'done' : unannotate(binding, serviceAccount, options, signal);
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
): Promise<Performed> {
  const { writes, events, metrics, expectations, contentions, clock, log } = options;
  const { roleArn } = annotationKeys(options.stores.settings.webhook);
  const answered = await writes.annotate(account, annotations, signal);
  expectations.serviceAccounts.expect(account, answered.resourceVersion);
  const reverted = isRevertedWithin(annotations, account, answered);
  if (account.annotations[roleArn] !== annotations[roleArn]) {
    if (!reverted) metrics.repaired();
    if (account.writers[roleArn] !== undefined) metrics.drifted();
  }
  if (reverted) {
    contentions.set(account.uid, recordRevert(contentions.of(account.uid), clock.now(), [ADMISSION]));
    log.info({ serviceAccount: account.name, annotations, found: answered.annotations }, 'annotation changed by admission');
    return 'reverted';
  }
  // Admission keeps the object as it was, or it was so already: nothing happened that is worth an Event.
  if (answered.resourceVersion === account.resourceVersion) return 'unchanged';
  log.info({ serviceAccount: account.name, annotations }, 'annotated ServiceAccount');
  const replaced = replacedValues(account, annotations);
  const note = `set ${Object.entries(annotations)
    .map(([key, value]) => `${key}: "${value}"`)
    .join(', ')} on ServiceAccount "${account.name}"${replaced}`;
  events.record(binding, { type: 'Normal', reason: 'ServiceAccountAnnotated', action: 'Annotate', note });
  return 'done';
}

/** Names who must be asked when it happens again. The API server keeps no names for an object that was made bare (`kubectl create serviceaccount`), until the first apply. */
function replacedValues(account: ServiceAccount, annotations: Readonly<Record<string, string>>): string {
  const replaced = Object.entries(annotations).flatMap(([key, value]) => {
    const old = account.annotations[key];
    if (old === undefined || old === value) return [];
    const managers = otherWriters(account, { [key]: value });
    const by = managers.length === 0 ? ' (the API server has no name of the writer)' : `, set by ${quoteAll(managers)}`;
    return [`. Before, ${key} was ${quote(old)}${by}`];
  });
  return replaced.join('');
}

async function unannotate(
  binding: IrsaBinding,
  account: ServiceAccount,
  { writes, events, expectations, stores }: PerformOptions,
  signal: AbortSignal,
): Promise<Performed> {
  const answered = await writes.annotate(account, {}, signal);
  expectations.serviceAccounts.expect(account, answered.resourceVersion);
  const { roleArn } = annotationKeys(stores.settings.webhook);
  if (heldByUs(answered, roleArn) !== undefined) {
    const text = `ServiceAccount "${account.name}" still has the annotation ${roleArn} after irsa-operator removed it`;
    throw new Fault('transient', `${text}. ${ADMISSION_UNDID}`);
  }
  const note = `removed the annotations of irsa-operator from ServiceAccount "${account.name}"`;
  events.record(binding, { type: 'Normal', reason: 'AnnotationRemoved', action: 'RemoveAnnotation', note });
  return 'done';
}

async function restart(
  step: Extract<Step, { do: 'restart' }>,
  binding: IrsaBinding,
  options: PerformOptions,
  signal: AbortSignal,
): Promise<Performed> {
  const { writes, events, metrics, clock, blocked, expectations, log } = options;
  const { how } = step;
  const what = how === 'rollout' ? step.workload : step.pod;
  const removal = await remove(step, writes, signal);
  if (removal.kind === 'changed') return 'changed';
  if (removal.kind !== 'gone') {
    metrics.restarted(how, 'blocked');
    blocked.set(what.uid, { kind: removal.kind, at: clock.now(), message: removal.message });
    log.info({ name: what.name, how, why: removal.message }, 'restart blocked');
    return 'blocked';
  }
  blocked.delete(what.uid);
  expectations.restarts.expect(step, clock.now());
  metrics.restarted(how, 'done');
  log.info({ name: what.name, how }, 'restarted');
  const [reason, note] = restartInWords(step);
  events.record(binding, { type: 'Normal', reason, action: 'RestartPod', note });
  return 'done';
}

function remove(step: RestartStep, writes: BindingWrites, signal: AbortSignal): Promise<Removal> {
  switch (step.how) {
    case 'evict':
      return writes.evict(step.pod, signal);
    case 'delete':
      return writes.deletePod(step.pod, signal);
    case 'rollout':
      return writes.rollOut(step.workload, step.restartedAt, signal);
    default:
      return assertNever(step);
  }
}

function restartInWords(step: RestartStep): [reason: EventReason, note: string] {
  switch (step.how) {
    case 'evict':
      return ['PodRestarted', `evicted pod "${step.pod.name}", so that a new one gets the role`];
    case 'delete':
      return ['PodRestarted', `deleted pod "${step.pod.name}": it was not ready, and its PodDisruptionBudget refuses every eviction`];
    case 'rollout':
      return ['WorkloadRestarted', `rolled out ${step.workload.kind} "${step.workload.name}", so that its pods get the role`];
    default:
      return assertNever(step);
  }
}
