import { describe, expect, test } from 'vitest';
import { finding } from '../../../api/finding.ts';
import type { Target } from '../target.ts';
import { checked, failing } from '../test-checked.ts';
import type { Checked } from '../text.ts';
import type { KnownFinding } from './baseline.ts';
import type { IgnoreEntry } from './ignore.ts';
import { acceptedBy, type Lists, remarksOn } from './lists.ts';

const TODAY = '2026-06-15';
const entry = (part: Partial<IgnoreEntry> = {}): IgnoreEntry => ({
  code: 'WebhookMissing',
  reason: 'because',
  expires: undefined,
  line: 3,
  ...part,
});
const known = (part: Partial<KnownFinding> = {}): KnownFinding => ({
  namespace: 'shop',
  serviceAccount: 'app',
  code: 'WebhookMissing',
  ...part,
});
const ignoring = (...entries: readonly IgnoreEntry[]): Lists => ({ ignore: { file: 'i.yaml', entries }, baseline: undefined });
const knowing = (...findings: readonly KnownFinding[]): Lists => ({ ignore: undefined, baseline: { file: 'b.json', findings } });

// Contract: check-accepted
describe('a finding is accepted', () => {
  const app = { namespace: 'shop', name: 'app' };
  const by = (lists: Lists) => acceptedBy(lists, TODAY)(app, 'WebhookMissing')?.by;
  const rows: Record<string, [lists: Lists, by: 'ignore' | 'baseline' | undefined]> = {
    'by an entry of its code': [ignoring(entry()), 'ignore'],
    'by an entry of its namespace': [ignoring(entry({ namespace: 'shop' })), 'ignore'],
    'by an entry of its ServiceAccount in any namespace': [ignoring(entry({ serviceAccount: 'app' })), 'ignore'],
    'by the one of several entries that means it': [ignoring(entry({ namespace: 'x' }), entry({ namespace: 'shop' })), 'ignore'],
    'not by an entry of another code': [ignoring(entry({ code: 'WebhookNotSelecting' })), undefined],
    'not by an entry of another namespace': [ignoring(entry({ namespace: 'shops' })), undefined],
    'not by an entry of another ServiceAccount': [ignoring(entry({ namespace: 'shop', serviceAccount: 'ap' })), undefined],
    'on the last day of an entry': [ignoring(entry({ expires: TODAY })), 'ignore'],
    'not on the day after': [ignoring(entry({ expires: '2026-06-14' })), undefined],
    'by a baseline that has it': [knowing(known()), 'baseline'],
    'not by a baseline that has it for another ServiceAccount': [knowing(known({ serviceAccount: 'b' })), undefined],
    'not by a baseline that has another code of it': [knowing(known({ code: 'RoleNotFound' })), undefined],
    'by its entry, where both have it: that says why': [{ ...knowing(known()), ...{ ignore: ignoring(entry()).ignore } }, 'ignore'],
    'by nothing, where there is no list': [{ ignore: undefined, baseline: undefined }, undefined],
  };
  for (const [sentence, [lists, wanted]] of Object.entries(rows)) test(sentence, () => expect(by(lists)).toBe(wanted));

  test('names with the marks of others are no other names', () => {
    const lists = knowing(known({ namespace: 'a","b', serviceAccount: 'c' }), known({ namespace: 'a/b', serviceAccount: 'c' }));
    expect(acceptedBy(lists, TODAY)({ namespace: 'a', name: 'b","c' }, 'WebhookMissing')).toBeUndefined();
    expect(acceptedBy(lists, TODAY)({ namespace: 'a', name: 'b/c' }, 'WebhookMissing')).toBeUndefined();
  });
});

