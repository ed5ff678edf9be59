import { describe, expect, test } from 'vitest';
import { FINDINGS } from '../../api/finding.ts';
import { scanInData, scanInText } from './log-report.ts';
import { pageInText } from './page.ts';
import { findingPages, indexOf } from './pages.ts';
import { scanLog } from './scan.ts';

const plain = { width: 60, colour: false };
const pages = findingPages();

describe('a page in the terminal', () => {
  // Contract: explain-pages
  test('is there for each code, and the index has all of them', () => {
    const codes = Object.keys(FINDINGS);
    expect(codes.filter((code) => pages[code] === undefined)).toEqual([]);
    expect(indexOf(pages).flatMap(({ rows }) => rows.map(({ code, severity }) => [code, severity]))).toEqual(Object.entries(FINDINGS));
  });

  test('has prose that fits the width, and commands that are whole', () => {
    const text = pageInText('# A\n\none two [three](x.md) `four`\n```sh\naws iam get-role --role-name x --query y\n```\n', {
      ...plain,
      width: 14,
    });
    expect(text).toBe('A\n\none two three\n`four`\n  aws iam get-role --role-name x --query y\n');
  });

  test('shows titles in bold where there are colours', () =>
    expect(pageInText('## Why\nx', { ...plain, colour: true })).toBe('\u001b[1mWhy\u001b[0m\nx\n'));

  test('keeps every command of every page', () => {
    for (const page of Object.values(pages)) {
      const commands = [...page.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.trimEnd().split('\n'));
      const lines = pageInText(page, plain).split('\n');
      for (const command of commands) expect(lines).toContain(`  ${command}`);
    }
  });
});

async function* log(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

describe('what is behind a log', () => {
  test('is told with each candidate and what would tell it apart', async () => {
    const text = scanInText(await scanLog(log('x\nIncorrect token audience\nIncorrect token audience\n')), { ...plain, width: 200 });
    expect(text).toMatch(/^Incorrect token audience\n {2}2 times, line 2 to 3\n {2}The token is for an audience/);
    expect(text).toContain(
      '  OidcProviderAudienceMissing\n    aws iam get-open-id-connect-provider: sts.amazonaws.com is not in ClientIDList',
    );
  });

  test('is said to be nothing where AWS says nothing', async () =>
    expect(scanInText(await scanLog(log('x\n')), plain)).toBe('No sentence of AWS in 1 line.\n'));

  test('is the same for programs', async () =>
    expect(scanInData(await scanLog(log('2026-01-01T14:40:03Z Request ARN is invalid')))).toMatchObject({
      lines: 1,
      sentences: [
        {
          text: 'Request ARN is invalid',
          times: 1,
          first: { line: 1, time: '2026-01-01T14:40:03Z' },
          candidates: expect.arrayContaining([expect.objectContaining({ code: 'AnnotationMalformed', severity: 'Warning' })]),
        },
      ],
    }));
});
