import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** Longer than any `kubectl wait` of a test should be told to wait. */
const KUBECTL_DEADLINE_MS = 120_000;

export interface KubectlOptions {
  /** What it reads from standard input, for `-f -`. */
  input?: string;
  /** Another user's; default: the admin's. */
  kubeconfig?: string;
}

export type Kubectl = (args: readonly string[], options?: KubectlOptions) => Promise<string>;

/** The kubectl of the control plane's own version. Returns what it wrote; throws with its complaint. */
export function kubectlOf(binary: string, adminKubeconfig: string, folder: string): Kubectl {
  return async (args, { input = '', kubeconfig = adminKubeconfig } = {}) => {
    const child = spawn(binary, ['--kubeconfig', kubeconfig, ...args], {
      // Its discovery cache goes by the server's address, and another testbed had this port yesterday.
      env: { PATH: process.env['PATH'], HOME: folder, KUBECACHEDIR: join(folder, 'kubectl-cache') },
      signal: AbortSignal.timeout(KUBECTL_DEADLINE_MS),
    });
    child.stdin.on('error', () => {}); // it may end without having read
    child.stdin.end(input);
    const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')} ended with status ${status}: ${stderr.trim()}`);
    return stdout;
  };
}
