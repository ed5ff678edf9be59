import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { finding } from '../../api/finding.ts';
import type { Style } from '../style.ts';
import { accepting, checked, failing, NO_FIXES, type Steps } from './test-checked.ts';
import type { Checked } from './text.ts';
import { page, row } from './text.ts';

const STYLE: Style = { width: 100, colour: false };
const text = (of: Checked, style: Partial<Style> = {}) => page(of, { ...STYLE, ...style }).split('\n');

describe('a page', () => {
  test('of what works', () =>
    expect(page(checked(), STYLE)).toBe(`ok    ServiceAccount  app
ok    Annotation      role/app
ok    Webhook         selects these pods
ok    OIDC provider   oidc.eks.eu-west-1.amazonaws.com/id/ABCD
ok    Trust policy    a statement allows "system:serviceaccount:shop:app" to assume the role
ok    Pods            2 of 2 pods have the role

IRSA works: a statement allows "system:serviceaccount:shop:app" to assume the role. 2 of 2 pods have
the role.
`));

  test('of what fails has the code, the sentence below it, a count of the same, and the fix', () => {
    const fixes = { ...NO_FIXES, kubectl: ['kubectl x'], aws: ['aws y'], terraform: ['statement {', '}'], restarts: ['kubectl z'] };
    const log = { at: '2026-01-01T14:40:00Z', text: 'AccessDenied: x', action: undefined, user: undefined };
    const of = checked({ Pods: failing('PodCredentialsMissing', 'pod a lacks it', 'pod b lacks it') }, { fixes, log });
    expect(text(of).slice(5)).toEqual([
      'FAIL  Pods            PodCredentialsMissing',
      '        pod a lacks it (and 1 more)',
      '      log 14:40       AccessDenied: x',
      '',
      'Nothing else is wrong.',
      '',
      'Fix with kubectl:',
      '  kubectl x',
      '',
      'Fix with AWS:',
      '  aws y',
      '',
      'Or in Terraform, one more statement in the aws_iam_policy_document of the role:',
      '  statement {',
      '  }',
      '',
      'Then restart the pods:',
      '  kubectl z',
      '',
    ]);
  });

  test('has a title for each further cause of a step', () => {
    const [one, two] = [finding('PodCredentialsMissing', 'no role'), finding('PodNotRestartable', 'recreate it')];
    const of = checked({ Pods: { state: 'fail', text: 'no role', findings: [one, two] } });
    expect(text(of).slice(5, 9)).toEqual([
      'FAIL  Pods            PodCredentialsMissing',
      '        no role',
      '        PodNotRestartable',
      '        recreate it',
    ]);
  });

  test('says that no restart is needed, where AWS alone is changed', () => {
    const of = checked({ 'Trust policy': failing('TrustSubjectMismatch', 'x') }, { fixes: { ...NO_FIXES, aws: ['aws y'] } });
    expect(text(of)).toContain('No restart is needed where the pods have the role already: the SDK asks again.');
  });

  const endings: Record<string, [steps: Steps, says: string]> = {
    'what was not read leaves it open': [
      { 'Trust policy': { state: 'unread', text: 'not read: no' } },
      'Not known: Trust policy. The rest is right.',
    ],
    'what fails for certain, beside what was not read': [
      { Webhook: failing('WebhookMissing', 'x'), 'Trust policy': { state: 'unread' }, Pods: { state: 'unread' } },
      'Not checked: Trust policy, Pods.',
    ],
  };
  for (const [sentence, [steps, says]] of Object.entries(endings))
    test(`${sentence}: ${says}`, () => expect(text(checked(steps))).toContain(says));
  test('does not say that nothing else is wrong, where steps were skipped', () => {
    const of = checked({ Annotation: failing('AnnotationMissing', 'x'), Pods: { state: 'skipped', text: '2 run' } });
    expect(page(of, STYLE)).not.toMatch(/Nothing else|IRSA works/);
    expect(text(of)).toContain('-     Pods            2 run');
  });

  test('does not say that the rest is right, where steps were skipped', () => {
    const of = checked({ Annotation: { state: 'unread', text: 'x' }, Pods: { state: 'skipped', text: 'y' } });
    expect(text(of)).toContain('Not known: Annotation.');
    expect(page(of, STYLE)).not.toMatch(/The rest|IRSA works/);
  });

  test('has notes, each with its code', () => {
    const of = checked({}, { notes: [finding('TrustOverPermissive', 'it allows all')] });
    expect(text(of)).toContain('note  TrustOverPermissive: it allows all');
  });
  test('has a log without a time, where there was none', () => {
    const log = { at: undefined, text: 'Unable to locate credentials', action: undefined, user: undefined };
    expect(text(checked({}, { log }))).toContain('      log             Unable to locate credentials');
  });
  test('shows what is not plain text as its code', () =>
    expect(page(checked({ Annotation: { text: 'role/\u001b[31mx\r\ny' } }), STYLE)).toContain('role/\\u001b[31mx\\u000d\\u000ay'));
});

