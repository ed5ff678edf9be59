import type * as z from 'zod';
import type { CheckFinding, CheckStep } from '../../../domain/check/judge.ts';
import type { CheckReport } from '../check.ts';
import type { Checked } from '../text.ts';
import type { checkReport } from './report-schema.ts';

type ReportData = z.output<typeof checkReport>;
type ResultData = ReportData['results'][number];

/** The members of a step by name, so that a reader of JSON needs no order. */
export function data({ about, checked, exitCode }: CheckReport): ReportData {
  return { ...about, exitCode, results: checked.map(result) };
}

function result({ namespace, name, check: { steps, notes, engine }, fixes, log, places }: Checked): ResultData {
  return {
    namespace,
    serviceAccount: name,
    ...(engine === undefined ? {} : { role: engine.spec.roleArn, audience: engine.spec.audience }),
    steps: steps.map((one) => step(one, places)),
    notes: notes.map(finding),
    fixes: {
      kubectl: [...fixes.kubectl],
      aws: [...fixes.aws],
      terraform: [...fixes.terraform],
      trust: fixes.trust === undefined ? undefined : JSON.parse(fixes.trust),
      restarts: [...fixes.restarts],
    },
    ...(log === undefined ? {} : { log }),
  };
}

function step({ name, state, text, findings }: CheckStep, { [name]: place }: Checked['places']): ResultData['steps'][number] {
  return { step: name, state, text, findings: findings.map(finding), ...(place !== undefined && { place }) };
}

const finding = ({ code, severity, message, accepted }: CheckFinding): ResultData['notes'][number] => ({
  code,
  severity,
  message,
  ...(accepted !== undefined && { accepted }),
});
