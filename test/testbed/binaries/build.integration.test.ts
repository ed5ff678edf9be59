import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ensureModule } from './index.ts';
import type { GoModule } from './modules.ts';

let folder: string;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'build-test-'));
  said = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** A module with one program, which stands for the big ones. */
function smallModule(program: string): GoModule {
  const source = join(folder, 'module');
  mkdirSync(source);
  writeFileSync(join(source, 'go.mod'), 'module example.org/etcd\n\ngo 1.26\n');
  writeFileSync(join(source, 'go.sum'), '');
  writeFileSync(join(source, 'main.go'), program);
  return { name: 'small', folder: source, packages: { etcd: 'example.org/etcd' }, firstBuild: 'a moment', ldflags: '-s -w' };
}

const signal = new AbortController().signal;

test('a program is built once, however many ask for it at the same time, and nothing but the program is left', async () => {
  const module = smallModule('package main\n\nimport "os"\n\nfunc main() { os.Stdout.WriteString("hello") }\n');
  const cache = join(folder, 'cache', 'small-1');
  await Promise.all([1, 2, 3].map(() => ensureModule(module, cache, {}, signal)));
  const built = statSync(join(cache, 'etcd')).mtimeMs;
  await ensureModule(module, cache, {}, signal);

  expect(said.filter((line) => line.includes('building etcd'))).toHaveLength(1);
  expect(statSync(join(cache, 'etcd')).mtimeMs).toBe(built);
  expect(readdirSync(cache)).toEqual(['etcd']);
  expect(execFileSync(join(cache, 'etcd')).toString()).toBe('hello');
});

test('a build that fails quotes the compiler and leaves no program behind', async () => {
  const module = smallModule('package main\n\nfunc main() { undefined() }\n');
  const cache = join(folder, 'cache', 'small-2');
  await expect(ensureModule(module, cache, {}, signal)).rejects.toThrow(
    /ended with status 1 after \d+ s:\n.*main\.go:3:15: undefined: undefined/s,
  );
  expect(readdirSync(cache)).toEqual([]);
});
