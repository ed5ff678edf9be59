import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startTestbed, type Testbed } from './index.ts';

/** `make testbed`: a cluster and an AWS for hand use. Prints what a shell needs, stays until Ctrl-C, and cleans up. */
const OPERATOR = resolve(import.meta.dirname, '../../src/main.ts');

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));

try {
  const started = performance.now();
  const testbed = await startTestbed({}, interrupted.signal);
  try {
    const environment = shellEnvironment(testbed);
    const file = join(testbed.folder, 'env');
    writeFileSync(file, environment, { mode: 0o600 });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stderr.write(`testbed: ready in ${seconds} s. Paste these lines into a shell, or type ". ${file}". Ctrl-C here ends it.\n`);
    process.stdout.write(environment);
    await untilAborted(interrupted.signal);
  } finally {
    await testbed.stop();
  }
} catch (error) {
  process.stderr.write(`testbed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 0 : 1;
}

/** `export` lines: the cluster, the AWS double, and a folder with `kubectl`, `irsa-operator` and `kubectl irsa` first in PATH. */
function shellEnvironment({ folder, kubeconfig, kubectlPath, aws }: Testbed): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(kubectlPath, join(bin, 'kubectl'));
  const wrapper = `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(OPERATOR)} "$@"\n`;
  for (const name of ['irsa-operator', 'kubectl-irsa']) writeFileSync(join(bin, name), wrapper, { mode: 0o755 });
  const variables = { KUBECONFIG: kubeconfig, ...aws.env() };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
  return `${[...lines, `export PATH=${quoted(bin)}:"$PATH"`].join('\n')}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** An abort signal alone does not keep a process alive; the timer does. */
function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const keepAlive = setInterval(() => {}, 1 << 30);
    const end = () => {
      clearInterval(keepAlive);
      done();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
