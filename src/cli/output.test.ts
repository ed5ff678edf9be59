import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ARN, ISSUER, SUBJECT } from '../domain/test-observed.ts';
import { editReport, type Result } from './edit-report.ts';
import { render } from './output.ts';
import type { Report } from './report.ts';

const rows = [
  { result: 'added', role: ARN, subject: SUBJECT, audience: 'sts.amazonaws.com' },
  { result: 'refused', message: 'a "reason"' },
] as const;
const edited = { issuer: ISSUER, rows, nothing: 'nothing', statements: [{ role: ARN, statement: { Sid: 'Irsa' } }] };

test('a table has a line for each subject, and the statements below', () => {
  expect(render(editReport(edited), 'table')).toBe(
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
  const whole = { issuer: ISSUER, results: rows, statements: edited.statements };
  expect(JSON.parse(render(editReport(edited), 'json'))).toEqual(whole);
  expect(parse(render(editReport(edited), 'yaml'))).toEqual(whole);
});

test('a command that only looks has columns of its own, and no issuer', () => {
  const report: Report = {
    about: {},
    columns: ['step', 'found'],
    rows: [{ step: 'Annotation', found: 'none' }, { step: 'Webhook' }],
    summary: '',
    exitCode: 1,
  };
  expect(render(report, 'table')).toBe('STEP         FOUND\nAnnotation   none\nWebhook\n');
  expect(JSON.parse(render(report, 'json'))).toEqual({ results: report.rows });
});

test('nothing from IAM moves the cursor', () => {
  const odd = { result: 'orphaned', role: ARN, subject: 'a\u001b[2J\nb\u202e', audience: 'é' } as const;
  const table = render(editReport({ issuer: ISSUER, rows: [odd], nothing: '' }), 'table');
  expect(table.split('\n')[1]).toContain('a\\u001b[2J\\u000ab\\u202e   \\u00e9');
});

test('the exit code is that of the worst row', () => {
  const codeOf = (...results: Result[]) =>
    editReport({ issuer: ISSUER, nothing: '', rows: results.map((result) => ({ result })) }).exitCode;
  expect([codeOf(), codeOf('added'), codeOf('added', 'refused'), codeOf('failed')]).toEqual([0, 0, 1, 2]);
});

test('a summary counts, or says that there is nothing', () => {
  expect(editReport(edited).summary).toBe(`"${ISSUER}": 1 added, 1 refused`);
  expect(editReport({ ...edited, rows: [], hint: 'do this' }).summary).toBe(`"${ISSUER}": nothing; do this`);
});
