import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GO_ENVIRONMENT } from './go.ts';
import type { GoModule, ProgramName } from './modules.ts';

/** Kubernetes takes four minutes on two cores; one slow core behind a slow network may take five times that. */
const BUILD_DEADLINE_MS = 30 * 60_000;

/** Who waits hears something this often. */
export const PROGRESS_MS = 10_000;

/** An abandoned build folder is removed after this: longer than any build may take. */
const ABANDONED_AFTER_MS = 2 * BUILD_DEADLINE_MS;

/** What the compiler said last is enough to see why it stopped. */
const ERROR_LINES = 15;

const TEMPORARY = 'building-';

/** Builds the named programs of one module into `folder`. A program appears there whole or not at all. */
export async function buildModule(
  module: GoModule,
  names: readonly ProgramName[],
  folder: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  removeAbandoned(folder);
  const temporary = mkdtempSync(join(folder, TEMPORARY));
  try {
    await goBuild(module, names, temporary, say, signal);
    for (const name of names) renameSync(join(temporary, name), join(folder, name));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function goBuild(
  module: GoModule,
  names: readonly ProgramName[],
  output: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const packages = names.map((name) => module.packages[name]).filter((path) => path !== undefined);
  // Of one package the file may be named; several go into a folder under the last element of their paths ("v3" is no element).
  const to = names.length === 1 ? join(output, ...names) : `${output}/`;
  const timeout = AbortSignal.timeout(BUILD_DEADLINE_MS);
  const go = spawn('go', ['build', '-v', '-trimpath', '-ldflags', module.ldflags, '-o', to, ...packages], {
    cwd: module.folder,
    env: { ...process.env, ...GO_ENVIRONMENT },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: AbortSignal.any([signal, timeout]),
  });
  const progress = new Progress();
  createInterface(go.stderr).on('line', (line) => progress.see(line));

  const started = performance.now();
  const seconds = () => `${Math.round((performance.now() - started) / 1000)} s`;
  say(`building ${names.join(', ')} with Go (the first time ${module.firstBuild} on two cores, plus the download)`);
  const timer = setInterval(() => say(`  ${module.name}: ${seconds()}, ${progress.describe()}`), PROGRESS_MS);
  try {
    const [status] = await once(go, 'close');
    if (status !== 0) throw new Error(`go build of ${module.folder} ended with status ${status} after ${seconds()}:\n${progress.tail()}`);
  } catch (error) {
    if (!timeout.aborted) throw error;
    throw new Error(
      `go build of ${module.folder} was stopped after ${seconds()} (${progress.describe()}): run it again, it goes on from there`,
    );
  } finally {
    clearInterval(timer);
  }
  say(`  ${module.name}: built in ${seconds()}`);
}

/** Reads what `go build -v` writes: "go: downloading MODULE VERSION", the import path of each package that it compiled, and errors. */
class Progress {
  #downloaded = 0;
  #compiled = 0;
  readonly #lines: string[] = [];

  see(line: string): void {
    if (line.startsWith('go: downloading ')) this.#downloaded += 1;
    else if (/^[^\s:]+$/.test(line)) this.#compiled += 1;
    this.#lines.push(line);
    if (this.#lines.length > ERROR_LINES) this.#lines.shift();
  }

  /** Counts only; how many there will be is not known, so no percentage. After the last package there is the linker, which says nothing. */
  describe(): string {
    return `${this.#downloaded} modules downloaded, ${this.#compiled} packages compiled`;
  }

  tail(): string {
    return this.#lines.join('\n');
  }
}

function removeAbandoned(folder: string): void {
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith(TEMPORARY))) {
    const path = join(folder, name);
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - changed > ABANDONED_AFTER_MS) rmSync(path, { recursive: true, force: true });
  }
}
