import { globSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { FINDINGS, type FindingCode } from './finding.ts';
import { FIXED_BY_OPERATOR } from './fixed-by-operator.ts';

/** Nobody reads more of a page at night. */
const MAX_LINES = 30;
const SECTIONS = ['What you see', 'Why', 'How it was found', 'What irsa-operator does', 'What you do', 'See also'];

const folder = (path: string) => fileURLToPath(new URL(`../../${path}/`, import.meta.url));
const PAGES = folder('docs/findings');
const CORPUS = folder('test/golden/trust');
const INDEX = 'README.md';
const codes = Object.keys(FINDINGS) as FindingCode[];

const linesOf = (name: string): string[] => readFileSync(`${PAGES}${name}`, 'utf8').trimEnd().split('\n');
const headings = (lines: readonly string[], level: '#' | '##') =>
  lines.filter((line) => line.startsWith(`${level} `)).map((line) => line.slice(level.length + 1));

describe('the pages of the findings', () => {
  test('there is one for each code, an index, and nothing else', () => {
    expect(readdirSync(PAGES).toSorted()).toEqual([INDEX, ...codes.map((code) => `${code}.md`)].toSorted());
  });

  for (const code of codes) {
    test(`${code}: has its code as title, every section in order and with text, and at most ${MAX_LINES} lines`, () => {
      const lines = linesOf(`${code}.md`);
      // A comment in a command is no title.
      const prose = lines
        .join('\n')
        .replace(/^```[\s\S]*?^```$/gm, '')
        .split('\n');
      expect(lines[0]).toEqual(`# ${code}`);
      expect(headings(prose, '#')).toEqual([code]);
      expect(headings(prose, '##')).toEqual(SECTIONS);
      expect(lines.filter((line, at) => line.startsWith('## ') && !lines[at + 1])).toEqual([]);
      expect(lines.length).toBeLessThanOrEqual(MAX_LINES);
    });
  }

  test('the index has a row for each code, in the order of the vocabulary, with its severity and whether irsa-operator fixes it', () => {
    const rows = linesOf(INDEX).flatMap((line) => {
      const [, code, page, severity, fixed] = /^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \| \S.* \| (.+) \|$/.exec(line) ?? [];
      return code === undefined ? [] : [{ code, page, severity, fixed }];
    });
    expect(rows).toEqual(codes.map((code) => ({ code, page: code, severity: FINDINGS[code], fixed: FIXED_BY_OPERATOR[code] })));
  });

  test('the group titles of the index are those of the vocabulary', () => {
    const source = readFileSync(fileURLToPath(new URL('finding.ts', import.meta.url)), 'utf8');
    expect(headings(linesOf(INDEX), '##')).toEqual([...source.matchAll(/^ {2}\/\/ (.*)$/gm)].map(([, title]) => title));
  });

  test('they link only to pages that exist', () => {
    const names = new Set(readdirSync(PAGES));
    const broken = [...names].flatMap((name) => {
      const links = [
        ...linesOf(name)
          .join('\n')
          .matchAll(/\]\((\w+\.md)\)/g),
      ].map(([, link = '']) => link);
      return links.filter((link) => !names.has(link)).map((link) => `${name} -> ${link}`);
    });
    expect(broken).toEqual([]);
  });

  test('they quote diagnoses of trust policies word for word, as the corpus records them', () => {
    const recorded = new Set(readdirSync(CORPUS).flatMap((name) => messagesIn(readFileSync(`${CORPUS}${name}`, 'utf8'))));
    const quoted = codes.flatMap((code) => linesOf(`${code}.md`).filter((line) => line.startsWith('trust policy of ')));
    expect(quoted.length).toBeGreaterThan(0);
    expect(quoted.filter((line) => !recorded.has(line))).toEqual([]);
  });

  test('they quote every other message word for word, as the code says it', () => {
    const parts = globSync('src/**/*.ts', { exclude: (path) => /\.test\.ts$/.test(path) })
      .flatMap((file) => literalsOf(readFileSync(file, 'utf8')))
      .toSorted((a, b) => b.length - a.length);
    const foreign = codes.flatMap((code) =>
      quotedIn(code).flatMap((line) => {
        const rest = [...KUBERNETES, ...parts].reduce((left, part) => left.replaceAll(part, '|'), line);
        return /[a-z]{3,} [a-z]{2,}/.test(rest.replaceAll(/"[^"]*"|\S*[/:\d]\S*/g, '|')) ? [`${code}: ${rest}`] : [];
      }),
    );
    expect(foreign).toEqual([]);
  });
});

/** What the API server says, and the code quotes. */
const KUBERNETES = [
  "Cannot evict pod as it would violate the pod's disruption budget",
  'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support',
  'cannot patch resource "deployments" in API group "apps" in the namespace "kube-system"',
  'PATCH /apis/apps/v1/namespaces/kube-system/deployments/aws-load-balancer-controller',
];

/** The first block of a page: what a person sees. */
function quotedIn(code: FindingCode): string[] {
  const [, block = ''] = linesOf(`${code}.md`).join('\n').split('```');
  return block.split('\n').filter((line) => !line.startsWith('trust policy of '));
}

function literalsOf(source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateLiteralToken(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest));
  return found.filter((text) => text.trim().length > 6);
}

function messagesIn(text: string): string[] {
  const { findings = [], plan } = JSON.parse(text) as Record<'findings', { message: string }[]> & {
    plan?: { findings: { message: string }[] };
  };
  return [...findings, ...(plan?.findings ?? [])].map(({ message }) => message);
}
