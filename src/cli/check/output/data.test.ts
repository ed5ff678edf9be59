import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Fault } from '../../../api/fault.ts';
import { ARN, policy, SERVICE } from '../../../domain/test-observed.ts';
import type { AcceptedBy } from '../accepted/lists.ts';
import { type CheckReport, check } from '../check.ts';
import { print } from '../print.ts';
import type { Target } from '../target.ts';
import { accepting, checked, failing, HOSTILE, reportOf } from '../test-checked.ts';
import { type Around, accountNamed, denied, where, world } from '../test-ports.ts';
import { checkReport } from './report-schema.ts';

const isValid = new Ajv2020({ allErrors: true }).compile(JSON.parse(readFileSync('docs/schema/check.json', 'utf8')));
const written = (report: CheckReport, output: 'json' | 'yaml' = 'json') =>
  print(report, output, where, { width: 100, colour: false }, '1.2.3');

/** The report, which has to be as docs/schema/check.json says, and to have no member of which that says nothing. */
function dataOf(report: CheckReport) {
  const json = JSON.parse(written(report));
  isValid(json);
  expect(isValid.errors ?? []).toEqual([]);
  expect(checkReport.parse(json)).toEqual(json);
  return json;
}

// Contract: check-schema
describe('the published schema holds for the report', () => {
  const { signal } = new AbortController();
  const app: Target = { kind: 'serviceAccount', of: { namespace: 'shop', name: 'app' } };
  const all: Target = { kind: 'all', namespace: undefined };
  const broken = { roles: { [ARN]: policy(SERVICE) } };
  const everything = ['serviceAccount', 'namespace', 'pods', 'workloads', 'batchWorkloads', 'webhooks', 'issuer', 'apiAudiences', 'caller'];
  const words = '2026-01-01T14:40:00Z User: arn:aws:sts::111122223333:assumed-role/app/1 is not authorized to perform: s3:GetObject';
  const ignores: AcceptedBy = () => ({ by: 'ignore', reason: 'it is being moved' });
  const rows: Record<string, [around: Partial<Around>, target: Target, acceptedBy?: AcceptedBy]> = {
    'of what works': [{}, app],
    'of what fails, with its fixes': [broken, app],
    'of what is ignored': [broken, app, ignores],
    'of what is known': [broken, app, () => ({ by: 'baseline' })],
    'of what was not read': [{ faults: Object.fromEntries(everything.map((name) => [name, denied(name)])) }, app],
    'of a role that there is not': [{ faults: { role: new Fault('notFound', 'no role') } }, app],
    'of no ServiceAccount': [{ accounts: [], pods: [] }, app],
    'of many': [{ accounts: [accountNamed('app'), accountNamed('b', 'no ARN'), accountNamed('c')], pods: [] }, all],
    'of none of many': [{ accounts: [] }, all],
    'of a log, with a note': [{ words }, app],
    'of a note that is ignored': [{ words }, app, ignores],
  };
  for (const [sentence, [around, target, acceptedBy]] of Object.entries(rows))
    test(sentence, async () => {
      const reach = { kubectl: [], aws: [], check: ['irsa-operator', 'check'] };
      const report = await check(target, { 'fail-on': 'Warning' }, where, world(around).ports, reach, signal, acceptedBy);
      const json = dataOf(report);
      expect(parse(written(report, 'yaml'))).toEqual(json);
    });
  for (const [at, text] of HOSTILE.entries())
    test(`of text that means harm (${at + 1})`, () =>
      expect(dataOf(reportOf([checked({ Webhook: failing('WebhookMissing', text) }, { name: text })])).results[0].serviceAccount).toBe(
        text,
      ));
});

test('it has the place in a file', () => {
  const place = { file: './a.yaml', line: 3, column: 1 };
  const [{ steps }] = dataOf(reportOf([checked({}, { places: { Webhook: place } })])).results;
  expect(steps[2]).toEqual({ step: 'Webhook', state: 'ok', text: 'selects these pods', findings: [], place });
  expect(Object.keys(steps[1])).toEqual(['step', 'state', 'text', 'findings']);
});

test('a finding that is ignored has its reason, and its step is accepted', () => {
  const of = accepting(checked({ Webhook: failing('WebhookMissing', 'x') }), { by: 'ignore', reason: 'y' });
  expect(dataOf(reportOf([of])).results[0].steps[2]).toEqual({
    step: 'Webhook',
    state: 'accepted',
    text: 'x',
    findings: [{ code: 'WebhookMissing', severity: 'Error', message: 'x', accepted: { by: 'ignore', reason: 'y' } }],
  });
});

describe('the published schema refuses', () => {
  const json = dataOf(reportOf([checked({ Webhook: failing('WebhookMissing', 'x') })]));
  const withStep = (step: object) => ({ ...json, results: [{ ...json.results[0], steps: [{ ...json.results[0].steps[2], ...step }] }] });
  const rows: Record<string, object> = {
    'a report without results': { ...json, results: undefined },
    'a state that there is not': withStep({ state: 'broken' }),
    'a code that there is not': withStep({ findings: [{ code: 'Nothing', severity: 'Error', message: 'x' }] }),
    'an acceptance without a reason': withStep({
      findings: [{ code: 'WebhookMissing', severity: 'Error', message: 'x', accepted: { by: 'ignore' } }],
    }),
  };
  for (const [sentence, wrong] of Object.entries(rows))
    test(sentence, () => expect(isValid(JSON.parse(JSON.stringify(wrong)))).toBe(false));
  test('no member that a later version adds', () => expect(isValid({ ...withStep({ more: 1 }), more: 1 })).toBe(true));
});
