import { stringify } from 'yaml';
import type { Style } from '../style.ts';
import type { CheckReport } from './check.ts';
import type { CHECK_OUTPUTS } from './flags.ts';
import { data } from './output/data.ts';
import { github } from './output/github.ts';
import { junit } from './output/junit.ts';
import { markdown } from './output/markdown.ts';
import { sarif } from './output/sarif.ts';
import type { Where } from './ports.ts';
import { page, row } from './text.ts';

export type CheckOutput = (typeof CHECK_OUTPUTS)[number];

/** What goes to standard output. */
export function print(report: CheckReport, output: CheckOutput, where: Where, style: Style, version: string): string {
  if (report.trust !== undefined) return `${indented(report.trust)}\n`;
  switch (output) {
    case 'json':
      return `${JSON.stringify(data(report), undefined, 2)}\n`;
    case 'yaml':
      return stringify(data(report));
    case 'markdown':
      return markdown(report);
    case 'sarif':
      return sarif(report, version);
    case 'github':
      return github(report);
    case 'junit':
      return junit(report);
    case 'table': {
      const [first, ...others] = report.checked;
      if (first === undefined) return 'no ServiceAccount has the annotation of a role\n';
      return `${[header(report, where), ...(others.length === 0 ? [page(first, style)] : report.checked.map((one) => row(one, style)))].join('\n')}\n`;
    }
  }
}

const indented = (json: string): string => JSON.stringify(JSON.parse(json), undefined, 2);

function header({ about: { cluster, account } }: CheckReport, { what, region, profile }: Where): string {
  const of = region === undefined ? '' : ` (${region})`;
  const by = profile === undefined ? '' : ` (profile ${profile})`;
  return `${what} ${cluster}${of}  account ${account ?? 'unknown'}${by}\n`;
}
