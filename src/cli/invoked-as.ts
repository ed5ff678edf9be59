import { basename, relative } from 'node:path';

/**
 * The words by which a person started this program, so that a command that is printed starts it too: npx and the plugin of kubectl show their
 * own, else it is the program, or Node with the bundle.
 */
export function invokedAs(argv: readonly string[], env: Readonly<Record<string, string | undefined>>, folder: string): string[] {
  const [node = '', script = ''] = argv;
  if (env['npm_command'] === 'exec') return ['npx', 'irsa-operator'];
  const name = basename(script).replace(/\.[cm]?js$/, '');
  // A single executable has no script: Node gives its own path twice.
  const program = script === node ? basename(node) : name;
  if (program === 'kubectl-irsa') return ['kubectl', 'irsa'];
  if (!/\.[cm]?[jt]s$/.test(script)) return [program];
  const path = relative(folder, script);
  return ['node', path.startsWith('..') ? script : path];
}
