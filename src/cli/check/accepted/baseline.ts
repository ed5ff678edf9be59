import * as z from 'zod';
import { type Problem, problem } from '../../../api/problem.ts';

/** A finding of an earlier report. Its code may be one that this version does not have any more. */
export interface KnownFinding {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly code: string;
}

const finding = z.object({ code: z.string(), accepted: z.object({ by: z.string() }).optional() });
/** What is needed of a report: it may be of an older version, or of a newer one. */
const report = z.object({
  results: z.array(
    z.object({
      namespace: z.string(),
      serviceAccount: z.string(),
      steps: z.array(z.object({ findings: z.array(finding) })),
      notes: z.array(finding),
    }),
  ),
});

/** What an earlier report of `-o json` found. What was ignored in it is left out: an entry that expires must count again. Pure. */
export function parseBaseline(text: string): readonly KnownFinding[] | Problem {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return problem('not JSON. Wanted is a report of "check -o json"');
  }
  const parsed = report.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.length ? `"${issue.path.join('.')}": ` : '';
    return problem(`not a report of "check -o json". ${path}${issue?.message}`);
  }
  return parsed.data.results.flatMap(({ namespace, serviceAccount, steps, notes }) =>
    [...steps.flatMap(({ findings }) => findings), ...notes]
      .filter(({ accepted }) => accepted?.by !== 'ignore')
      .map(({ code }) => ({ namespace, serviceAccount, code })),
  );
}
