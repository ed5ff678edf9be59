import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buildModule, PROGRESS_MS } from './build.ts';
import { requireGo } from './go.ts';
import { withLock } from './lock.ts';
import { type BinaryName, type GoModule, goModules, moduleHash, type ProgramName, type ToolName, toolModule } from './modules.ts';

/** Absolute path of each program. */
export type Binaries = Readonly<Record<BinaryName, string>>;

export const BINARY_NAMES: readonly BinaryName[] = goModules().flatMap(({ packages }) => Object.keys(packages) as BinaryName[]);

/** The two programs that `setup-envtest` puts into `KUBEBUILDER_ASSETS` and that we need as well; its kubectl may be any version. */
const ENVTEST_BINARIES: readonly BinaryName[] = ['etcd', 'kube-apiserver'];

/** Where built programs are kept, outside any checkout: shared by all clones, safe from `git clean`. */
export function binaryCache(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'irsa-operator', 'testbed');
}

/** Finds every program, and builds those that are missing: minutes the first time, milliseconds after that. Progress goes to stderr. */
export async function ensureBinaries(signal: AbortSignal): Promise<Binaries> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const given = assets === undefined || assets === '' ? {} : envtestBinaries(assets);
  const places = goModules().map((module) => ({ module, folder: join(binaryCache(), `${module.name}-${moduleHash(module)}`) }));
  const unbuilt = places.filter(({ module, folder }) => missing(module, folder, given).length > 0);
  if (unbuilt.length > 0) await requireGo(unbuilt.map(({ module }) => module));
  for (const { module, folder } of unbuilt) await ensureModule(module, folder, given, signal); // one after the other: each uses every core

  const built = places.flatMap(({ module, folder }) => Object.keys(module.packages).map((name) => [name, join(folder, name)]));
  return { ...(Object.fromEntries(built) as Record<BinaryName, string>), ...given };
}

/** Absolute path of a program that no testbed needs; it is built as the others are. */
export async function ensureTool(name: ToolName, signal: AbortSignal): Promise<string> {
  const module = toolModule(name);
  const folder = join(binaryCache(), `${module.name}-${moduleHash(module)}`);
  if (missing(module, folder, {}).length > 0) await requireGo([module]);
  await ensureModule(module, folder, {}, signal);
  return join(folder, name);
}

/** Builds what is missing of one module, once, however many processes ask at the same time. */
export async function ensureModule(module: GoModule, folder: string, given: Partial<Binaries>, signal: AbortSignal): Promise<void> {
  mkdirSync(folder, { recursive: true });
  let told = -1;
  const waiting = (forMs: number) => {
    const due = Math.floor(forMs / PROGRESS_MS);
    if (due > told) say(`another process is building ${module.name}; waiting for it (${Math.round(forMs / 1000)} s)`);
    told = due;
  };
  await withLock(
    join(folder, 'lock'),
    waiting,
    async () => {
      const names = missing(module, folder, given); // asked again: the process that held the lock has built them
      if (names.length > 0) await buildModule(module, names, folder, say, signal);
    },
    signal,
  );
}

function missing(module: GoModule, folder: string, given: Partial<Record<ProgramName, string>>): ProgramName[] {
  const names = Object.keys(module.packages) as ProgramName[];
  return names.filter((name) => given[name] === undefined && !existsSync(join(folder, name)));
}

function envtestBinaries(assets: string): Partial<Binaries> {
  const given = ENVTEST_BINARIES.map((name) => [name, join(assets, name)] as const);
  for (const [name, path] of given) {
    if (!existsSync(path))
      throw new Error(`KUBEBUILDER_ASSETS is "${assets}", and there is no "${name}" in it: run setup-envtest again, or unset it`);
  }
  return Object.fromEntries(given);
}

function say(line: string): void {
  process.stderr.write(`testbed: ${line}\n`);
}
