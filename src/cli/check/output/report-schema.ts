import * as z from 'zod';
import { FINDINGS, type FindingCode } from '../../../api/finding.ts';
import { STEP_NAMES } from '../../../domain/check/judge.ts';

const codes = Object.keys(FINDINGS) as FindingCode[];

const accepted = z
  .discriminatedUnion('by', [
    z.object({ by: z.literal('ignore'), reason: z.string().describe('The reason in the ignore file.') }),
    z.object({ by: z.literal('baseline') }),
  ])
  .describe('Why the finding does not count for the exit code.');

const finding = z
  .object({
    code: z.enum(codes).describe('Each code has a page in docs/findings.'),
    severity: z
      .enum(['Error', 'Warning'])
      .describe('The severity for an operator. A finding of a step keeps the pod from its role, whatever its severity.'),
    message: z.string().describe('One sentence for a person. It may change in every version.'),
    accepted: accepted.optional(),
  })
  .meta({ id: 'finding', description: 'What is wrong.' });

const place = z
  .object({ file: z.string(), line: z.int().min(1), column: z.int().min(1) })
  .describe('Where the checked value is in a file. Lines and columns are counted from 1.');

const step = z.object({
  step: z.enum(['Binding', ...STEP_NAMES]).describe('"Binding": only for an IrsaBinding in the files of -f.'),
  state: z
    .enum(['ok', 'fail', 'unread', 'skipped', 'accepted'])
    .describe(
      '"unread": it may fail. "skipped": an earlier step fails, or the files of -f do not show it. "accepted": every finding is accepted.',
    ),
  text: z.string().describe('What was found, in one line.'),
  findings: z.array(finding).describe('The most important first.'),
  place: place.optional(),
});

const commands = z.array(z.string());
const fixes = z
  .object({
    kubectl: commands.describe('Commands for a shell, in their order.'),
    aws: commands.describe('Commands for a shell, in their order, after those of kubectl.'),
    terraform: commands.describe('The lines of a statement block of an aws_iam_policy_document.'),
    trust: z.looseObject({}).optional().describe('The trust policy that the aws commands send.'),
    restarts: commands.describe('Commands for a shell, after all others.'),
  })
  .describe('What fixes the findings.');

const result = z.object({
  namespace: z.string(),
  serviceAccount: z.string(),
  role: z.string().optional().describe('The ARN of the role that is meant, if it is known.'),
  audience: z.string().optional().describe('The audience of the token.'),
  steps: z.array(step).describe('Every step, in its order.'),
  notes: z.array(finding).describe('What keeps no pod from its role. Notes count unless --fail-on Error is given.'),
  fixes,
  log: z
    .object({
      at: z.string().optional().describe('RFC 3339, in UTC.'),
      text: z.string(),
      action: z.string().optional().describe('The action that AWS refused.'),
      user: z.string().optional().describe('The ARN that AWS refused it to.'),
    })
    .optional()
    .describe('The last sentence of AWS in the log of a container.'),
});

/** What `check -o json` writes: type, and the source of docs/schema/check.json. */
export const checkReport = z
  .object({
    cluster: z.string().describe('The name of the cluster in the kubeconfig, or the files of -f.'),
    issuer: z.string().optional().describe('The URL of the issuer, if it is known.'),
    account: z.string().optional().describe('The AWS account of the credentials, or of the files of --iam.'),
    exitCode: z.union([z.literal(0), z.literal(1), z.literal(2)]).describe('What the command exits with, unless --no-fail is given.'),
    results: z.array(result).describe('One for each ServiceAccount.'),
  })
  .meta({ title: 'The report of irsa-operator check -o json', description: 'Later versions may add members.' });

/** As JSON Schema, open for members that later versions add. */
export const checkReportSchema = () => z.toJSONSchema(checkReport, { io: 'input' });
