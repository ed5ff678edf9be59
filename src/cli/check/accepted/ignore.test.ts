import { describe, expect, test } from 'vitest';
import { parseIgnoreFile } from './ignore.ts';

test('an entry has a code and a reason, for one ServiceAccount, one namespace, or any, and may expire', () => {
  const text = `# moved in spring
- code: WebhookMissing
  reason: no pod needs it
- code: TrustOverPermissive
  namespace: shop
  serviceAccount: app
  reason: |
    it is being split
    by team a
  expires: 2026-12-31
`;
  expect(parseIgnoreFile(text)).toEqual([
    { code: 'WebhookMissing', reason: 'no pod needs it', line: 2 },
    {
      code: 'TrustOverPermissive',
      namespace: 'shop',
      serviceAccount: 'app',
      reason: 'it is being split by team a',
      expires: '2026-12-31',
      line: 4,
    },
  ]);
});

const empty: Record<string, string> = { 'a file of nothing': '', 'a file of comments': '# - code: x\n', 'an empty list': '[]\n' };
for (const [sentence, text] of Object.entries(empty)) test(`${sentence} ignores nothing`, () => expect(parseIgnoreFile(text)).toEqual([]));

describe('what is wrong is said in one sentence, with its line:', () => {
  const first = '- code: WebhookMissing\n  reason: x\n';
  const rows: Record<string, [text: string, says: string]> = {
    'a mapping': ['code: WebhookMissing\nreason: x', 'line 1: wanted is a list of entries, each with "code" and "reason"'],
    'a word': [`${first}- WebhookMissing`, 'line 3: "WebhookMissing" is no entry. Wanted are "code" and "reason"'],
    'a list in the list': [`${first}- []`, 'line 3: "[]" is no entry. Wanted are "code" and "reason"'],
    'an empty entry': [`${first}-`, 'line 3: "null" is no entry. Wanted are "code" and "reason"'],
    'no code': [`${first}- reason: x`, 'line 3: "code" is missing. Write the code of the finding'],
    'a misspelt code': [
      `${first}- reason: x\n  code: TrustSubjectWhitspace`,
      'line 4: "TrustSubjectWhitspace" is not the code of a finding. Is "TrustSubjectWhitespace" meant?',
    ],
    'a code that is near none': ['- code: Everything\n  reason: x', 'line 1: "Everything" is not the code of a finding.'],
    'a code that every object has': ['- code: constructor\n  reason: x', 'line 1: "constructor" is not the code of a finding.'],
    'no reason': ['- code: WebhookMissing', 'line 1: "reason" is missing. Write why "WebhookMissing" is ignored'],
    'an empty reason': ['- code: WebhookMissing\n  reason: " "', 'line 2: "reason" is " ", and wanted is a text'],
    'a namespace that is not written, which would be any': [
      '- code: WebhookMissing\n  reason: x\n  namespace:',
      'line 3: "namespace" is "null", and wanted is a text',
    ],
    'a number': ['- code: WebhookMissing\n  reason: 7', 'line 2: "reason" is "7", and wanted is a text'],
    'a star': ['- code: WebhookMissing\n  reason: x\n  namespace: "*"', 'line 3: "namespace" is "*". For any, leave it out'],
    'a part of a name': [
      '- code: WebhookMissing\n  reason: x\n  serviceAccount: app-*',
      'line 3: "serviceAccount" is "app-*". For any, leave it out',
    ],
    'a field that there is not': [
      '- code: WebhookMissing\n  until: x',
      'line 2: "until" is no field of an entry. Wanted is one of code, namespace, serviceAccount, reason, expires',
    ],
    'a date in another form': [
      '- code: WebhookMissing\n  reason: x\n  expires: 31.12.2026',
      'line 3: "expires" is "31.12.2026", and wanted is a date as "2026-12-31"',
    ],
    'a day that is none': [
      '- code: WebhookMissing\n  reason: x\n  expires: 2026-02-30',
      'line 3: "expires" is "2026-02-30", and wanted is a date as "2026-12-31"',
    ],
    'a field twice': ['- code: a\n  code: b', 'line 2: not YAML: Map keys must be unique'],
    'what is no YAML': ['- code: "x', 'line 1: not YAML: Missing closing "quote'],
    'a second document': [`${first}---\n${first}`, 'line 3: a second document begins here. Wanted is one list'],
  };
  for (const [sentence, [text, says]] of Object.entries(rows))
    test(sentence, () => expect(parseIgnoreFile(text)).toEqual({ problem: says }));
});

describe('a file that means harm', () => {
  test('with aliases of aliases is refused before they are multiplied', () => {
    const level = (at: number) => `- &l${at} [${Array.from({ length: 10 }, () => `*l${at - 1}`).join()}]\n`;
    const bomb = `- &l0 [x]\n${Array.from({ length: 9 }, (_, at) => level(at + 1)).join('')}`;
    expect(parseIgnoreFile(bomb)).toEqual({ problem: expect.stringMatching(/^line 1: not YAML: Excessive alias count/) });
  });
  test('with a word of a megabyte is answered with the beginning of it', () => {
    for (const text of [
      `- code: ${'x'.repeat(1_000_000)}\n  reason: x`,
      `- ${'x'.repeat(1_000_000)}`,
      `- {? ${'x'.repeat(1_000_000)} : y}`,
      `- code: WebhookMissing\n  reason: x\n  expires: ${'2'.repeat(1_000_000)}`,
    ])
      expect((parseIgnoreFile(text) as { problem: string }).problem.length).toBeLessThan(200);
  });
  test('with keys of every object is refused', () => {
    for (const key of ['__proto__', 'constructor', 'toString'])
      expect(parseIgnoreFile(`- ${key}: x`)).toEqual({ problem: expect.stringContaining(`"${key}" is no field of an entry`) });
  });
});
