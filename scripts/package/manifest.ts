import { PROJECT } from '../../src/api/project.ts';

/** What the registry shows of a package; what the project's own manifest does not have is left out. */
const SHOWN = ['name', 'version', 'description', 'keywords', 'license', 'author', 'homepage', 'bugs'] as const;
/** undici asks for it, and `scripts/bundle.ts` builds for it. */
const OLDEST_NODE = '22.19';

/** The manifest of the npm package. The project's own stays private: its dependencies are in the bundle, and its scripts are for its developers. */
export function publishManifest(own: Readonly<Record<string, unknown>>, bundle: string, files: readonly string[]): Record<string, unknown> {
  return {
    ...Object.fromEntries(SHOWN.filter((field) => field in own).map((field) => [field, own[field]])),
    // npm compares it with the workflow that publishes (https://docs.npmjs.com/generating-provenance-statements).
    repository: { type: 'git', url: `git+${PROJECT.repository}.git` },
    bin: { 'irsa-operator': bundle, 'kubectl-irsa': bundle, 'kubectl_complete-irsa': bundle },
    files,
    engines: { node: `>=${OLDEST_NODE}` },
  };
}
