import type { Policy } from '../api/names.ts';
import type { Installation } from '../domain/confinement/installation.ts';
import { listAll } from './list-all.ts';
import type { Resource } from './list-watch.ts';
import { unlessMissing } from './missing.ts';
import { metaOf, object, text } from './objects.ts';
import { VALIDATING_ADMISSION_POLICY_BINDING } from './resource-types.ts';
import type { Transport } from './transport.ts';

/** The policy that every installation has, under a name that kustomize and Helm may add to. The chart looks for the same. */
const POLICY: Policy = 'irsa-operator-status';

/** Of the binding of a policy the installation that it confines; undefined where it is another policy. */
const installations: Resource<Installation | undefined> = {
  type: VALIDATING_ADMISSION_POLICY_BINDING,
  decode(raw) {
    const { policyName, paramRef } = object(object(raw)['spec']);
    const [namespace, name] = [text(object(paramRef)['namespace']), text(object(paramRef)['name'])];
    if (!text(policyName)?.includes(POLICY) || namespace === undefined || name === undefined) return undefined;
    const { name: of, createdAt } = metaOf(raw);
    return { serviceAccount: { namespace, name }, name: of, createdAt };
  },
};

/**
 * Every irsa-operator that a policy of this cluster names. None on a Kubernetes without such policies. All pages: a policy engine makes any
 * number of them, and without our own among them another one would seem to be the first.
 */
export async function readInstallations(transport: Transport, signal: AbortSignal): Promise<Installation[]> {
  const all = await unlessMissing(listAll(transport, installations, signal));
  return (all ?? []).filter((one) => one !== undefined);
}
