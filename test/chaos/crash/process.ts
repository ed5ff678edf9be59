import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { LISTEN } from '../../harness/operator.ts';

/** One life of the operator. */
export interface Life {
  /** Resolves when it leads. */
  readonly leads: Promise<void>;
  /** Resolves when it has ended, by whatever. */
  readonly ended: Promise<unknown>;
  readonly killed: boolean;
  kill(): Promise<void>;
}

/** Starts the bundle as it ships. Its log goes to a file. */
export function startLife(flags: readonly string[], env: Readonly<Record<string, string>>, logFile: string): Life {
  const child = spawn(process.execPath, ['dist/irsa-operator.mjs', 'run', ...LISTEN, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  });
  const file = createWriteStream(logFile, { flags: 'a' });
  const leads = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    file.write(`${line}\n`);
    if (line.includes('"msg":"became leader"')) leads.resolve();
  });
  child.stderr.on('data', (piece: Buffer) => file.write(piece));
  const ended = once(child, 'exit');
  let killed = false;
  return {
    get killed() {
      return killed;
    },
    leads: leads.promise,
    ended,
    async kill() {
      killed = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A copy of a kubeconfig that leads to a proxy instead. */
export function redirected(kubeconfig: string, to: { server: string; authority: string }, path: string): string {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8'));
  config.clusters[0].cluster = { server: to.server, 'certificate-authority-data': Buffer.from(to.authority).toString('base64') };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
