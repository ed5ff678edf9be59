import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { moduleFolder, until } from '@irsa-operator/testbed';
import { beforeAll, describe, expect, test } from 'vitest';
import { SEED, seededRandom } from '../../chaos/random.ts';
import { ASKS_STS, Scene } from '../../harness/scene.ts';
import { isReady, type Pod, rolesOfPod } from '../../harness/views.ts';
import { type Manifest, manifestsIn, nameOf } from '../helm.ts';
import { RUN_HERE } from '../operator-pods.ts';
import { shipyard } from '../suite.ts';

/** examples/gitops: what Argo CD and Flux apply, and what they are told about it. */
const EXAMPLES = 'examples/gitops';
/** As a tool does that applies a folder again and again. */
const MOST_ROUNDS = 10;
const PATIENCE = { timeoutMs: 150_000 };
/** A hundred calls of kubectl, an operator that starts, and pods that are restarted, on a busy machine. */
const DEADLINE_MS = 600_000;
const manifestsAt = (pattern: string) =>
  globSync(`${EXAMPLES}/${pattern}`)
    .toSorted()
    .flatMap((path) => manifestsIn(readFileSync(path, 'utf8')));
const yard = shipyard();

describe('what is told to a tool', () => {
  /** Of each CRD its module, and where it is in there. */
  const CRDS = [
    ['argo-cd', 'manifests/crds/application-crd.yaml'],
    ['kustomize-controller', 'config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml'],
    ['source-controller', 'config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml'],
  ] as const;
  const applications = manifestsAt('argocd/*.yaml') as (Manifest & {
    spec: { source: { path: string; repoURL: string }; ignoreDifferences?: object[] };
  })[];
  const flux = manifestsAt('flux/*.yaml');
  const kustomizations = flux.filter(({ kind }) => kind === 'Kustomization') as (Manifest & {
    spec: { path: string; dependsOn?: { name: string }[]; healthChecks?: { kind: string; name: string; namespace?: string }[] };
  })[];

  beforeAll(async () => {
    for (const [module, path] of CRDS) await yard.testbed.kubectl(['create', '-f', `${await moduleFolder(module)}/${path}`]);
    for (const name of [
      'applications.argoproj.io',
      'kustomizations.kustomize.toolkit.fluxcd.io',
      'gitrepositories.source.toolkit.fluxcd.io',
    ])
      await yard.testbed.kubectl(['wait', '--for=condition=Established', '--timeout=30s', `crd/${name}`]);
    for (const namespace of ['argocd', 'flux-system']) await yard.testbed.kubectl(['create', 'namespace', namespace]);
  });

  // Contract: gitops-examples
  for (const tool of ['argocd', 'flux'])
    test(`${tool} is accepted by its own CRDs, with strict validation`, async () => {
      const said = await yard.testbed.kubectl(['apply', '--validate=strict', '-f', `${EXAMPLES}/${tool}`]);
      expect(said).not.toContain('Warning');
    });

  test('a misspelt field of it is refused', async () => {
    const [first] = manifestsAt('argocd/*.yaml');
    const wrong = {
      ...first,
      metadata: { ...first?.metadata, name: 'wrong' },
      spec: { ...(first as { spec?: object }).spec, ignoreDiferences: [] },
    };
    const apply = yard.testbed.kubectl(['apply', '--validate=strict', '-f', '-'], { input: JSON.stringify(wrong) });
    await expect(apply).rejects.toThrow(/unknown field "spec\.ignoreDiferences"/);
  });

  test('is a path that there is', () => {
    const paths = [...applications.map(({ spec }) => spec.source.path), ...kustomizations.map(({ spec }) => spec.path)];
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });

  // Contract: gitops-examples
  test('is the order: operator, grants, workloads', () => {
    const waves = applications.map(({ metadata }) => [metadata.name, metadata.annotations?.['argocd.argoproj.io/sync-wave']]);
    expect(waves).toEqual([
      ['irsa-operator', '0'],
      ['irsa-grants', '1'],
      ['shop', '2'],
    ]);
    const dependencies = kustomizations.map(({ metadata, spec }) => [metadata.name, (spec.dependsOn ?? []).map(({ name }) => name)]);
    expect(dependencies).toEqual([
      ['irsa-operator', []],
      ['irsa-grants', ['irsa-operator']],
      ['shop', ['irsa-grants']],
    ]);
  });

  test('are health checks of objects that the same path has, and of each binding', () => {
    const { spec } = kustomizations.find(({ metadata }) => metadata.name === 'shop') ?? expect.fail('no Kustomization shop');
    const checked = (spec.healthChecks ?? []).map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`).toSorted();
    const objects = manifestsAt('apps/shop/*.yaml').filter(({ kind }) => ['IrsaBinding', 'Deployment'].includes(kind));
    expect(checked).toEqual(objects.map(nameOf).toSorted());
  });
});

// Contract: gitops-order
test(`in random order, each again until it is accepted, all becomes Ready (SEED=${SEED})`, { timeout: DEADLINE_MS }, async () => {
  const { aws } = yard.testbed;
  for (const name of ['cart', 'reports'])
    aws.account().role.put({
      name,
      path: '/shop/',
      trustPolicy: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      },
    });
  const operator = manifestsIn(execFileSync(yard.testbed.kubectlPath, ['kustomize', 'config/default']).toString());
  const objects = [...operator, ...manifestsAt('grants/*.yaml'), ...manifestsAt('apps/**/*.yaml')].map(onTestbed);
  let left = shuffled(objects);
  let rounds = 0;
  for (; left.length > 0; rounds += 1) {
    if (rounds === MOST_ROUNDS) throw new Error(`never accepted: ${left.map(nameOf).join(', ')}`);
    const refused: Manifest[] = [];
    for (const one of left) if (!(await isApplied(one))) refused.push(one);
    left = refused;
  }
  console.log(`${objects.length} objects, ${rounds} rounds`);
  const s = new Scene(yard.testbed, yard.api, 'shop');
  for (const name of ['cart', 'reports']) await s.conditionIs('Ready', 'True', undefined, name);
  const pods = await until(
    'all pods are ready with their role',
    async () => {
      const all = await s.list<Pod>('pods');
      const hasRole = (pod: Pod) => rolesOfPod(pod).every((role) => role?.endsWith(`/${pod.spec.serviceAccountName}`) === true);
      return all.length === 4 && all.every((pod) => isReady(pod) && hasRole(pod)) && all;
    },
    PATIENCE,
  );
  expect(pods).toHaveLength(4);
});

async function isApplied(manifest: Manifest): Promise<boolean> {
  const args = ['apply', '--server-side', '--field-manager=gitops', '-f', '-'];
  return await yard.testbed.kubectl(args, { input: JSON.stringify(manifest) }).then(
    () => true,
    () => false,
  );
}

/** Its pods run here: those of the operator as its bundle, and those of the workloads if STS lets them in. */
function onTestbed(manifest: Manifest): Manifest {
  if (manifest.kind !== 'Deployment') return manifest;
  const { spec } = structuredClone(manifest) as Manifest & { spec: Deployment };
  const isOperator = manifest.metadata.name === 'irsa-operator';
  Object.assign(spec.template.metadata.labels, isOperator ? RUN_HERE : ASKS_STS);
  if (isOperator) spec.template.spec.containers[0].args.push('--sweep-interval=2s');
  return { ...manifest, spec };
}
interface Deployment {
  template: { metadata: { labels: Record<string, string> }; spec: { containers: [{ args: string[] }] } };
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[]): T[] {
  const all = [...items];
  const random = seededRandom(SEED);
  for (let at = all.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [all[at], all[other]] = [all[other] as T, all[at] as T];
  }
  return all;
}
