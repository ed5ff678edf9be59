import schema from '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json' with { type: 'json' };
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { finding } from '../../../api/finding.ts';
import type { CheckReport } from '../check.ts';
import { accepting, checked, failing, HOSTILE, reportOf } from '../test-checked.ts';
import { sarif } from './sarif.ts';

// The schema is of draft 4, and says nothing that later drafts read otherwise but its own name.
const { $schema: _, id: __, ...definitions } = schema;
const ajv = formats.default(new Ajv({ allErrors: true, strict: false, unicodeRegExp: false }));
const isValid = ajv.compile(definitions);

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly { readonly physicalLocation?: { readonly artifactLocation: { readonly uri: string } } }[];
  readonly partialFingerprints: object;
  readonly baselineState?: string;
  readonly suppressions?: readonly { readonly justification: string }[];
}
interface Run {
  readonly tool: {
    readonly driver: { readonly name: string; readonly version: string; readonly rules: readonly { readonly id: string }[] };
  };
  readonly results: readonly Result[];
  readonly invocations: readonly { readonly toolExecutionNotifications: readonly Pick<Result, 'message'>[] }[];
}

function runOf(report: CheckReport): Run {
  const log = JSON.parse(sarif(report, '1.2.3'));
  isValid(log);
  expect(isValid.errors ?? []).toEqual([]);
  return log.runs[0];
}

const places = {
  ServiceAccount: { file: 'deploy/app.yaml', line: 3, column: 1 },
  Annotation: { file: 'deploy/app.yaml', line: 8, column: 7 },
};
const broken = checked(
  { Annotation: failing('AnnotationMalformed', 'no ARN'), Pods: failing('PodRoleArnStale', 'pod a is stale', 'pod b is stale') },
  { notes: [finding('TrustOverPermissive', 'it allows all')], places },
);
const unread = checked({ 'Trust policy': { state: 'unread', text: 'not read: no credentials' } }, { name: 'b' });

// Contract: check-schema
test('the schema refuses what is no SARIF, so that it proves something of what is', () => {
  const log = JSON.parse(sarif(reportOf([broken]), '1.2.3'));
  for (const wrong of [
    { ...log, version: '2' },
    { ...log, runs: [{}] },
    { ...log, also: 1 },
  ])
    expect(isValid(wrong)).toBe(false);
  log.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri = 'a b';
  expect(isValid(log)).toBe(false);
});

describe('a log', () => {
  test('has one run of irsa-operator, with the codes that occur as its rules', () => {
    const { tool, results } = runOf(reportOf([broken]));
    expect([tool.driver.name, tool.driver.version]).toEqual(['irsa-operator', '1.2.3']);
    expect(tool.driver.rules.map(({ id }) => id)).toEqual(['AnnotationMalformed', 'PodRoleArnStale', 'TrustOverPermissive']);
    expect(tool.driver.rules[1]).toEqual({
      id: 'PodRoleArnStale',
      shortDescription: { text: 'Pod Role Arn Stale' },
      fullDescription: { text: 'Pod Role Arn Stale. docs/findings/PodRoleArnStale.md of irsa-operator has the cause and the fix.' },
      help: { text: 'docs/findings/PodRoleArnStale.md of irsa-operator has the cause and the fix.' },
    });
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  });

  test('has a result for each code of a step, with its place in the file, or else that of the ServiceAccount', () => {
    const { results } = runOf(reportOf([broken]));
    const about = results.map(({ ruleId, level, message, locations }) => [ruleId, level, message.text, locations[0]?.physicalLocation]);
    const at = (startLine: number, startColumn: number) => ({
      artifactLocation: { uri: 'deploy/app.yaml' },
      region: { startLine, startColumn },
    });
    expect(about).toEqual([
      ['AnnotationMalformed', 'error', 'no ARN', at(8, 7)],
      ['PodRoleArnStale', 'error', 'pod a is stale (and 1 more)', at(3, 1)],
      ['TrustOverPermissive', 'warning', 'it allows all', at(3, 1)],
    ]);
  });

  test('of a cluster has no file, and names the ServiceAccount', () => {
    const [first] = runOf(reportOf([{ ...broken, places: {} }])).results;
    expect(first?.locations).toEqual([{ logicalLocations: [{ name: 'app', fullyQualifiedName: 'shop/app', kind: 'resource' }] }]);
  });

  test('has a note where it decides no exit code', () =>
    expect(runOf(reportOf([broken], { failOn: 'Error' })).results.map(({ level }) => level)).toEqual(['error', 'error', 'note']));

  test('of what works has no result', () => {
    const { results, tool, invocations } = runOf(reportOf([checked()]));
    expect([results, tool.driver.rules, invocations]).toEqual([[], [], [{ executionSuccessful: true, toolExecutionNotifications: [] }]]);
  });

  test('of no ServiceAccount is one', () => expect(runOf(reportOf([])).results).toEqual([]));

  test('says what was not read as a notification of a run that did not succeed', () =>
    expect(runOf(reportOf([broken, unread])).invocations).toEqual([
      {
        executionSuccessful: false,
        toolExecutionNotifications: [
          {
            level: 'error',
            message: { text: 'Trust policy: not read: no credentials' },
            locations: [{ logicalLocations: [{ name: 'b', fullyQualifiedName: 'shop/b', kind: 'resource' }] }],
          },
        ],
      },
    ]));
});

