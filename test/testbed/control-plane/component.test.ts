import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Launch, startComponent } from './component.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'component-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Node, running a script that has the port as its argument. */
function program(script: string): Launch<'http'> {
  return {
    name: 'program',
    binary: process.execPath,
    ports: ['http'],
    args: ({ http }) => ['--eval', script, `${http}`],
    isUp: async ({ http }, signal) => (await fetch(`http://127.0.0.1:${http}/`, { signal })).ok,
  };
}

const SERVE = `require('node:http').createServer((_, res) => res.end()).listen(process.argv[1], '127.0.0.1');`;
const signal = new AbortController().signal;

test('a component is up when it answers, and gone when it was stopped', async () => {
  const component = await startComponent(program(SERVE), folder, signal);
  const url = `http://127.0.0.1:${component.ports.http}/`;
  expect((await fetch(url)).ok).toBe(true);
  await component.stop();
  await expect(fetch(url)).rejects.toThrow();
});

test('a component that ends before it is up is an error that quotes its log', async () => {
  const launch = program(`console.error('unknown flag: --colour'); process.exit(3)`);
  await expect(startComponent(launch, folder, signal)).rejects.toThrow(
    'program ended before it was up (exit status 3); the last lines of its log:\nunknown flag: --colour',
  );
});

test('a program that is not there is an error that names it', async () => {
  await expect(startComponent({ ...program(''), binary: '/nowhere/etcd' }, folder, signal)).rejects.toThrow('spawn /nowhere/etcd ENOENT');
});

test('a component that lost its port to another process gets another one', async () => {
  const counter = `const fs = require('node:fs'); fs.appendFileSync('starts', process.argv[1] + '\\n');`;
  const loses = `${counter} if (fs.readFileSync('starts', 'utf8').split('\\n').length === 2) { console.error('bind: address already in use'); process.exit(1); }`;
  const component = await startComponent(program(`${loses} ${SERVE}`), folder, signal);
  const tried = readFileSync(join(folder, 'starts'), 'utf8').trim().split('\n').map(Number);
  await component.stop();
  expect(tried).toHaveLength(2);
  expect(tried[1]).toBe(component.ports.http);
});

test('an interrupted start leaves no process', async () => {
  const interrupt = new AbortController();
  const pids = `require('node:fs').writeFileSync('pid', String(process.pid)); setInterval(() => {}, 1000);`;
  const launch: Launch<'http'> = {
    ...program(pids),
    isUp: async () => {
      if (readFileSync(join(folder, 'pid'), 'utf8') !== '') interrupt.abort(new Error('enough'));
      return false;
    },
  };
  await expect(startComponent(launch, folder, interrupt.signal)).rejects.toThrow('enough');
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
