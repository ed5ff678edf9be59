import { basename, relative } from 'node:path';

/**
 * The words by which a person started this program, so that a command that is printed starts it too: npx and the plugin of kubectl show their
 * own, else it is the program, or Node with the bundle.
 */
export function invokedAs(argv: readonly string[], env: Readonly<Record<string, string | undefined>>, folder: string): string[] {
  const [, script = ''] = argv;
  if (env['npm_command'] === 'exec') return ['npx', 'irsa-operator'];
  const program = programOf(argv);
  if (program === 'kubectl-irsa') return ['kubectl', 'irsa'];
  if (!/\.[cm]?[jt]s$/.test(script)) return [program];
  const path = relative(folder, script);
  return ['node', path.startsWith('..') ? script : path];
}

/** A single executable has no script: Node gives its own path twice. */
function programOf([node = '', script = '']: readonly string[]): string {
  return script === node ? basename(node) : basename(script).replace(/\.[cm]?js$/, '');
}

/** How a shell asks for the words that fit, and how kubectl asks that of a plugin. Undefined where none of them does. */
export function asksForCompletion(argv: readonly string[]): readonly string[] | undefined {
  if (programOf(argv) === 'kubectl_complete-irsa') return argv.slice(2);
  return argv[2] === '__complete' ? argv.slice(3) : undefined;
}
