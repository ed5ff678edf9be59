import { describe, expect, test } from 'vitest';
import type { BindingStatus, IrsaBinding } from '../../api/binding.ts';
import type { Condition } from '../../api/condition.ts';
import { ARN, binding } from '../../domain/test-observed.ts';
import type { CheckReport } from '../check/check.ts';
import type { Checked } from '../check/text.ts';
import { html } from './html.ts';
import { markdown } from './markdown.ts';
import { SCRIPT, STYLE } from './page-parts.ts';
import { MOST_ROWS, type Summary, type SummaryRow, summaryOf } from './summary.ts';

const AT = '2026-01-01T00:00:00Z';
const condition = (status: Condition['status'], reason: string, message = ''): Condition => ({
  type: 'Ready',
  status,
  reason,
  message,
  observedGeneration: 1,
  lastTransitionTime: AT,
});
const bound = (name: string, status: BindingStatus): IrsaBinding => ({
  ...binding({ metadata: { name }, spec: { serviceAccountName: name } }),
  status,
});
const checked = (name: string, states: readonly ('ok' | 'fail' | 'unread')[]): Checked => ({
  namespace: 'shop',
  name,
  check: {
    steps: states.map((state) => ({
      name: 'Trust policy',
      state,
      text: state,
      findings: state === 'fail' ? [{ code: 'TrustSubjectMismatch', severity: 'Error', message: 'wrong name' }] : [],
    })),
    notes: [],
    engine: undefined,
  },
  fixes: { kubectl: [], aws: [], terraform: [], trust: undefined, restarts: [] },
  log: undefined,
  places: {},
});
const report = (all: readonly Checked[]): CheckReport => ({
  about: { cluster: 'blue', issuer: undefined, account: '111122223333' },
  checked: all,
  trust: undefined,
  failOn: 'Warning',
  exitCode: 0,
});
const rowsOf = (all: readonly Checked[], bindings: readonly IrsaBinding[]) =>
  summaryOf(report(all), bindings, AT).rows.map(({ serviceAccount, binding: of, state, code }) => [serviceAccount, of, state, code]);

describe('the summary of a cluster', () => {
  // Contract: report-page
  test('has a row for each annotated ServiceAccount and each binding, the worst first', () =>
    expect(
      rowsOf(
        [checked('a', ['ok']), checked('b', ['fail']), checked('c', ['ok', 'unread'])],
        [
          bound('a', { conditions: [condition('True', 'Ready')] }),
          bound('d', { conditions: [condition('False', 'RoleNotFound')] }),
          bound('e', { conditions: [] }),
        ],
      ),
    ).toEqual([
      ['b', '', 'fail', 'TrustSubjectMismatch'],
      ['d', 'd', 'fail', 'RoleNotFound'],
      ['c', '', 'unread', ''],
      ['e', 'e', 'unread', ''],
      ['a', 'a', 'ok', ''],
    ]));

  test('shows what is wrong, whoever of the two says it', () => {
    expect(rowsOf([checked('a', ['fail'])], [bound('a', { conditions: [condition('True', 'Ready')] })])).toEqual([
      ['a', 'a', 'fail', 'TrustSubjectMismatch'],
    ]);
    expect(rowsOf([checked('a', ['ok'])], [bound('a', { conditions: [condition('False', 'RoleNotFound')] })])).toEqual([
      ['a', 'a', 'fail', 'RoleNotFound'],
    ]);
  });

  test('counts states, findings and accounts, and has policies by size', () => {
    const size = (characters: number) => ({ managedBy: 'Operator' as const, characters, quota: 2048, summary: '' });
    const other = { ...bound('b', { conditions: [condition('True', 'Ready')], trustPolicy: size(2000) }) };
    const {
      counts,
      findings,
      accounts,
      policies,
      bound: number,
    } = summaryOf(
      report([checked('x', ['fail'])]),
      [bound('a', { conditions: [condition('True', 'Ready')], trustPolicy: size(100) }), other],
      AT,
    );
    expect([counts, findings, accounts, number]).toEqual([
      { fail: 1, unread: 0, note: 0, ok: 2 },
      [{ code: 'TrustSubjectMismatch', times: 1 }],
      [{ account: '111122223333', times: 2 }],
      2,
    ]);
    expect(policies).toEqual([{ role: ARN, characters: 2000, quota: 2048 }]);
  });

  test('leaves out what is beyond the most that one page has, and says so', () => {
    const many = Array.from({ length: MOST_ROWS + 7 }, (_, at) => checked(`a${at}`, ['ok']));
    const { rows, leftOut, counts } = summaryOf(report(many), [], AT);
    expect([rows.length, leftOut, counts.ok]).toEqual([MOST_ROWS, 7, MOST_ROWS + 7]);
  });
});

const HOSTILE = `<img src=x onerror=alert(1)>"'&</script><script>\u001b[2J|\``;
const row: SummaryRow = {
  namespace: 'shop',
  serviceAccount: HOSTILE,
  binding: HOSTILE,
  mode: 'Enforce',
  role: HOSTILE,
  state: 'fail',
  code: 'RoleNotFound',
  message: HOSTILE,
  pods: '2/2',
};
const summary: Summary = {
  cluster: HOSTILE,
  issuer: HOSTILE,
  account: '',
  at: AT,
  counts: { fail: 1, unread: 0, note: 0, ok: 0 },
  bound: 1,
  rows: [row],
  leftOut: 3,
  findings: [{ code: 'RoleNotFound', times: 1 }],
  policies: [{ role: HOSTILE, characters: 10, quota: 2048 }],
  accounts: [{ account: HOSTILE, times: 1 }],
};

describe('the page', () => {
  const page = html(summary);
  // Contract: report-page
  test('makes no request: its policy forbids all, and there is no address in it', () => {
    expect(page).toContain("default-src 'none'");
    const plain = JSON.parse(JSON.stringify(summary).replaceAll(JSON.stringify(HOSTILE), '"plain"')) as Summary;
    const addresses = [...html(plain).matchAll(/(?:src|href|action|url)\s*[=(]\s*["']?([^"')\s>]+)/g)].map(([, address]) => address);
    expect(addresses).toEqual(['data:,']);
    expect(STYLE + SCRIPT).not.toMatch(/https?:|fetch|XMLHttpRequest|import|@font-face/);
  });

  test('shows text of others as text', () => {
    expect(page).not.toContain('<img');
    expect([...page.matchAll(/<script>/g)]).toHaveLength(1);
    expect(page).not.toContain('\u001b');
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;');
  });

  test('has colours for light and for dark, and a layout for a narrow screen', () => {
    expect(STYLE).toContain('@media (prefers-color-scheme: dark)');
    expect(STYLE).toContain('@media (max-width:');
    // Every colour of a state is there twice.
    for (const state of ['fail', 'unread', 'note', 'ok']) expect(STYLE.split(`--${state}: `)).toHaveLength(3);
  });

  test('opens and closes its elements in order', () => {
    const open: string[] = [];
    const body = page.slice(page.indexOf('<body>')).replace(SCRIPT, '');
    for (const [, closing, name = ''] of body.matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
      if (name === 'input' || name === 'html') continue;
      if (closing === '') open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });

  test('says what is left out, and what is not known', () => {
    expect(page).toContain('3 more are left out');
    expect(page).toContain('Account unknown');
  });
});

test('in Markdown every row has as many cells as its table, whatever a name holds', () => {
  const lines = markdown(summary)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  expect(lines.map((line) => line.split(' | ').length)).toEqual([6, 6, 6, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
  expect(markdown(summary)).not.toContain('\u001b');
});
