import { type Api, type Testbed, until } from '@irsa-operator/testbed';
import { pathOf } from '../../harness/objects.ts';
import { FOREIGN } from '../../harness/policies.ts';
import { ROLE_ARN, type ServiceAccount } from '../../harness/views.ts';
import { arnOf, memberAt, type Size } from './fleet.ts';
import { watching } from './watching.ts';

/** Each on another ServiceAccount: the third on one would count as contention. */
const ANNOTATIONS = 200;
const ANNOTATION_MS = 30_000;
const ROLES = 20;
/** Three sweeps. */
const TRUST_MS = 180_000;
const WRONG = arnOf('of-another-team');

/** One after the other: how long each wrong annotation was there, in milliseconds, sorted. */
export async function driftOfAnnotations(api: Api, size: Size): Promise<number[]> {
  let wrongAt = Number.POSITIVE_INFINITY;
  let repairedAt = Number.NEGATIVE_INFINITY;
  let wanted = memberAt(0, size);
  const watch = await watching<ServiceAccount>(api, pathOf('serviceaccounts'), ({ metadata: { namespace, name, annotations } }) => {
    if (namespace !== wanted.namespace || name !== wanted.name) return;
    if (annotations?.[ROLE_ARN] === WRONG) wrongAt = performance.now();
    else if (annotations?.[ROLE_ARN] === wanted.roleArn && wrongAt < performance.now()) repairedAt = performance.now();
  });
  const times: number[] = [];
  try {
    for (let at = 0; at < Math.min(ANNOTATIONS, size.bindings); at += 1) {
      wanted = memberAt(at, size);
      wrongAt = Number.POSITIVE_INFINITY;
      repairedAt = Number.NEGATIVE_INFINITY;
      const body = { metadata: { annotations: { [ROLE_ARN]: WRONG } } };
      await api.call('PATCH', `${pathOf('serviceaccounts', wanted)}?fieldManager=kubectl-edit`, { patch: 'merge', body });
      await watch.until(`the annotation of ${wanted.name} is repaired`, () => repairedAt > wrongAt, ANNOTATION_MS);
      times.push(repairedAt - wrongAt);
    }
  } finally {
    await watch.stop();
  }
  return times.sort((a, b) => a - b);
}

/** All at once: how long after its statement was taken out each role had it again. */
export async function driftOfTrust({ aws }: Testbed, size: Size): Promise<number[]> {
  const names = Array.from({ length: Math.min(ROLES, size.roles) }, (_, at) => memberAt(at, size).role);
  const { role } = aws.account();
  const since = Date.now();
  for (const name of names) role.setTrustPolicy(name, FOREIGN);
  const written = () =>
    aws.journal.filter(
      ({ at, operation, code, params }) =>
        operation === 'UpdateAssumeRolePolicy' && code === 'OK' && at.getTime() >= since && names.includes(params['RoleName'] ?? ''),
    );
  await until('every trust policy is repaired', () => written().length >= names.length, { timeoutMs: TRUST_MS });
  return written()
    .map(({ at }) => at.getTime() - since)
    .sort((a, b) => a - b);
}

/** Of numbers that are sorted. */
export const quantile = (sorted: readonly number[], part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN;
