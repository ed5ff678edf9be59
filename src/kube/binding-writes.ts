import { bindingStatus, type IrsaBinding } from '../api/binding.ts';
import type { Pod } from '../api/cluster.ts';
import { ADMISSION_UNDID, Fault } from '../api/fault.ts';
import { FIELD_MANAGER, FINALIZER } from '../api/names.ts';
import { EKS_WEBHOOK, type Webhook } from '../api/webhook.ts';
import type { BindingWrites, Removal } from '../controllers/binding/ports.ts';
import { apply, mergePatch, read, type Target } from './apply.ts';
import { deletePod, evict } from './evict.ts';
import { array, metaOf, object } from './objects.ts';
import { reportStatus } from './report-status.ts';
import { IRSA_BINDING, SERVICE_ACCOUNT } from './resource-types.ts';
import { bindings, serviceAccounts } from './resources.ts';
import { rollOut } from './roll-out.ts';
import type { Requests } from './transport.ts';

/** The writes of the binding controller, each with the identity of the object that was looked at. Throws `Fault` and nothing else. */
export function bindingWrites(requests: Requests, webhook: Webhook = EKS_WEBHOOK): BindingWrites {
  const finalizerIs = (wanted: boolean, { metadata }: IrsaBinding, answer: unknown): string => {
    const found = bindings.decode(answer).metadata;
    if (found.finalizers.includes(FINALIZER) === wanted) return found.resourceVersion;
    const what = wanted ? 'has no finalizer' : 'still has the finalizer';
    throw new Fault('transient', `IrsaBinding "${metadata.name}" ${what} "${FINALIZER}" after the write. ${ADMISSION_UNDID}`);
  };
  return {
    async addFinalizer(binding, signal) {
      // By apply, which leaves the finalizers of others as they are: they may be thousands, and are not kept.
      const fields = { metadata: { finalizers: [FINALIZER] } };
      return finalizerIs(true, binding, await apply(requests, targetOf(binding), fields, { manager: FIELD_MANAGER }, signal));
    },
    async removeFinalizer(binding, signal) {
      // An apply without it would leave one that another manager owns too: from a manifest, or from a backup.
      const { finalizers } = object(object(await read(requests, targetOf(binding), signal))['metadata']);
      const others = array(finalizers).filter((name) => name !== FINALIZER);
      const patch = { metadata: { finalizers: others } };
      finalizerIs(false, binding, await mergePatch(requests, targetOf(binding), patch, { manager: FIELD_MANAGER }, signal));
    },
    async annotate({ namespace, name, uid }, annotations, signal) {
      // With the uid an apply never makes a ServiceAccount: where it is gone or another, the API server answers with a conflict.
      const target = { type: SERVICE_ACCOUNT, namespace, name, uid };
      return serviceAccounts(webhook).decode(
        await apply(requests, target, { metadata: { annotations } }, { manager: FIELD_MANAGER }, signal),
      );
    },
    async evict(pod, signal): Promise<Removal> {
      const answer = await evict(requests, pod, signal);
      switch (answer.kind) {
        case 'evicted':
        case 'gone':
          return { kind: 'gone' };
        case 'blocked':
          return { kind: 'budget', message: answer.message };
        case 'ambiguous':
          return { kind: 'multipleBudgets', message: answer.message };
      }
    },
    async deletePod(pod: Pod, signal): Promise<Removal> {
      return { kind: (await deletePod(requests, pod, signal)) === 'changed' ? 'changed' : 'gone' };
    },
    rollOut: (workload, restartedAt, signal): Promise<Removal> => rollOut(requests, workload, restartedAt, signal),
    async report(binding, status, signal) {
      return versionOf(await reportStatus(requests, targetOf(binding), bindingStatus, status, signal));
    },
  };
}

function versionOf(answer: unknown): string {
  return metaOf(answer).resourceVersion;
}

function targetOf({ metadata: { namespace, name, uid, resourceVersion } }: IrsaBinding): Target {
  return { type: IRSA_BINDING, namespace, name, uid, resourceVersion };
}
