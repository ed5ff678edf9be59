import { expect, test } from 'vitest';
import { manifestsIn } from './helm.ts';
import { shipyard } from './suite.ts';

/** All that is optional, on whichever Kubernetes this is: `make matrix` runs it on each. What the cluster serves decides, and the version is not asked. */
const yard = shipyard();

/** Whether this API server has policies that annotate. */
async function annotates(): Promise<boolean> {
  const resources = await yard.testbed.kubectl(['api-resources', '--api-group=admissionregistration.k8s.io', '--no-headers']);
  return resources.split('\n').some((line) => /^mutatingadmissionpolicies\s.*\badmissionregistration\.k8s\.io\/v1\s/.test(line));
}

// Contract: install-old-kubernetes
test('what the cluster serves is installed, what it does not serve is named, and a binding becomes Ready', async () => {
  const said = await yard.install({ admission: 'auto', rollout: { enabled: true }, verification: { enabled: true } });
  expect(said).toContain('STATUS: deployed');
  const served = await annotates();
  if (served) expect(said).not.toContain('This part is not installed');
  else expect(said).toContain('This part is not installed:\n  - admission: ');
  expect(await yard.labelled('validatingadmissionpolicies')).toContain('irsa-operator-status');
  const mutating = served ? await yard.labelled('mutatingadmissionpolicies') : '';
  expect(mutating === '').toBe(!served);
  const scene = await yard.working('shop');
  expect(scene.stands()).toBe(true);
});

// Contract: install-old-kubernetes
test('config/admission is applied where the cluster serves it, and changes nothing where it does not', async () => {
  const apply = yard.testbed.kubectl(['apply', '--server-side', '--force-conflicts', '-k', 'config/admission']);
  if (await annotates()) expect(await apply).toContain('serverside-applied');
  else {
    await expect(apply).rejects.toThrow('no matches for kind "MutatingAdmissionPolicy" in version "admissionregistration.k8s.io/v1"');
    const kinds = manifestsIn(await yard.testbed.kubectl(['kustomize', 'config/admission'])).map(({ kind }) => kind);
    // All of them, so that none was applied before the refusal.
    for (const kind of kinds) expect(kind).toMatch(/^MutatingAdmissionPolicy/);
  }
});
