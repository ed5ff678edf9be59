import { execFileSync, spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { isDead, PS_ARGUMENTS, PS_OPTIONS, parsePs, parseStat, processTable, thisProcess } from './processes.ts';

test('this process is in the process table, and its owner record is alive', () => {
  const self = processTable().find(({ pid }) => pid === process.pid);
  expect(self?.command).toContain('node');
  expect(isDead(thisProcess(), processTable())).toBe(false);
});

// A slim container image has none, and on Linux none is needed.
const hasPs = spawnSync('ps').error === undefined;

test.runIf(hasPs)('ps, as it is called where there is no /proc, lists this process', () => {
  const listed = parsePs(execFileSync('ps', PS_ARGUMENTS, PS_OPTIONS));
  expect(listed.map(({ pid }) => pid)).toContain(process.pid);
});

const psCases: Record<string, { output: string; expected: ReturnType<typeof parsePs> }> = {
  'a line of ps gives pid, start in seconds since 1970, and the command with its blanks': {
    output: '  812 S+   Tue Nov 24 03:57:48 2026 /usr/bin/etcd --data-dir /tmp/x\n',
    expected: [{ pid: 812, startedAt: Date.parse('2026-11-24T03:57:48') / 1000, command: '/usr/bin/etcd --data-dir /tmp/x' }],
  },
  'a day of one digit is padded with a blank': {
    output: '    1 Ss   Tue Nov  3 00:00:01 2026 /sbin/launchd',
    expected: [{ pid: 1, startedAt: Date.parse('2026-11-03T00:00:01') / 1000, command: '/sbin/launchd' }],
  },
  'a zombie is dead': { output: '  900 Z    Tue Nov 24 03:57:48 2026 (etcd)', expected: [] },
  'an empty line is nothing': { output: '\n', expected: [] },
};
for (const [sentence, { output, expected }] of Object.entries(psCases)) test(sentence, () => expect(parsePs(output)).toEqual(expected));

const AFTER_NAME = '1 1 1 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 8 0 777001 1000 200';
const statCases: Record<string, { stat: string; expected: ReturnType<typeof parseStat> }> = {
  'field 22 of /proc/PID/stat is the start': { stat: `42 (etcd) S ${AFTER_NAME}`, expected: { alive: true, startedAt: 777001 } },
  'a name with blanks and brackets does not shift the fields': {
    stat: `42 (a ) S (b) R ${AFTER_NAME}`,
    expected: { alive: true, startedAt: 777001 },
  },
  'a zombie in /proc is dead': { stat: `42 (etcd) Z ${AFTER_NAME}`, expected: { alive: false, startedAt: 777001 } },
};
for (const [sentence, { stat, expected }] of Object.entries(statCases)) test(sentence, () => expect(parseStat(stat)).toEqual(expected));

const living = [{ pid: 7, startedAt: 100, command: 'node' }];
const deathCases: Record<string, { owner: Parameters<typeof isDead>[0]; dead: boolean }> = {
  'an owner whose pid and start are in the table lives': { owner: { namespace: 1, pid: 7, startedAt: 100 }, dead: false },
  'an owner whose pid was given to another process is dead': { owner: { namespace: 1, pid: 7, startedAt: 99 }, dead: true },
  'an owner whose pid is gone is dead': { owner: { namespace: 1, pid: 8, startedAt: 100 }, dead: true },
  'of an owner in another container nothing is known, so it is not dead': { owner: { namespace: 2, pid: 8, startedAt: 100 }, dead: false },
};
for (const [sentence, { owner, dead }] of Object.entries(deathCases)) test(sentence, () => expect(isDead(owner, living, 1)).toBe(dead));
