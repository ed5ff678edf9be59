import { marked } from 'marked';
import { describe, expect, test } from 'vitest';
import { finding } from '../../../api/finding.ts';
import { accepting, checked, failing, HOSTILE, NO_FIXES, reportOf } from '../test-checked.ts';
import { markdown } from './markdown.ts';

const fixes = { ...NO_FIXES, kubectl: ['kubectl x', 'kubectl y'], terraform: ['statement {', '}'] };
const places = { Webhook: { file: './deploy/app.yaml', line: 8, column: 7 } };
const broken = checked({ Webhook: failing('WebhookMissing', 'no webhook') }, { name: 'b', fixes, places });

test('a page has a table of all, and below it what is wrong with its commands', () =>
  expect(markdown(reportOf([checked(), broken]))).toBe(`**irsa-operator check**: not right: 1, ServiceAccounts: 2

| State | ServiceAccount | Finding | Place |
| --- | --- | --- | --- |
| ok | \`shop/app\` |  |  |
| **FAIL** | \`shop/b\` | WebhookMissing | \`deploy/app.yaml:8:7\` |

### \`shop/b\`

\`\`\`text
FAIL  Webhook         WebhookMissing  (./deploy/app.yaml:8)
        no webhook
\`\`\`

Fix with kubectl:

\`\`\`sh
kubectl x
kubectl y
\`\`\`

Or in Terraform, one more statement in the aws_iam_policy_document of the role:

\`\`\`hcl
statement {
}
\`\`\`
`));

describe('a row', () => {
  const rowOf = (...args: Parameters<typeof reportOf>) => markdown(reportOf(...args)).split('\n')[4];
  const note = checked({}, { notes: [finding('TrustOverPermissive', 'it allows all')] });
  const rows: Record<string, [row: string | undefined, wanted: string]> = {
    'of what was not read has the step': [
      rowOf([checked({ 'Trust policy': { state: 'unread', text: 'x' } })]),
      '| not read | `shop/app` | Trust policy |  |',
    ],
    'of a note has its code': [rowOf([note]), '| ok | `shop/app` | note TrustOverPermissive |  |'],
    'of what is ignored says so': [
      rowOf([accepting(broken, { by: 'ignore', reason: 'x' })]),
      '| accepted | `shop/b` | ignored WebhookMissing | `deploy/app.yaml:8:7` |',
    ],
  };
  for (const [sentence, [row, wanted]] of Object.entries(rows)) test(sentence, () => expect(row).toBe(wanted));
});

describe('below the table', () => {
  const titles = (...args: Parameters<typeof reportOf>) => markdown(reportOf(...args)).match(/^### .*$/gm) ?? [];
  const note = checked({}, { notes: [finding('TrustOverPermissive', 'it allows all')] });
  test('is a note that counts', () => expect(titles([note])).toEqual(['### `shop/app`']));
  test('is no note that does not count', () => expect(titles([note], { failOn: 'Error' })).toEqual([]));
  test('is what was not read', () => expect(titles([checked({ Pods: { state: 'unread', text: 'x' } })])).toEqual(['### `shop/app`']));
  test('is nothing that is accepted', () => expect(titles([accepting(broken, { by: 'baseline' })])).toEqual([]));
});

test('of no ServiceAccount it is a sentence', () =>
  expect(markdown(reportOf([]))).toBe('No ServiceAccount has the annotation of a role.\n'));

test('a page is never larger than GitHub takes, ends with a whole part, and says that there is more', () => {
  const long = checked({ Webhook: failing('WebhookMissing', 'word '.repeat(20_000)) }, { fixes });
  const page = markdown(reportOf(Array.from({ length: 100 }, () => long)));
  expect(Buffer.byteLength(page)).toBeLessThan(1024 * 1024);
  expect(page).toMatch(/statement \{\n\}\n```\n\nToo long for this page: 9\d\. `-o json` has all\.\n$/);
});

test('a part that is larger than a page keeps no other out, and has its row', () => {
  const long = checked({ Webhook: failing('WebhookMissing', 'word '.repeat(300_000)) }, { name: 'x'.repeat(2_000_000) });
  const page = markdown(reportOf([long, broken]));
  expect(page).toContain(`| **FAIL** | \`shop/${'x'.repeat(314)}…\` | WebhookMissing |`);
  expect(page).toContain('### `shop/b`');
  expect(page.endsWith('Too long for this page: 1. `-o json` has all.\n')).toBe(true);
});

for (const [at, whole] of HOSTILE.entries())
  test(`text that means harm (${at + 1}) is seen as it is, in code`, () => {
    const text = whole.slice(0, 200_000);
    const steps = { Webhook: failing('WebhookMissing', text), Pods: { state: 'unread' as const, text } };
    const part = { namespace: text, name: text, places: { ServiceAccount: { file: text, line: 1, column: 1 } } };
    const of = checked(steps, { ...part, fixes: { ...NO_FIXES, aws: [text, '`````', '# out'] } });
    const html = marked.parse(markdown(reportOf([of, checked()])), { async: false, gfm: true });
    // Without what is in code: GitHub makes no link, mention or reference of that.
    const rest = html.replace(/<code[^>]*>[^<]*<\/code>/g, '');
    expect(rest).not.toMatch(/<(?!\/?(?:p|strong|table|thead|tbody|tr|th|td|h3|pre)>)/);
    expect(rest.replace(/<[^>]*>/g, '').split(/\s+/)).toEqual(
      `irsa-operator check: not right: 1, ServiceAccounts: 2 State ServiceAccount Finding Place FAIL WebhookMissing ok Fix with AWS: `.split(
        ' ',
      ),
    );
    expect(html.match(/<tr>/g)).toHaveLength(3);
  });