describe('what is accepted', () => {
  test('by an ignore file is suppressed, with the reason', () => {
    const { results } = runOf(reportOf([accepting(broken, { by: 'ignore', reason: 'it is being moved' })]));
    for (const { suppressions, level, baselineState } of results)
      expect([suppressions, baselineState, level]).toEqual([
        [{ kind: 'external', status: 'accepted', justification: 'it is being moved' }],
        undefined,
        expect.stringMatching(/error|warning/),
      ]);
  });
  test('by a baseline is unchanged, and then every other result is new', () => {
    const known = accepting(broken, { by: 'baseline' });
    const { results } = runOf(reportOf([known, { ...broken, name: 'b' }]));
    const states = results.map(({ baselineState }) => baselineState);
    expect(states).toEqual(['unchanged', 'unchanged', 'unchanged', 'new', 'new', 'new']);
  });
});

describe('a fingerprint', () => {
  const prints = (...all: Parameters<typeof reportOf>[0]) => runOf(reportOf(all)).results.map((one) => one.partialFingerprints);
  test('is the same after the file has changed, and in another version of the sentence', () => {
    const moved = { ...broken, places: { ServiceAccount: { file: 'other.yaml', line: 30, column: 2 } } };
    expect(prints(moved)).toEqual(prints(broken));
    expect(prints(checked({ Webhook: failing('WebhookMissing', 'x') }))).toEqual(
      prints(checked({ Webhook: failing('WebhookMissing', 'y', 'z') })),
    );
  });
  test('is another for each ServiceAccount and code', () => {
    const all = prints(broken, { ...broken, name: 'b' }, { ...broken, namespace: 'x' });
    expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(9);
  });
});

describe('the address of a file', () => {
  const rows: Record<string, string> = {
    'a.yaml': 'a.yaml',
    './deploy/a.yaml': 'deploy/a.yaml',
    '../a.yaml': '../a.yaml',
    'my charts/ä#1?.yaml': 'my%20charts/%C3%A4%231%3F.yaml',
    'c:/a%20.yaml': 'c%3A/a%2520.yaml',
    'a\\b.yaml': 'a%5Cb.yaml',
    'x\n\u0000.yaml': 'x%0A%00.yaml',
    '\ud800.yaml': '%EF%BF%BD.yaml',
    '/srv/a b.yaml': 'file:///srv/a%20b.yaml',
  };
  for (const [file, uri] of Object.entries(rows))
    test(`of ${JSON.stringify(file)} is ${uri}`, () => {
      const [first] = runOf(reportOf([{ ...broken, places: { Annotation: { file, line: 1, column: 1 } } }])).results;
      expect(first?.locations[0]?.physicalLocation?.artifactLocation.uri).toBe(uri);
    });
});

for (const [at, text] of HOSTILE.entries())
  test(`text that means harm (${at + 1}) is text, and no link`, () => {
    const steps = { Webhook: failing('WebhookMissing', text), Pods: { state: 'unread' as const, text } };
    const of = checked(steps, { namespace: text, name: text, places: { Webhook: { file: text, line: 1, column: 1 } } });
    const run = runOf(reportOf([accepting(of, { by: 'ignore', reason: text })]));
    const said = [run.results[0], run.invocations[0]?.toolExecutionNotifications[0]].map((one) => one?.message.text);
    for (const message of said) expect(message).toContain(text.replaceAll('](', ']\\u0028'));
    expect(run.results[0]?.suppressions?.[0]?.justification).toBe(text);
  });
