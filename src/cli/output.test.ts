import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ARN, ISSUER, SUBJECT } from '../domain/test-observed.ts';
import { parseFlags, usageOf } from './command.ts';
import { COMMANDS } from './index.ts';
import { render } from './output.ts';
import { exitCodeOf, type Report, summaryOf } from './report.ts';

const rows = [
  { result: 'added', role: ARN, subject: SUBJECT, audience: 'sts.amazonaws.com' },
  { result: 'refused', message: 'a "reason"' },
] as const;
const report: Report = { issuer: ISSUER, rows, nothing: 'nothing', statements: [{ role: ARN, statement: { Sid: 'Irsa' } }] };

test('a table has a line for each subject, and the statements below', () => {
  expect(render(report, 'table')).toBe(
    `RESULT    ROLE                                      SUBJECT                          AUDIENCE            MESSAGE
added     arn:aws:iam::111122223333:role/team/app   system:serviceaccount:shop:app   sts.amazonaws.com
refused                                                                                                  a "reason"

arn:aws:iam::111122223333:role/team/app
{
  "Sid": "Irsa"
}
`,
  );
});

test('JSON and YAML say the same', () => {
  const { nothing: _, rows: results, ...rest } = report;
  expect(JSON.parse(render(report, 'json'))).toEqual({ ...rest, results });
  expect(parse(render(report, 'yaml'))).toEqual({ ...rest, results });
});

test('nothing from IAM moves the cursor', () => {
  const odd = { result: 'orphaned', role: ARN, subject: 'a\u001b[2J\nb\u202e', audience: 'é' } as const;
  const table = render({ issuer: ISSUER, rows: [odd], nothing: '' }, 'table');
  expect(table.split('\n')[1]).toContain('a\\u001b[2J\\u000ab\\u202e   \\u00e9');
});

test('the exit code is that of the worst row', () => {
  const codeOf = (...results: (typeof rows)[number]['result'][] | ['failed']) =>
    exitCodeOf({ issuer: ISSUER, nothing: '', rows: results.map((result) => ({ result })) });
  expect([codeOf(), codeOf('added'), codeOf('added', 'refused'), codeOf('failed')]).toEqual([0, 0, 1, 2]);
});

test('a summary counts, or says that there is nothing', () => {
  expect(summaryOf(report)).toBe(`"${ISSUER}": 1 added, 1 refused`);
  expect(summaryOf({ ...report, rows: [], hint: 'do this' })).toBe(`"${ISSUER}": nothing; do this`);
});

test('flags that a command does not have are refused', () => {
  const of = (name: string, ...args: string[]) =>
    parseFlags(COMMANDS[name] ?? { summary: '', flags: {}, run: () => Promise.reject() }, args);
  expect(of('prune', '--confirm', '-o', 'json')).toMatchObject({ given: { confirm: true }, format: 'json', help: false });
  expect(of('prepare', '-f', 'a', '-f', 'b', '-h')).toMatchObject({ given: { filename: ['a', 'b'] }, format: 'table', help: true });
  expect(of('release', '--confirm')).toHaveProperty('problem');
  expect(of('release', 'https://x')).toHaveProperty('problem');
  expect(of('release', '-o', 'xml')).toEqual({ problem: '--output: "xml" is none of table, json, yaml' });
});

test('each command tells its flags', () => {
  for (const [name, command] of Object.entries(COMMANDS)) {
    const usage = usageOf(name, command);
    for (const flag of Object.keys(command.flags)) expect(usage).toContain(`--${flag}`);
  }
});
