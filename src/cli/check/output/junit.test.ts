import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import { finding } from '../../../api/finding.ts';
import type { CheckReport } from '../check.ts';
import { accepting, checked, failing, HOSTILE, NO_FIXES, reportOf } from '../test-checked.ts';
import { junit } from './junit.ts';

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** The document, by a parser that takes nothing but well-formed XML 1.0. */
function suiteOf(report: CheckReport): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const element = { name, attributes: attributes as Record<string, string>, children: [], text: '' };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => void open.pop());
  parser.on('text', (text) => {
    const last = open.at(-1);
    if (last !== undefined) last.text += text;
  });
  parser.write(junit(report)).close();
  const suite = root.children[0]?.children[0];
  if (root.children[0]?.name !== 'testsuites' || suite?.name !== 'testsuite') throw new Error('no suite');
  return suite;
}
const testsOf = (report: CheckReport) => suiteOf(report).children;
const named = (report: CheckReport, name: string) => testsOf(report).find(({ attributes }) => attributes['name'] === name);

const NAMES = ['ServiceAccount', 'Annotation', 'Webhook', 'OIDC provider', 'Trust policy', 'Pods'];
const fixes = { ...NO_FIXES, kubectl: [`kubectl annotate sa app 'x=<y>'`] };
const broken = checked(
  {
    Webhook: failing('WebhookMissing', 'no webhook'),
    Pods: { state: 'unread', text: 'not read: forbidden' },
    'Trust policy': { state: 'skipped', text: 'no role' },
  },
  { fixes, places: { Webhook: { file: './süd.yaml', line: 3, column: 1 } }, notes: [finding('TrustOverPermissive', 'it allows all')] },
);

describe('a report', () => {
  test('has a test for each step of each ServiceAccount, and no two of one name', () => {
    const found = testsOf(reportOf([checked(), checked({}, { name: 'b' })])).map(({ name, attributes, children }) => [
      name,
      attributes,
      children,
    ]);
    expect(found).toEqual(['shop/app', 'shop/b'].flatMap((classname) => NAMES.map((name) => ['testcase', { name, classname }, []])));
  });
  test('counts its tests', () =>
    expect(suiteOf(reportOf([broken, checked()])).attributes).toEqual({
      name: 'irsa-operator check',
      tests: '13',
      failures: '2',
      errors: '1',
      skipped: '1',
    }));
  test('of no ServiceAccount has no test', () => expect(testsOf(reportOf([]))).toEqual([]));
});

describe('a test', () => {
  const outcomeOf = (report: CheckReport, name: string) => named(report, name)?.children;
  const outcome = (name: string, attributes: object, text = '') => [{ name, attributes, children: [], text }];
  test('of a step that fails has its finding and the commands that fix it', () => {
    const text = `WebhookMissing: no webhook\n\nFix with kubectl:\n${fixes.kubectl[0]}`;
    expect(outcomeOf(reportOf([broken]), 'Webhook')).toEqual(outcome('failure', { type: 'WebhookMissing', message: 'no webhook' }, text));
    expect(named(reportOf([broken]), 'Webhook')?.attributes['file']).toBe('süd.yaml');
  });
  const rows: Record<string, [report: CheckReport, name: string, wanted: readonly object[]]> = {
    'of a step that was not read is an error': [
      reportOf([broken]),
      'Pods',
      outcome('error', { message: 'not read: forbidden' }, 'not read: forbidden'),
    ],
    'of a step that was skipped is skipped': [reportOf([broken]), 'Trust policy', outcome('skipped', { message: 'no role' })],
    'of a note fails': [
      reportOf([broken]),
      'TrustOverPermissive',
      outcome('failure', { type: 'TrustOverPermissive', message: 'it allows all' }, 'it allows all'),
    ],
    'of a note that does not count is skipped': [
      reportOf([broken], { failOn: 'Error' }),
      'TrustOverPermissive',
      outcome('skipped', { message: 'it allows all' }),
    ],
    'of what is ignored is skipped, with the reason': [
      reportOf([accepting(broken, { by: 'ignore', reason: 'it is being moved' })]),
      'Webhook',
      outcome('skipped', { message: 'WebhookMissing: no webhook (ignored: it is being moved)' }),
    ],
    'of a note that is known is skipped': [
      reportOf([accepting(broken, { by: 'baseline' })]),
      'TrustOverPermissive',
      outcome('skipped', { message: 'it allows all (known: it is in the baseline)' }),
    ],
  };
  test('shows a blank of another kind by its code, as the terminal does', () => {
    const of = checked({ 'Trust policy': failing('TrustSubjectWhitespace', 'found "a\u00a0b"') });
    const shown = 'found "a\\u00a0b"';
    const wanted = outcome('failure', { type: 'TrustSubjectWhitespace', message: shown }, `TrustSubjectWhitespace: ${shown}`);
    expect(outcomeOf(reportOf([of]), 'Trust policy')).toEqual(wanted);
  });
  for (const [sentence, [report, name, wanted]] of Object.entries(rows))
    test(sentence, () => expect(outcomeOf(report, name)).toEqual(wanted));
});

for (const [at, text] of HOSTILE.entries())
  test(`text that means harm (${at + 1}) is text in a well-formed document`, () => {
    const steps = {
      Webhook: failing('WebhookMissing', text),
      Pods: { state: 'unread' as const, text },
      Annotation: { state: 'skipped' as const, text },
    };
    const of = checked(steps, {
      namespace: text,
      name: text,
      places: { Webhook: { file: text, line: 1, column: 1 } },
      fixes: { ...NO_FIXES, aws: [text] },
      notes: [finding('TrustOverPermissive', text)],
    });
    const tests = testsOf(reportOf([of, accepting(of, { by: 'ignore', reason: text })]));
    expect(tests.map(({ attributes }) => attributes['name'])).toEqual([...NAMES, 'TrustOverPermissive', ...NAMES, 'TrustOverPermissive']);
    expect(new Set(tests.map(({ children }) => children[0]?.name ?? 'ok'))).toEqual(new Set(['ok', 'failure', 'error', 'skipped']));
  });
