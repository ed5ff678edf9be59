import { expect, test } from 'vitest';
import { seededRandom } from '../../../test/chaos/random.ts';
import type { Pod } from '../../api/cluster.ts';
import { EKS_WEBHOOK } from '../../api/webhook.ts';
import { deployments, pods } from '../../kube/resources.ts';
import { ARN, OTHER_ARN } from '../test-observed.ts';
import { madePod } from './made-pod.ts';
import { POD_LABELS, podAnnotations, podState } from './pod-state.ts';

/**
 * Random templates, and the rules of the real webhook (its source, pkg/handler, v0.6.17) on the objects as the API server has them.
 * Whatever a template sets: a pod that the webhook has just made is never stale, so no restart is in vain, and a pod that is not stale has
 * nothing to gain from another. `CASES=100000 SEED=7 npx vitest run --project unit src/domain/pods/webhook-model.test.ts`
 */
const CASES = Number(process.env['CASES'] ?? 3_000);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const PATH = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const AUDIENCE = 'sts.amazonaws.com';
const VOLUME = 'aws-iam-token';
const [ROLE, FILE] = ['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'];

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: object;
}
interface Mount {
  readonly name: string;
  readonly mountPath: string;
}
interface Container {
  readonly name: string;
  readonly env: readonly Variable[];
  readonly volumeMounts: readonly Mount[];
}
interface Volume {
  readonly name: string;
  readonly projected?: { readonly sources: readonly { serviceAccountToken: { audience?: string; path: string } }[] };
  readonly emptyDir?: object;
}
interface Spec {
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly nodeSelector: Readonly<Record<string, string>>;
}

function templateOf(random: () => number): Spec {
  const of = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;
  const some = <T>(items: readonly T[], chance = 0.3): T[] => items.filter(() => random() < chance);
  const token = (audience: string | undefined, path: string) => ({
    serviceAccountToken: { ...(audience === undefined ? {} : { audience }), path },
  });
  const volumes: Volume[] = some([
    { name: VOLUME, projected: { sources: [token(of([AUDIENCE, 'vault', undefined]), of(['token', 'other']))] } },
    { name: 'mine', projected: { sources: [token(of([AUDIENCE, 'amazonaws.com']), of(['token', 'serviceaccount/token']))] } },
    { name: 'data', emptyDir: {} },
  ]);
  const variable = (name: string, ...values: readonly string[]): Variable =>
    random() < 0.1 ? { name, valueFrom: { fieldRef: {} } } : { name, value: of(values) };
  const container = (name: string): Container => {
    const env = some([
      variable(ROLE, ARN, OTHER_ARN, '', 'no-role', 'arn:aws:iam::$(ACCOUNT):role/x'),
      variable(FILE, `${PATH}/token`, '/mine/token', '/nowhere', '', '$(DIR)/token', `C:${PATH.replaceAll('/', '\\')}\\token`),
      variable('AWS_REGION', 'eu-west-1', ''),
      variable('AWS_STS_REGIONAL_ENDPOINTS', 'regional'),
      variable('AWS_ACCESS_KEY_ID', 'x'),
    ]);
    const mounts = volumes.map(({ name: volume }) => ({
      name: volume,
      mountPath: of([PATH, '/mine', '/tokens', '/var/run/secrets/eks.amazonaws.com']),
    }));
    return { name, env, volumeMounts: uniqueBy(some(mounts, 0.5), ({ mountPath }) => mountPath) };
  };
  return {
    volumes,
    containers: ['app', ...some(['sidecar'])].map(container),
    initContainers: some(['init'], 0.2).map(container),
    nodeSelector: random() < 0.1 ? { 'kubernetes.io/os': 'windows' } : {},
  };
}

function uniqueBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}

/** getPodSpecPatch */
function mutated(spec: Spec): Spec {
  const linux = `${PATH}/token`;
  const file = spec.nodeSelector['kubernetes.io/os'] === 'windows' ? `C:${linux.replaceAll('/', '\\')}` : linux;
  const token = { serviceAccountToken: { audience: AUDIENCE, expirationSeconds: 86_400, path: 'token' } };
  const exists = spec.volumes.some(({ name }) => name === VOLUME);
  return {
    ...spec,
    containers: spec.containers.map((container) => addEnvToContainer(container, file)),
    initContainers: spec.initContainers.map((container) => addEnvToContainer(container, file)),
    volumes: exists ? spec.volumes : [{ name: VOLUME, projected: { sources: [token] } }, ...spec.volumes],
  };
}

