import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { goProblem } from './go.ts';
import { binaryCache } from './index.ts';
import { withLock } from './lock.ts';
import { goModules, kubernetesVersions, moduleHash, versionStamp } from './modules.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'binaries-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const HOW =
  "builds the testbed's control plane from source (once, then it is cached): install it from https://go.dev/dl/ and put it into PATH";
const goCases: Record<string, { found: string | undefined; problem: string | undefined }> = {
  'a missing Go is said in one sentence with how to get it': { found: undefined, problem: `no "go" in PATH; Go 1.26.3 or newer ${HOW}` },
  'so is one that is too old by its minor version': { found: 'go1.25.9', problem: `"go" in PATH is "go1.25.9"; Go 1.26.3 or newer ${HOW}` },
  'so is one that is too old by its patch version': { found: 'go1.26', problem: `"go" in PATH is "go1.26"; Go 1.26.3 or newer ${HOW}` },
  'the newest that a module asks for is enough': { found: 'go1.26.3', problem: undefined },
  'a newer minor version is enough': { found: 'go1.27rc1', problem: undefined },
};
for (const [sentence, { found, problem }] of Object.entries(goCases)) {
  test(sentence, () =>
    expect(goProblem(found, ['module a\n\ngo 1.26\n', 'module b\n\ngo 1.26.3\n', 'module c\n\ngo 1.25.0\n'])).toBe(problem),
  );
}

test('the version stamped into Kubernetes is the one that its go.mod requires', () => {
  const stamp = 'k8s.io/component-base/version';
  expect(versionStamp('require (\n\tk8s.io/kubernetes v1.36.3\n\tk8s.io/api v0.36.3\n)')).toBe(
    `-X ${stamp}.gitVersion=v1.36.3 -X ${stamp}.gitMajor=1 -X ${stamp}.gitMinor=36`,
  );
});

describe('Kubernetes', () => {
  afterEach(() => vi.unstubAllEnvs());
  const stampOf = (version: string) => {
    vi.stubEnv('KUBERNETES_VERSION', version);
    return /gitVersion=v(\d+\.\d+)\./.exec(goModules().at(-1)?.ldflags ?? '')?.[1];
  };

  test('is of the version that is asked for, each with a place of its own in the cache', () => {
    const versions = kubernetesVersions();
    expect(versions.map(stampOf)).toEqual(versions);
    expect(versions[0]).toBe('1.33');
    const names = versions.map((version) => {
      vi.stubEnv('KUBERNETES_VERSION', version);
      return goModules().at(-1)?.name;
    });
    expect(new Set(names).size).toBe(versions.length);
  });

  test('is the same as ever where none is asked for', () => {
    expect(stampOf('')).toBe('1.36');
    expect(goModules().at(-1)?.name).toBe('kubernetes');
  });

  test('of a version that is not there is refused, with those that are', () =>
    expect(() => stampOf('1.20')).toThrow(`KUBERNETES_VERSION is "1.20", and there are ${kubernetesVersions().join(', ')}`));
});

test('a changed go.mod, go.sum or flag is another place in the cache', () => {
  const hashes = ['a', 'b'].flatMap((mod) =>
    ['c', 'd'].flatMap((sum) => {
      writeFileSync(join(folder, 'go.mod'), mod);
      writeFileSync(join(folder, 'go.sum'), sum);
      return ['-s', '-w'].map((ldflags) => moduleHash({ folder, ldflags }));
    }),
  );
  expect(new Set(hashes).size).toBe(8);
  expect(moduleHash({ folder, ldflags: '-w' })).toBe(hashes[7]);
});

test('the cache is in XDG_CACHE_HOME, and without it (or when it is empty) in ~/.cache', () => {
  expect(binaryCache({ XDG_CACHE_HOME: '/c' })).toBe('/c/irsa-operator/testbed');
  expect(binaryCache({ XDG_CACHE_HOME: '' })).toMatch(/\/\.cache\/irsa-operator\/testbed$/);
});

test('under a lock one works at a time, and the next is told that it waits', async () => {
  const file = join(folder, 'lock');
  const signal = new AbortController().signal;
  const order: string[] = [];
  let release = () => {};
  const first = withLock(
    file,
    () => order.push('first waits'),
    () => new Promise<void>((done) => (release = done)).then(() => void order.push('first worked')),
    signal,
  );
  const second = withLock(
    file,
    () => {
      order.push('second waits');
      release();
    },
    async () => void order.push('second worked'),
    signal,
  );
  await Promise.all([first, second]);
  expect(order).toEqual(['second waits', 'first worked', 'second worked']);
});

test('the lock of a process that was killed is taken over', async () => {
  const file = join(folder, 'lock');
  writeFileSync(file, '');
  const minuteAgo = new Date(Date.now() - 60_000);
  utimesSync(file, minuteAgo, minuteAgo);
  const signal = AbortSignal.timeout(5_000);
  expect(
    await withLock(
      file,
      () => {},
      async () => 'worked',
      signal,
    ),
  ).toBe('worked');
});

test('a failure under a lock frees it', async () => {
  const file = join(folder, 'lock');
  const signal = AbortSignal.timeout(5_000);
  await expect(
    withLock(
      file,
      () => {},
      () => Promise.reject(new Error('no compiler')),
      signal,
    ),
  ).rejects.toThrow('no compiler');
  expect(
    await withLock(
      file,
      () => {},
      async () => 'worked',
      signal,
    ),
  ).toBe('worked');
});
