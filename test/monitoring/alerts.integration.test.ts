import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ALERTS } from '../../scripts/monitoring/alerts.ts';
import { runbookUrl } from '../../scripts/monitoring/rule.ts';
import { promtool } from '../harness/prometheus.ts';
import { CASES, type Series, WELL } from './alert-cases.ts';

/** The alerts that ship, judged by the real promtool: each fires when it should, and nothing fires beside it. */
const folder = mkdtempSync(join(tmpdir(), 'irsa-operator-alerts-'));
afterAll(() => rmSync(folder, { recursive: true }));
const RULES = join(process.cwd(), 'config/prometheus/rules.yaml');

interface Expected {
  readonly alertname: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
}

const alertNamed = (name: string) => ALERTS.find((alert) => alert.name === name) ?? expect.fail(`there is no alert ${name}`);

/** promtool complains where another alert fires than these, or one of them does not. */
async function firing(series: Series, minutes: number, names: readonly string[], expected?: Expected): Promise<void> {
  const at = `${minutes}m`;
  const samples = { ...WELL, ...series };
  const rule = {
    rule_files: [RULES],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: Object.entries(samples).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
            eval_time: at,
            exp_samples: names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
          },
        ],
        alert_rule_test: expected === undefined ? [] : [alertTest(at, expected)],
      },
    ],
  };
  const file = join(folder, 'test.yaml');
  writeFileSync(file, JSON.stringify(rule));
  await promtool('test', 'rules', file);
}

function alertTest(at: string, { alertname, labels, summary }: Expected): object {
  const { severity, description, name } = alertNamed(alertname);
  const annotations = { summary, description, runbook_url: runbookUrl(name) };
  return { eval_time: at, alertname, exp_alerts: [{ exp_labels: { severity, ...labels }, exp_annotations: annotations }] };
}

test('promtool accepts the rules', async () => {
  expect(await promtool('check', 'rules', RULES)).toContain(`SUCCESS: ${ALERTS.length} rules found`);
});

test('every alert has its cases', () => expect(Object.keys(CASES).toSorted()).toEqual(ALERTS.map(({ name }) => name).toSorted()));

test('an operator that is well has no alert', async () => await firing({}, 199, []));

for (const [name, { fires, silent }] of Object.entries(CASES)) {
  describe(name, () => {
    // Contract: alerts-each
    test('fires, alone, with its sentence and its runbook', async () => {
      const { series, at, labels = {}, summary } = fires;
      await firing(series, at, [name], { alertname: name, labels, summary });
    });
    for (const [sentence, { series, at, instead = [] }] of Object.entries(silent)) {
      // Contract: alerts-each
      test(`is silent ${sentence}`, async () => {
        expect(instead).not.toContain(name);
        await firing(series, at, instead);
      });
    }
  });
}