/** addEnvToContainer, with a region, and regional endpoints as the ServiceAccount says. */
function addEnvToContainer(container: Container, file: string): Container {
  const has = (...names: string[]) => container.env.some(({ name }) => names.includes(name));
  const [identity, region, endpoints] = [has(ROLE, FILE), has('AWS_REGION', 'AWS_DEFAULT_REGION'), has('AWS_STS_REGIONAL_ENDPOINTS')];
  if (identity && region && endpoints) return container;
  const env = [...container.env];
  if (!endpoints) env.push({ name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' });
  if (!region) env.push({ name: 'AWS_DEFAULT_REGION', value: 'eu-west-1' }, { name: 'AWS_REGION', value: 'eu-west-1' });
  if (!identity) env.push({ name: ROLE, value: ARN }, { name: FILE, value: file });
  const mounts = container.volumeMounts;
  const volumeMounts = mounts.some(({ name }) => name === VOLUME) ? mounts : [...mounts, { name: VOLUME, mountPath: PATH }];
  return { ...container, env, volumeMounts };
}

const all = ({ initContainers, containers }: Spec) => [...initContainers, ...containers];
const isValid = (spec: Spec) =>
  all(spec).every(({ volumeMounts }) => uniqueBy(volumeMounts, ({ mountPath }) => mountPath).length === volumeMounts.length);

/** What decides who a container is to AWS: role, token path, and the audience of the token that is there. */
function identities(spec: Spec): Record<string, unknown>[] {
  return all(spec).map(({ name, env, volumeMounts }) => {
    const found = (wanted: string) => env.find((variable) => variable.name === wanted);
    const file = found(FILE)?.value?.replace('C:', '').replaceAll('\\', '/');
    const [mount] = volumeMounts
      .filter(({ mountPath }) => file?.startsWith(`${mountPath}/`))
      .toSorted((a, b) => b.mountPath.length - a.mountPath.length);
    const sources = spec.volumes.find((volume) => volume.name === mount?.name)?.projected?.sources ?? [];
    const token = sources.find(({ serviceAccountToken: { path } }) => `${mount?.mountPath}/${path}` === file)?.serviceAccountToken;
    return { name, role: found(ROLE), file: found(FILE), token: token && (token.audience ?? '') };
  });
}

const desired = { roleArn: ARN, audience: AUDIENCE };
const keep = { labels: POD_LABELS, annotations: podAnnotations(EKS_WEBHOOK), webhook: EKS_WEBHOOK };
function podOf(spec: Spec): Pod {
  const ownerReferences = [{ controller: true, kind: 'ReplicaSet', name: 'app-5d9c', uid: 'rs' }];
  return pods(keep).decode(JSON.parse(JSON.stringify({ metadata: { namespace: 'shop', name: 'app-1', ownerReferences }, spec })));
}
const workloadWith = (template: Spec) =>
  deployments(EKS_WEBHOOK).decode(
    JSON.parse(JSON.stringify({ metadata: { namespace: 'shop', name: 'app' }, spec: { template: { spec: template } } })),
  );
const judged = (spec: Spec, template: Spec) => podState(podOf(spec), desired, workloadWith(template));

function judgedToCome(template: Spec) {
  const workload = workloadWith(template);
  return podState(madePod(podOf(template), workload.template, desired), desired, workload);
}

// Contract: pods-template
test('a pod of a random template is judged as the webhook would make the next one', () => {
  const random = seededRandom(SEED);
  const seen: Record<string, number> = {};
  for (let i = 0; i < CASES; i++) {
    const template = templateOf(random);
    const next = mutated(template);
    const [before, after] = [judged(template, template), judged(next, template)];
    const where = `SEED=${SEED} ${JSON.stringify({ template, before, after }, null, 1)}`;
    // What is told of a pod before it is made is what is told of it when it was.
    if (isValid(next)) expect(judgedToCome(template), where).toEqual(after);
    seen[`${before.kind} ${isValid(next) ? after.kind : 'refused'}`] =
      (seen[`${before.kind} ${isValid(next) ? after.kind : 'refused'}`] ?? 0) + 1;
    // The API server would refuse the next pod, and only then.
    expect(before.kind === 'faulty' && before.finding.code === 'MountPathTaken', where).toBe(!isValid(next));
    if (!isValid(next)) continue;
    expect(after.kind, where).not.toBe('stale');
    // A pod that would be another is stale, unless what comes is as wrong for each container that would change.
    const same = JSON.stringify(identities(template)) === JSON.stringify(identities(next));
    if (same) expect(before.kind, where).not.toBe('stale');
    if (!same && after.kind !== 'faulty') expect(before.kind, where).toBe('stale');
    // Current is who the binding wants, or who the template says.
    if (after.kind === 'current' && after.told === undefined)
      for (const { role, token } of identities(next))
        expect({ role, token }, where).toEqual({ role: { name: ROLE, value: ARN }, token: AUDIENCE });
  }
  expect(Object.keys(seen).toSorted()).toEqual(
    expect.arrayContaining(['exempt exempt', 'faulty faulty', 'faulty refused', 'stale current', 'stale exempt', 'stale faulty']),
  );
});
