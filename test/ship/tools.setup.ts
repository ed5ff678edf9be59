import { ensureTool } from '@irsa-operator/testbed';

/** The first build takes minutes on a new machine: before the tests, so that no hook of theirs runs out of time over it. */
const BUILD_DEADLINE_MS = 60 * 60_000;

export async function setup(): Promise<void> {
  const signal = AbortSignal.timeout(BUILD_DEADLINE_MS);
  for (const name of ['actionlint', 'argocd-lua', 'hcldec', 'helm', 'kstatus', 'kubeconform'] as const) await ensureTool(name, signal);
}