// Contract: check-accepted
describe('of the lists themselves', () => {
  const all: Target = { kind: 'all', namespace: undefined };
  const shop: Target = { kind: 'all', namespace: 'shop' };
  const labelled: Target = { ...shop, selector: 'team=shop' };
  const app: Target = { kind: 'serviceAccount', of: { namespace: 'shop', name: 'app' } };
  const right = checked();
  const broken = checked({ Webhook: failing('WebhookMissing', 'x') });
  const unread = checked({ Webhook: { state: 'unread', text: 'not read: x' } });
  const UNUSED = /^--ignore: "i\.yaml", line 3: WebhookMissing.*: there is no such finding\. Remove the entry$/;
  const ABSENT = /^--baseline: "b\.json": not found any more: WebhookMissing of shop\/app$/;
  const nowhere = known({ namespace: 'gone', serviceAccount: 'old' });

  const rows: Record<string, [lists: Lists, target: Target, all: readonly Checked[], says: readonly RegExp[]]> = {
    'an entry with a finding needs no word': [ignoring(entry()), all, [right, broken], []],
    'an entry with a note needs no word': [ignoring(entry()), all, [checked({}, { notes: [finding('WebhookMissing', 'x')] })], []],
    'an entry without a finding is told': [ignoring(entry()), all, [right], [UNUSED]],
    'each entry is told for itself': [ignoring(entry(), entry({ namespace: 'shop' })), all, [right], [UNUSED, UNUSED]],
    'an entry whose finding another ServiceAccount has is told': [ignoring(entry({ serviceAccount: 'b' })), all, [broken], [UNUSED]],
    'an entry for more than what was checked may have its finding elsewhere': [ignoring(entry()), shop, [right], []],
    'an entry for another namespace than the one that was checked is not told': [ignoring(entry({ namespace: 'b' })), shop, [right], []],
    'an entry for the namespace that was checked is told': [ignoring(entry({ namespace: 'shop' })), shop, [right], [UNUSED]],
    'an entry is not told where labels chose what was checked': [ignoring(entry({ namespace: 'shop' })), labelled, [right], []],
    'a known finding is not told where labels chose what was checked': [knowing(known()), labelled, [], []],
    'an entry for the one ServiceAccount that was checked is told': [
      ignoring(entry({ namespace: 'shop', serviceAccount: 'app' })),
      app,
      [right],
      [UNUSED],
    ],
    'an entry whose finding may be in what was not read is not told': [ignoring(entry()), all, [right, unread], []],
    'an entry is told although another ServiceAccount was not read': [
      ignoring(entry({ namespace: 'shop', serviceAccount: 'b' })),
      all,
      [unread, checked({}, { name: 'b' })],
      [UNUSED],
    ],
    'an entry that expired is told once, whether it has a finding or not': [
      ignoring(entry({ expires: '2026-06-14' })),
      app,
      [right],
      [/^--ignore: "i\.yaml", line 3: WebhookMissing: it expired on 2026-06-14, so the finding counts$/],
    ],
    'a known finding that is there needs no word': [knowing(known()), all, [broken], []],
    'a known finding that is there no more is told': [knowing(known()), all, [right], [ABSENT]],
    'a known finding of a ServiceAccount that is there no more is told': [
      knowing(nowhere),
      all,
      [],
      [/: not found any more: WebhookMissing of gone\/old$/],
    ],
    'a known finding of what was not checked is not told': [knowing(nowhere), shop, [right], []],
    'a known finding of what was not read is not told': [knowing(known()), all, [unread], []],
    'many known findings are one line, with the names of some': [
      knowing(...Array.from({ length: 7 }, (_, at) => known({ serviceAccount: `a${at}` }))),
      all,
      [],
      [/: WebhookMissing of shop\/a0, (?:[^,]+, ){3}WebhookMissing of shop\/a4 and 2 more$/],
    ],
  };
  for (const [sentence, [lists, target, found, says]] of Object.entries(rows))
    test(sentence, () => expect(remarksOn(lists, TODAY, target, found)).toEqual(says.map((one) => expect.stringMatching(one))));
});
