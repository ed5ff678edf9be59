import { timestamp } from './api/condition.ts';
import { KEPT } from './check-files.ts';
import { check } from './cli/check/check.ts';
import { REPORT_OUTPUTS } from './cli/cluster-report/flags.ts';
import { html } from './cli/cluster-report/html.ts';
import { markdown } from './cli/cluster-report/markdown.ts';
import { type Summary, summaryOf } from './cli/cluster-report/summary.ts';
import type { Execute } from './cli/command.ts';
import { looking } from './connect-both.ts';
import { listAll } from './kube/list-all.ts';
import { unlessMissing } from './kube/missing.ts';
import { readCluster } from './kube/read-cluster.ts';
import { bindings } from './kube/resources.ts';
import { systemClock } from './runtime/clock.ts';

const NO_REACH = { kubectl: [], aws: [], region: undefined, check: [] };

/** The composition root of `report`: the page on standard output, all other words on standard error. Resolves with the exit code; never throws. */
export const reportCluster: Execute = async (call) => {
  const { given, misused } = call;
  const output = REPORT_OUTPUTS.find((one) => one === given['output']);
  if (output === undefined) return misused(`--output: "${given['output']}" is none of ${REPORT_OUTPUTS.join(', ')}`);
  return looking(call, async ({ webhook, stop, say, progress, connect }) => {
    const { context, connection, transport, aws } = connect();
    const said = given['namespace'];
    const namespace = typeof said === 'string' && said !== '' ? said : undefined;
    const ports = {
      cluster: readCluster(transport, connection, KEPT, webhook),
      aws,
      clock: systemClock,
      webhook,
      progress,
      files: undefined,
    };
    const where = { what: 'cluster', ...context, region: undefined, profile: undefined } as const;
    const [checked, bound] = await Promise.all([
      check({ kind: 'all', namespace }, { ...given, 'fail-on': 'Warning' }, where, ports, NO_REACH, stop),
      unlessMissing(listAll(transport, bindings, stop, namespace)),
    ]);
    const summary = summaryOf(checked, bound ?? [], timestamp(systemClock.now()));
    process.stdout.write(written(summary, output));
    const { length } = summary.rows;
    say(`${length} ServiceAccounts, ${summary.counts.fail} of them fail, nothing written`);
    return 0;
  });
};

function written(summary: Summary, output: (typeof REPORT_OUTPUTS)[number]): string {
  switch (output) {
    case 'html':
      return html(summary);
    case 'markdown':
      return markdown(summary);
    case 'json':
      return `${JSON.stringify(summary, undefined, 2)}\n`;
  }
}