describe('of what is accepted', () => {
  const reason = { by: 'ignore', reason: 'it is being moved' } as const;
  const of = checked({ Webhook: failing('WebhookMissing', 'no webhook') }, { notes: [finding('TrustOverPermissive', 'it allows all')] });
  test('a page still shows it, and why it does not count', () => {
    const lines = text(accepting(of, reason));
    expect(lines.slice(2, 5)).toEqual(['(ok)  Webhook         WebhookMissing', '        no webhook', '        ignored: it is being moved']);
    expect(lines).toContain('note  TrustOverPermissive: it allows all (ignored: it is being moved)');
    expect(lines).toContain('Accepted: Webhook. The rest is right.');
  });
  test('a page says that the baseline has it', () =>
    expect(text(accepting(of, { by: 'baseline' }))).toContain('        known: it is in the baseline'));
  test('a page does not say that nothing else is wrong', () => {
    const both = accepting(of, reason);
    const steps = both.check.steps.map((step) => (step.name === 'Pods' ? { ...step, ...failing('PodRoleArnStale', 'stale') } : step));
    const lines = text({ ...both, check: { ...both.check, steps } });
    expect(lines).toContain('Accepted: Webhook.');
    expect(lines.join()).not.toMatch(/Nothing else|IRSA works/);
  });
  test('a reason shows what is not plain text as its code', () =>
    expect(page(accepting(of, { by: 'ignore', reason: '\u001b[31mx' }), STYLE)).toContain('ignored: \\u001b[31mx'));
});

test('a command keeps the letters of a name, and shows control characters as their codes', () => {
  const fixes = { ...NO_FIXES, kubectl: ['kubectl --context süd get \u001b[31mx\n::error::\u202e'] };
  expect(text(checked({}, { fixes }))).toContain('  kubectl --context süd get \\u{1b}[31mx\\u{a}::error::\\u{202e}');
});

describe('within its width', () => {
  const long = 'words '.repeat(30).trim();
  const log = { at: '2026-01-01T14:40:00Z', text: long, action: undefined, user: undefined };
  const fixes = { ...NO_FIXES, aws: [`aws ${long}`], terraform: ['statement {'] };
  const pages: Record<string, Checked> = {
    works: checked({ Webhook: { text: long } }, { log, notes: [finding('TrustOverPermissive', long)] }),
    fails: checked({ Webhook: failing('WebhookMissing', long), Pods: { state: 'unread', text: long } }, { log, fixes }),
    'is open': checked({ Webhook: { state: 'unread' }, 'OIDC provider': { state: 'unread' }, 'Trust policy': { state: 'unread' } }),
  };
  for (const [sentence, of] of Object.entries(pages))
    for (const width of [40, 72, 100, 1_000])
      test(`a page of what ${sentence}, in ${width} columns: only commands and single words are longer`, () => {
        const tooLong = text(of, { width }).filter(
          (line) => line.length > width && !line.startsWith('  aws ') && line.trim().split(/\s+/).length > 4,
        );
        expect(tooLong).toEqual([]);
      });
  test('what follows is indented as its head, and the words are whole', () => {
    expect(text(checked({ Webhook: { text: 'one two three four five six' } }), { width: 40 }).slice(2, 4)).toEqual([
      'ok    Webhook         one two three four',
      '                      five six',
    ]);
  });
  test('a word that is longer than a line is left whole', () => {
    const word = 'x'.repeat(120);
    expect(text(checked({ Webhook: { text: word } }), { width: 40 })[2]).toBe(`ok    Webhook         ${word}`);
  });
});

describe('with colours', () => {
  const of = checked({
    Webhook: failing('WebhookMissing', 'x'),
    Pods: { state: 'unread', text: 'words '.repeat(40).trim() },
    Annotation: { state: 'skipped' },
  });
  test('it has the same lines', () =>
    expect(stripVTControlCharacters(page(of, { width: 72, colour: true }))).toBe(page(of, { width: 72, colour: false })));
  test('each state has its own, and the text has none', () => {
    const coloured = text(of, { colour: true });
    expect(coloured[0]).toBe('\u001b[32mok    \u001b[0mServiceAccount  app');
    expect(coloured[2]).toBe('\u001b[31mFAIL  \u001b[0mWebhook         WebhookMissing');
    expect(coloured.filter((line) => line.startsWith('\u001b[33m?'))).toHaveLength(1);
    expect(coloured.filter((line) => line.startsWith('\u001b[2m-'))).toHaveLength(1);
  });
});

describe('of many, a line for each', () => {
  const rows: Record<string, [of: Checked, line: string]> = {
    'that works': [checked(), 'ok    shop/app'],
    'that fails: the code': [
      checked({ Webhook: failing('WebhookMissing', 'x'), Annotation: { state: 'unread' } }),
      'FAIL  shop/app  WebhookMissing',
    ],
    'that was not read: the step': [checked({ 'Trust policy': { state: 'unread' } }), '?     shop/app  Trust policy'],
    'with notes: their codes, because they make the exit code': [
      checked({}, { notes: [finding('TrustOverPermissive', 'x'), finding('WebhookSkipped', 'y')] }),
      'ok    shop/app  note TrustOverPermissive, WebhookSkipped',
    ],
    'that fails by what is accepted alone': [
      accepting(checked({ Webhook: failing('WebhookMissing', 'x') }), { by: 'ignore', reason: 'y' }),
      '(ok)  shop/app  ignored WebhookMissing',
    ],
    'with a note that is known': [
      accepting(checked({}, { notes: [finding('TrustOverPermissive', 'x')] }), { by: 'baseline' }),
      'ok    shop/app  known TrustOverPermissive',
    ],
  };
  for (const [sentence, [of, line]] of Object.entries(rows)) test(sentence, () => expect(row(of, STYLE)).toBe(line));
});
