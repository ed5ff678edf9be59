import { expect, test } from 'vitest';
import { finding } from '../../../api/finding.ts';
import { print } from '../print.ts';
import { accepting, checked, failing, reportOf } from '../test-checked.ts';
import { where } from '../test-ports.ts';
import type { Checked } from '../text.ts';
import { parseBaseline } from './baseline.ts';

const written = (...all: readonly Checked[]) => print(reportOf(all), 'json', where, { width: 100, colour: false }, '1.2.3');
const broken = checked({ Webhook: failing('WebhookMissing', 'x') }, { notes: [finding('TrustOverPermissive', 'y')] });

test('every finding of an earlier report is known, those of steps and notes', () =>
  expect(parseBaseline(written(broken, checked({}, { name: 'b' })))).toEqual([
    { namespace: 'shop', serviceAccount: 'app', code: 'WebhookMissing' },
    { namespace: 'shop', serviceAccount: 'app', code: 'TrustOverPermissive' },
  ]));
test('what the baseline had before stays known', () =>
  expect(parseBaseline(written(accepting(broken, { by: 'baseline' })))).toHaveLength(2));
test('what was ignored is not known: an entry that expires must count again', () =>
  expect(parseBaseline(written(accepting(broken, { by: 'ignore', reason: 'x' })))).toEqual([]));
test('a report of another version is read, whatever members and codes it has', () => {
  const steps = [{ step: 'Other', findings: [{ code: 'NoMore', also: 1 }], also: 1 }];
  const report = { results: [{ namespace: 'a', serviceAccount: 'b', steps, notes: [], also: 1 }], also: 1 };
  expect(parseBaseline(JSON.stringify(report))).toEqual([{ namespace: 'a', serviceAccount: 'b', code: 'NoMore' }]);
});

const refused: Record<string, [text: string, says: string]> = {
  'an empty file': ['', 'not JSON. Wanted is a report of "check -o json"'],
  YAML: ['results: []', 'not JSON. Wanted is a report of "check -o json"'],
  'another document': ['{"runs": []}', 'not a report of "check -o json". "results": Invalid input: expected array, received undefined'],
  'no object': ['null', 'not a report of "check -o json". Invalid input: expected object, received null'],
  'a result without a name': [
    '{"results": [{"namespace": "a", "steps": [], "notes": []}]}',
    'not a report of "check -o json". "results.0.serviceAccount": Invalid input: expected string, received undefined',
  ],
};
for (const [sentence, [text, says]] of Object.entries(refused))
  test(`${sentence} is refused: ${says}`, () => expect(parseBaseline(text)).toEqual({ problem: says }));
