import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** A registry on this machine, until it is stopped. */
export interface Registry {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** Runs crane, and returns what it wrote. */
  crane(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** `disk`: a folder for its blobs, which are in memory otherwise. */
export async function startRegistry(crane: string, disk?: string): Promise<Registry> {
  const blobs = disk === undefined ? [] : ['--disk', disk];
  const server = spawn(crane, ['registry', 'serve', '--address', '127.0.0.1:0', ...blobs], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(server, 'exit');
  const lines: string[] = [];
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: server.stderr }).on('line', (line) => {
      lines.push(line);
      const [, port] = /serving on port (\d+)/.exec(line) ?? [];
      if (port !== undefined) resolve(`127.0.0.1:${port}`);
    });
    ended.then(() => reject(new Error(`the registry ended: ${lines.join('\n')}`)), reject);
  });
  return {
    address,
    crane: async (...args) => (await promisify(execFile)(crane, args)).stdout,
    async stop() {
      server.kill();
      await ended;
    },
  };
}
