import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Ended } from '../harness/command.ts';

/** A way out for what hangs, not a measure. */
const DEADLINE_MS = 120_000;

/** What a person's machine has: a home of its own, an empty cache of npm, no network, and nothing of this project in PATH. */
export interface Machine {
  /** A new empty folder. */
  folder(): string;
  /** Runs a program in a folder. `path`: where programs are found, before those of the machine. */
  run(command: string, args: readonly string[], where: { cwd: string; path?: readonly string[]; env?: NodeJS.ProcessEnv }): Promise<Ended>;
  remove(): void;
}

export function newMachine(): Machine {
  const home = mkdtempSync(join(tmpdir(), 'irsa-operator-machine-'));
  const programs = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.startsWith(process.cwd()));
  let folders = 0;
  return {
    folder() {
      const folder = join(home, `folder-${++folders}`);
      mkdirSync(folder);
      return folder;
    },
    async run(command, args, { cwd, path = [], env = {} }) {
      const child = spawn(command, args, {
        cwd,
        stdio: ['ignore', 'pipe', 'pipe'],
        signal: AbortSignal.timeout(DEADLINE_MS),
        env: {
          HOME: home,
          PATH: [...path, ...programs].join(delimiter),
          npm_config_cache: join(home, 'npm'),
          npm_config_offline: 'true',
          npm_config_update_notifier: 'false',
          ...env,
        },
      });
      const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      return { code: code as number | null, stdout, stderr };
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
