import { stringify } from 'yaml';
import type { CheckReport } from './check.ts';
import type { CHECK_OUTPUTS } from './flags.ts';
import type { Where } from './ports.ts';
import { page, row, type Style } from './text.ts';

export type CheckOutput = (typeof CHECK_OUTPUTS)[number];

/** What goes to standard output. */
export function print(report: CheckReport, output: CheckOutput, where: Where, style: Style): string {
  if (report.trust !== undefined) return `${indented(report.trust)}\n`;
  switch (output) {
    case 'json':
      return `${JSON.stringify(data(report), undefined, 2)}\n`;
    case 'yaml':
      return stringify(data(report));
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

/** The members of a step by name, so that a reader of JSON needs no order. */
function data({ about, checked, exitCode }: CheckReport): object {
  return {
    ...about,
    exitCode,
    results: checked.map(({ namespace, name, check: { steps, notes, engine }, fixes, log }) => ({
      namespace,
      serviceAccount: name,
      ...(engine === undefined ? {} : { role: engine.spec.roleArn, audience: engine.spec.audience }),
      steps: steps.map(({ name: step, state, text, findings }) => ({ step, state, text, findings })),
      notes,
      fixes: { ...fixes, trust: fixes.trust === undefined ? undefined : JSON.parse(fixes.trust) },
      ...(log === undefined ? {} : { log }),
    })),
  };
}
