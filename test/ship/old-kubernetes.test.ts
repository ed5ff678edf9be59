import { expect, test } from 'vitest';
import { NAMESPACE, shipyard } from './suite.ts';

/** An API server of today that serves what Kubernetes 1.33 served: policies that confine, and none that annotates. Its version says what it is, so only what it serves shows it. */
const yard = shipyard({ apiServerArgs: ['--emulated-version=1.33'] });

// Contract: install-old-kubernetes
test('a part that the cluster is too old for is named in the notes, and everything else works without it', async () => {
  const said = await yard.install({ admission: 'auto', rollout: { enabled: true } });
  expect(said).toContain('STATUS: deployed');
  expect(said).toContain('serves no MutatingAdmissionPolicy, as 1.36 and newer do. This part is not installed:\n  - admission: ');
  const scene = await yard.working('shop');
  expect(scene.stands()).toBe(true);
  const policies = await yard.testbed.kubectl(['get', 'validatingadmissionpolicies', '-o', 'name']);
  expect(policies).toContain('irsa-operator-workloads');
  await expect(yard.install({ admission: true })).rejects.toThrow(
    /admission is true, and this Kubernetes .* serves no MutatingAdmissionPolicy/,
  );
  expect(await yard.helm(['status', 'irsa-operator', '-n', NAMESPACE])).toContain('STATUS: deployed');
});
