import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { PAGES } from '../../scripts/monitoring/dashboards/index.ts';
import { dashboardOf, queriesOf } from '../../scripts/monitoring/dashboards/panel.ts';
import { rulesFile } from '../../scripts/monitoring/index.ts';
import { integrationSuite } from '../harness/suite.ts';
import { type Activity, busy, busyAgain } from './activity.ts';
import { draw, type Line } from './draw.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

/** Every query of every panel, asked of a real Prometheus after activity: a panel without data is a fault. */
const suite = integrationSuite({ grant: {} });
/** Of rates: all that happened since the start. */
const INTERVAL = '10m';
/** Where nothing is to be seen on a good day. Everywhere else a line of zeros is no data. */
const MAY_BE_ZERO = ['Keys that wait', 'Watches that ended'];
const PATIENCE = { timeoutMs: 120_000 };
let prometheus: Prometheus;
let activity: Activity;

beforeAll(async () => {
  prometheus = await startPrometheus(join(suite.testbed.folder, 'prometheus'), rulesFile(60));
  prometheus.scrape([{ pod: suite.operator.name, metricsUrl: suite.operator.metricsUrl }]);
  activity = await busy(suite);
}, 300_000);
afterAll(async () => await prometheus?.stop());

for (const page of PAGES) {
  describe(page.title, () => {
    for (const { title, expr } of queriesOf(page)) {
      // Contract: dashboard-data
      test(`${title}: ${expr.replaceAll(/\s+/g, ' ')}`, async () => {
        // A number that is always there would hide that its metric is not.
        const asked = inGrafana(expr, activity.binding).replace(' or vector(0)', '');
        const least = MAY_BE_ZERO.includes(title) ? 0 : Number.MIN_VALUE;
        const hasData = async () => (await prometheus.query(asked)).some(({ value }) => value >= least);
        await until(`${asked} has data`, hasData, PATIENCE);
      });
    }
  });
}

const PICTURES = process.env['PICTURES'];
/** A picture of less shows no rates. */
const STORY_SECONDS = 300;
const RATE_OF_PICTURES = '15s';

/** `PICTURES=docs/dashboards`: the pages with this data, for people. */
test.runIf(PICTURES !== undefined)(
  'the pages are drawn',
  async () => {
    const began = activity.began / 1_000;
    await busyAgain(suite);
    await until('there is enough to see', () => Date.now() / 1_000 - began > STORY_SECONDS, { timeoutMs: STORY_SECONDS * 1_000 });
    const ended = Date.now() / 1_000;
    for (const page of PAGES) {
      const dashboard = dashboardOf({
        ...page,
        rows: Object.fromEntries(Object.entries(page.rows).map(([name, row]) => [inGrafana(name, activity.binding), row])),
      });
      const lines = new Map<string, readonly Line[]>();
      for (const { title, expr, legend } of queriesOf(page)) {
        const drawn = expr.replaceAll('$__rate_interval', RATE_OF_PICTURES);
        const series = await prometheus.range(inGrafana(drawn, activity.binding), began, ended, 2);
        const named = series.map(({ labels, values }) => ({ name: legendIn(legend, labels), values }));
        lines.set(title, [...(lines.get(title) ?? []), ...named]);
      }
      mkdirSync(PICTURES ?? '', { recursive: true });
      writeFileSync(
        join(PICTURES ?? '', `${page.uid}.svg`),
        draw(dashboard, ({ title = '' }) => lines.get(title) ?? [], began, ended),
      );
    }
  },
  900_000,
);

const legendIn = (legend: string, labels: Readonly<Record<string, string>>) =>
  legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '');

/** With its variables, as Grafana asks it. */
function inGrafana(expr: string, { namespace, name }: Activity['binding']): string {
  return expr.replaceAll('$__rate_interval', INTERVAL).replaceAll('$namespace', namespace).replaceAll('$name', name);
}
