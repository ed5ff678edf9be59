import { expect, test } from 'vitest';
import { earlierThan, type Installation } from './installation.ts';

const OURS = { namespace: 'platform', name: 'keeper' };
const ours = (createdAt: number, name = 'irsa-operator-status'): Installation => ({ serviceAccount: OURS, name, createdAt });
const theirs = (
  createdAt: number,
  name = 'acme-irsa-operator-status',
  serviceAccount = { namespace: 'acme', name: 'keeper' },
): Installation => ({
  serviceAccount,
  name,
  createdAt,
});

const cases: Record<string, { all: Installation[]; found: Installation | undefined }> = {
  'where no policy names any': { all: [], found: undefined },
  'where the policy names it alone': { all: [ours(1)], found: undefined },
  'before one that came later': { all: [theirs(2), ours(1)], found: undefined },
  'after one that was there before': { all: [ours(2), theirs(1)], found: theirs(1) },
  'where the policy names another one alone': { all: [theirs(9)], found: theirs(9) },
  'beside one with the same name of the ServiceAccount in another namespace': {
    all: [theirs(1, 'x', { namespace: 'other', name: 'keeper' }), ours(2)],
    found: theirs(1, 'x', { namespace: 'other', name: 'keeper' }),
  },
  'of two of the same second the one whose policy comes first by name': {
    all: [ours(1), theirs(1)],
    found: theirs(1),
  },
};
// Contract: install-second
for (const [sentence, { all, found }] of Object.entries(cases))
  test(`an installation ${sentence} ${found === undefined ? 'is the first' : 'is the second'}`, () =>
    expect(earlierThan(OURS, all)).toEqual(found));

test('of two, exactly one is the first, also when both come in the same second', () => {
  const both = [ours(1), theirs(1)];
  const first = both.filter(({ serviceAccount }) => earlierThan(serviceAccount, both) === undefined);
  expect(first).toHaveLength(1);
});
