import { describe, expect, test } from 'vitest';
import { finding } from '../../../api/finding.ts';
import { printable } from '../../output.ts';
import { accepting, checked, failing, HOSTILE, reportOf } from '../test-checked.ts';
import { github } from './github.ts';

const lines = (...args: Parameters<typeof reportOf>) => github(reportOf(...args)).split('\n');
const places = { Annotation: { file: './deploy/app.yaml', line: 8, column: 7 } };
const broken = checked({ Annotation: failing('AnnotationMalformed', 'it is "x", and wanted is an ARN') }, { places });

/** As the runner reads a line: undefined where it is no command. */
function commandIn(line: string) {
  const [, name, properties = '', data = ''] = /^\s*::([^ :]+)(?: ([^:]*))?::(.*)$/.exec(line) ?? [];
  if (name === undefined) return undefined;
  const decoded = (text: string) => decodeURIComponent(text.replace(/%(?!25|0D|0A|3A|2C)/g, '%25'));
  const pairs = properties.split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), decoded(pair.slice(pair.indexOf('=') + 1))]);
  return { name, properties: Object.fromEntries(pairs), message: decoded(data) };
}

describe('a workflow command', () => {
  test('has the place in the file, the code, and the sentence', () =>
    expect(lines([broken])).toEqual([
      '::error file=deploy/app.yaml,line=8,col=7,title=AnnotationMalformed%3A shop/app::it is "x", and wanted is an ARN',
      '',
    ]));
  test('of a cluster has no place', () =>
    expect(lines([{ ...broken, places: {} }])[0]).toBe('::error title=AnnotationMalformed%3A shop/app::it is "x", and wanted is an ARN'));

  const note = checked({}, { notes: [finding('TrustOverPermissive', 'it allows all')] });
  const unread = checked({ Pods: { state: 'unread', text: 'not read: forbidden' } });
  const rows: Record<string, [line: string | undefined, wanted: string]> = {
    'of a note is a warning': [lines([note])[0], '::warning title=TrustOverPermissive%3A shop/app::it allows all'],
    'of a note that does not count is a notice': [
      lines([note], { failOn: 'Error' })[0],
      '::notice title=TrustOverPermissive%3A shop/app::it allows all',
    ],
    'of what is ignored is a notice, with the reason': [
      lines([accepting(broken, { by: 'ignore', reason: '100% known' })])[0],
      '::notice file=deploy/app.yaml,line=8,col=7,title=AnnotationMalformed%3A shop/app::it is "x", and wanted is an ARN (ignored: 100%25 known)',
    ],
    'of what is known is a notice': [
      lines([accepting({ ...broken, places: {} }, { by: 'baseline' })])[0],
      '::notice title=AnnotationMalformed%3A shop/app::it is "x", and wanted is an ARN (known: it is in the baseline)',
    ],
    'of what was not read is a warning': [lines([unread])[0], '::warning title=Not checked%3A shop/app::Pods: not read: forbidden'],
  };
  for (const [sentence, [line, wanted]] of Object.entries(rows)) test(sentence, () => expect(line).toBe(wanted));
});

test('a file keeps the letters of its name, and its place in them', () => {
  const of = { ...broken, places: { Annotation: { file: 'süd/a, b: 100%.yaml', line: 1, column: 2 } } };
  expect(lines([of])[0]).toMatch(/^::error file=süd\/a%2C b%3A 100%25\.yaml,line=1,col=2,/);
});

test('what works writes nothing', () => expect(github(reportOf([checked()]))).toBe(''));

for (const [at, text] of HOSTILE.entries())
  test(`text that means harm (${at + 1}) begins no command, and ends none`, () => {
    const steps = { Webhook: failing('WebhookMissing', text), Pods: { state: 'unread' as const, text } };
    const of = checked(steps, { namespace: text, name: text, places: { Webhook: { file: `${text}%0A`, line: 1, column: 2 } } });
    const [first = '', second = '', ...rest] = lines([of]);
    expect(rest).toEqual(['']);
    expect(first + second).not.toMatch(/\p{C}|\p{Zl}/u);
    const shown = (value: string) => value.replace(/[^\x20-\x7e]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
    const { name, properties = {}, message = '' } = commandIn(first) ?? {};
    expect([name, properties['line'], properties['col']]).toEqual(['error', '1', '2']);
    // GitHub takes no longer ones.
    const most = (value: string, longest: number) => (value.length <= longest ? value : `${value.slice(0, longest - 3)}...`);
    expect(message).toBe(most(shown(text), 65_536));
    expect(properties['title']).toBe(most(`WebhookMissing: ${shown(text)}/${shown(text)}`, 255));
    expect(properties['file']).toBe(printable(`${text}%0A`));
    expect(commandIn(second)?.name).toBe('warning');
  });
