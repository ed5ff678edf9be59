import type { Policy } from '../api/names.ts';
import type { Installation } from '../domain/confinement/installation.ts';
import { unlessMissing } from './missing.ts';
import { array, metaOf, object, text } from './objects.ts';
import { collectionPath } from './paths.ts';
import { VALIDATING_ADMISSION_POLICY_BINDING } from './resource-types.ts';
import type { Requests } from './transport.ts';

/** The policy that every installation has, under a name that kustomize and Helm may add to. The chart looks for the same. */
const POLICY: Policy = 'irsa-operator-status';
/** More bindings of policies than a cluster has. */
const LIMIT = '1000';

/** Every irsa-operator that a policy of this cluster names. None on a Kubernetes without such policies. */
export async function readInstallations(requests: Requests, signal: AbortSignal): Promise<Installation[]> {
  const path = collectionPath(VALIDATING_ADMISSION_POLICY_BINDING);
  const list = await unlessMissing(requests.request({ method: 'GET', path, query: { limit: LIMIT } }, signal));
  return array(object(list)['items']).flatMap((item) => {
    const { policyName, paramRef } = object(object(item)['spec']);
    const [namespace, name] = [text(object(paramRef)['namespace']), text(object(paramRef)['name'])];
    if (!text(policyName)?.includes(POLICY) || namespace === undefined || name === undefined) return [];
    const { name: of, createdAt } = metaOf(item);
    return [{ serviceAccount: { namespace, name }, name: of, createdAt }];
  });
}
