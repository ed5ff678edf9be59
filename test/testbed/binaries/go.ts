import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { GoModule } from './modules.ts';

/** `go env` answers in milliseconds; a cold disk may take seconds. */
const GO_DEADLINE_MS = 30_000;

/** The machine's Go, as it is: no second one is fetched, and no flag or workspace of the user's changes what is built. */
export const GO_ENVIRONMENT = { GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false', GOWORK: 'off', CGO_ENABLED: '0' } as const;

/** Throws one sentence when Go is missing or too old for any of these modules. */
export async function requireGo(modules: readonly GoModule[]): Promise<void> {
  const problem = goProblem(
    await goVersion(),
    modules.map(({ folder }) => readFileSync(join(folder, 'go.mod'), 'utf8')),
  );
  if (problem !== undefined) throw new Error(problem);
}

async function goVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('go', ['env', 'GOVERSION'], {
      env: { ...process.env, ...GO_ENVIRONMENT },
      timeout: GO_DEADLINE_MS,
    });
    return stdout.trim();
  } catch {
    return undefined;
  }
}

export function goProblem(found: string | undefined, goMods: readonly string[]): string | undefined {
  const wanted = goMods.map((text) => versionOf(/^go (\S+)$/m.exec(text)?.[1])).reduce((a, b) => (isOlder(a, b) ? b : a));
  const how = `Go ${wanted.join('.')} or newer builds the testbed's control plane from source (once, then it is cached): install it from https://go.dev/dl/ and put it into PATH`;
  if (found === undefined) return `no "go" in PATH; ${how}`;
  return isOlder(versionOf(found), wanted) ? `"go" in PATH is "${found}"; ${how}` : undefined;
}

type Version = [major: number, minor: number, patch: number];

/** `go1.26.8`, `1.26.3`, `1.26` and `go1.27rc1`. */
function versionOf(text: string | undefined): Version {
  const [, major, minor, patch] = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text ?? '') ?? [];
  return [Number(major ?? 0), Number(minor ?? 0), Number(patch ?? 0)];
}

function isOlder(a: Version, b: Version): boolean {
  return (a[0] - b[0] || a[1] - b[1] || a[2] - b[2]) < 0;
}
