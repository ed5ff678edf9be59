import { readFileSync } from 'node:fs';
import { startTestbed, type Testbed } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CHART, helmOf, type Manifest, manifestsIn, nameOf } from './helm.ts';

/** What the chart renders, by the real helm and without a cluster, beside what kustomize builds. */
const helm = helmOf();
const INSTALLED = ['irsa-operator', CHART, '--namespace', 'irsa-operator-system'];
const rendered = async (values: object = {}, ...args: string[]) => manifestsIn(await helm(['template', ...INSTALLED, ...args], values));

let testbed: Testbed;
beforeAll(async () => {
  testbed = await startTestbed();
});
afterAll(async () => testbed?.stop());

/** Labels by which Helm and its users find a release. kustomize has no release. */
const OF_A_RELEASE = ['app.kubernetes.io/instance', 'app.kubernetes.io/version', 'app.kubernetes.io/managed-by', 'helm.sh/chart'];
const CLUSTER_SCOPED = /^(Validating|Mutating)AdmissionPolicy(Binding)?$/;

function comparable(manifests: readonly Manifest[]): Record<string, Manifest> {
  const of = (manifest: Manifest): Manifest => {
    const { labels, annotations, ...metadata } = structuredClone(manifest.metadata);
    // kustomize takes policies for namespaced objects. The API server ignores their namespace.
    if (CLUSTER_SCOPED.test(manifest.kind)) delete metadata.namespace;
    const kept = Object.entries(labels ?? {}).filter(([label]) => !OF_A_RELEASE.includes(label));
    const { 'helm.sh/resource-policy': _, ...others } = annotations ?? {};
    const about = Object.keys(others).length > 0 ? { annotations: others } : {};
    return { ...manifest, metadata: { ...metadata, ...about, labels: Object.fromEntries(kept) } };
  };
  return Object.fromEntries(manifests.map(of).map((manifest) => [nameOf(manifest), manifest]));
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const { image: shipped } = parse(readFileSync(`${CHART}/values.yaml`, 'utf8')) as { image: { repository: string } };

const sets: Record<string, { folders: string[]; values: object }> = {
  'config/default': { folders: ['default'], values: {} },
  'config/rollout': { folders: ['rollout'], values: { rollout: { enabled: true } } },
  'config/default with all that is optional': {
    folders: ['rollout', 'verification', 'admission', 'network-policy', 'prometheus', 'prometheus/dashboards'],
    values: {
      rollout: { enabled: true },
      verification: { enabled: true },
      admission: true,
      networkPolicy: { enabled: true },
      serviceMonitor: { enabled: true },
      prometheusRule: { enabled: true },
      dashboards: { enabled: true },
    },
  },
};
for (const [what, { folders, values }] of Object.entries(sets)) {
  // Contract: install-one-source
  test(`the chart renders what kustomize builds of ${what}, object for object, but for the Namespace`, async () => {
    const built = await Promise.all(folders.map((folder) => testbed.kubectl(['kustomize', `config/${folder}`])));
    const wanted = comparable(built.flatMap(manifestsIn).filter(({ kind }) => kind !== 'Namespace'));
    expect(Object.keys(wanted).length).toBeGreaterThan(15);
    expect(comparable(await rendered(values))).toEqual(wanted);
  });
}

// Contract: install-one-source
test('every object has the labels of its release, and the CRDs are kept when it is uninstalled', async () => {
  for (const { kind, metadata } of await rendered()) {
    expect(Object.keys(metadata.labels ?? {})).toEqual(expect.arrayContaining(OF_A_RELEASE));
    expect(metadata.annotations?.['helm.sh/resource-policy'], metadata.name).toBe(kind === 'CustomResourceDefinition' ? 'keep' : undefined);
  }
  const crds = async (crds: object) => (await rendered({ crds })).filter(({ kind }) => kind === 'CustomResourceDefinition');
  expect((await crds({ keep: false })).map(({ metadata }) => metadata.annotations)).toEqual([undefined, undefined, undefined]);
  expect(await crds({ enabled: false })).toEqual([]);
});

test('helm lint has nothing to say but that there is no icon', async () => {
  const said = await helm(['lint', '--strict', CHART]);
  expect(said.split('\n').filter((line) => /^\[/.test(line))).toEqual(['[INFO] Chart.yaml: icon is recommended']);
});

describe('a wrong value', () => {
  const wrong: Record<string, { values: object; says: RegExp }> = {
    'that does not exist': { values: { replicaCount: 3 }, says: /additional properties 'replicaCount' not allowed/ },
    'that does not exist in a group': { values: { image: { name: 'x' } }, says: /'\/image': additional properties 'name' not allowed/ },
    'of another type': { values: { replicas: 'two' }, says: /'\/replicas': got string, want integer/ },
    'outside its limits': { values: { replicas: 0 }, says: /'\/replicas': minimum: got 0, want 1/ },
    'that is no tag': { values: { image: { tag: 'a b' } }, says: /'\/image\/tag': 'a b' does not match pattern/ },
    'with the tag in the repository': {
      values: { image: { repository: 'a/b:1' } },
      says: /'\/image\/repository': 'a\/b:1' does not match/,
    },
    'that is no digest': { values: { image: { digest: 'sha256:1' } }, says: /'\/image\/digest'/ },
    'that is none of a few': { values: { policies: 'maybe' }, says: /'\/policies'/ },
    'that is no flag': { values: { extraArgs: ['dry-run'] }, says: /'\/extraArgs\/0': 'dry-run' does not match/ },
    'that is a flag but for a letter': {
      values: { extraArgs: ['--dry-run', '--sweep-intervall=2s'] },
      says: /'\/extraArgs\/1': '--sweep-intervall=2s' does not match/,
    },
    'that would end a list of CEL': { values: { verification: { audiences: ["x'"] } }, says: /'\/verification\/audiences\/0'/ },
    'that takes away what another needs': {
      values: { policies: false, rollout: { enabled: true } },
      says: /rollout\.enabled needs the policies that limit it\. Set policies to auto or true/,
    },
  };
  for (const [sentence, { values, says }] of Object.entries(wrong)) {
    // Contract: install-bad-value
    test(`${sentence} is refused with its name`, async () => await expect(rendered(values)).rejects.toThrow(says));
  }

  test('global values of a parent chart are none of them', async () => {
    const manifests = await rendered({ global: { domain: 'example.org', imageRegistry: 'mirror.example:5000/all' } });
    expect(JSON.stringify(manifests)).toMatch(/"image":"mirror\.example:5000\/all\/([\w-]+\/)*irsa-operator:/);
  });
});

describe('an image is', () => {
  const DIGEST = `sha256:${'0a'.repeat(32)}`;
  const images: Record<string, { image?: object; global?: object; is: string }> = {
    'of the version of the chart': { is: `${shipped.repository}:${version}` },
    'what repository and tag say': { image: { repository: 'quay.io/acme/irsa', tag: 'v2' }, is: 'quay.io/acme/irsa:v2' },
    'what the digest says': { image: { repository: 'quay.io/acme/irsa', digest: DIGEST }, is: `quay.io/acme/irsa@${DIGEST}` },
    'what both say': { image: { repository: 'a/b', tag: '1', digest: DIGEST }, is: `a/b:1@${DIGEST}` },
    'of a registry in place of its own': {
      image: { repository: 'quay.io/acme/irsa' },
      global: { imageRegistry: 'mirror.example' },
      is: `mirror.example/acme/irsa:${version}`,
    },
    'of a registry where it has none of its own': {
      image: { repository: 'acme/irsa' },
      global: { imageRegistry: 'localhost:5000/' },
      is: `localhost:5000/acme/irsa:${version}`,
    },
  };
  for (const [sentence, { is, ...values }] of Object.entries(images)) {
    test(sentence, async () => {
      const found = (await rendered(values)).find(({ kind }) => kind === 'Deployment');
      expect(found).toMatchObject({ spec: { template: { spec: { containers: [{ image: is }] } } } });
    });
  }
});

describe('a Kubernetes that is too old for a part', () => {
  const kinds = (manifests: readonly Manifest[]) => new Set(manifests.map(({ kind }) => kind));

  // Contract: install-old-kubernetes
  test('gets the rest: without policies there is no permission that they limit', async () => {
    const values = { rollout: { enabled: true }, verification: { enabled: true }, admission: 'auto' };
    const found = await rendered(values, '--kube-version', '1.29.4');
    expect([...kinds(found)].filter((kind) => /Policy/.test(kind))).toEqual([]);
    expect(found.filter(({ metadata }) => /rollout|verification/.test(metadata.name))).toEqual([]);
    expect([...kinds(found)]).toEqual(expect.arrayContaining(['CustomResourceDefinition', 'Deployment', 'ClusterRole']));
  });

  // Contract: install-old-kubernetes
  test('is also one of a vendor, by the version before its suffix', async () => {
    const has = async (version: string) => kinds(await rendered({ admission: 'auto' }, '--kube-version', version));
    expect((await has('v1.35.3-eks-a5b6c7d')).has('MutatingAdmissionPolicy')).toBe(false);
    expect((await has('v1.36.0-eks-a5b6c7d')).has('MutatingAdmissionPolicy')).toBe(true);
  });

  for (const [name, kind, version, since] of [
    ['policies', 'ValidatingAdmissionPolicy', '1.29.0', '1.30'],
    ['admission', 'MutatingAdmissionPolicy', '1.35.0', '1.36'],
  ] as const) {
    // Contract: install-old-kubernetes
    test(`is named where ${name} is true`, async () =>
      await expect(rendered({ [name]: true }, '--kube-version', version)).rejects.toThrow(
        `${name} is true, and this Kubernetes (v${version}) serves no ${kind}, as Kubernetes ${since} and newer do. Set ${name} to auto or false`,
      ));
  }

  // Contract: install-old-kubernetes
  test('is judged by what it serves, where that is known', async () => {
    const served = ['--kube-version', '1.36.3', '--api-versions', 'v1/Pod'];
    const kind = 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy';
    expect(kinds(await rendered({ admission: 'auto' }, ...served)).has('MutatingAdmissionPolicy')).toBe(false);
    expect(kinds(await rendered({ admission: 'auto' }, ...served, '--api-versions', kind)).has('MutatingAdmissionPolicy')).toBe(true);
  });
});
