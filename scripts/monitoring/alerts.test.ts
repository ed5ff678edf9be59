import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FINDINGS } from '../../src/api/finding.ts';
import { metrics } from '../../src/observability/metrics.ts';
import { ALERTS } from './alerts.ts';
import { groupOf } from './rule.ts';

const RUNBOOKS = 'docs/runbooks';
/** Nobody reads more of a page at night. */
const MAX_LINES = 30;
const SECTIONS = ['Check first', 'What it means', 'What you do', 'See also'];
const { rules } = groupOf('irsa-operator', ALERTS);

const labelsOf = new Map(
  metrics('1.2.3')
    .descriptions()
    .map(({ name, labelNames }) => [name, labelNames]),
);
/** In promql, `irsa_x{a="b"}` and `by (c)`. Strings are left out, they hold no names. */
const namesIn = (expr: string) =>
  [...expr.matchAll(/\b((?:irsa|controller|leader)_\w+)(?:\{([^}]*)\})?/g)].map(([, name = '', matchers = '']) => ({
    name,
    labels: [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label),
  }));

describe('an alert', () => {
  for (const { alert, expr, annotations } of rules) {
    test(`${alert} asks for metrics and labels that irsa-operator has`, () => {
      const asked = namesIn(expr);
      expect(asked).not.toEqual([]);
      for (const { name, labels } of asked) {
        expect([...labelsOf.keys()]).toContain(name);
        expect(labelsOf.get(name)).toEqual(expect.arrayContaining(labels));
      }
    });

    test(`${alert} names findings that exist`, () => {
      const codes = [...expr.matchAll(/irsa_binding_findings\{code=~?"([^"]*)"/g)].flatMap(([, list = '']) => list.split('|'));
      expect(codes.filter((code) => !(code in FINDINGS))).toEqual([]);
    });

    test(`${alert} has a page that begins with what to check, of at most ${MAX_LINES} lines`, () => {
      const page = readFileSync(`${RUNBOOKS}/${alert}.md`, 'utf8');
      const prose = page.replaceAll(/^```[\s\S]*?^```$/gm, '').split('\n');
      expect(annotations.runbook_url).toMatch(new RegExp(`/docs/runbooks/${alert}\\.md$`));
      expect(prose.filter((line) => line.startsWith('#'))).toEqual([`# ${alert}`, ...SECTIONS.map((title) => `## ${title}`)]);
      expect(page.trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES);
    });
  }
});

test('there is no page but those of the alerts, and the index', () => {
  expect(readdirSync(RUNBOOKS).toSorted()).toEqual(['README.md', ...ALERTS.map(({ name }) => `${name}.md`)].toSorted());
});

test('the pages link only to pages that exist', () => {
  const broken = readdirSync(RUNBOOKS).flatMap((name) =>
    [...readFileSync(`${RUNBOOKS}/${name}`, 'utf8').matchAll(/\]\(([^):#]+\.md)(#[^)]*)?\)/g)].flatMap(([, path = '', anchor]) => {
      const text = read(`${RUNBOOKS}/${path}`);
      return text === undefined || (anchor !== undefined && !anchorsOf(text).includes(anchor)) ? [`${name} -> ${path}${anchor ?? ''}`] : [];
    }),
  );
  expect(broken).toEqual([]);
});

test('a divisor shortens what lasts, and nothing else', () => {
  const [down] = groupOf('a', ALERTS, 60).rules;
  expect(down).toMatchObject({ expr: rules[0]?.expr, for: '5s' });
  const throttled = groupOf('a', ALERTS, 60).rules.find(({ alert }) => alert === 'IrsaAwsThrottled');
  expect(throttled).toMatchObject({ expr: expect.stringContaining('[10s]'), for: '15s' });
});

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** As GitHub forms them. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(
    ([, title = '']) =>
      `#${title
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-')}`,
  );
}
