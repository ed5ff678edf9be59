import { expect, test } from 'vitest';
import { problem } from '../../api/problem.ts';
import { ARN, grant, loss, OTHER_ARN } from '../test-observed.ts';
import { isEvident, type LastLook } from './evidence.ts';
import type { Loss } from './loss.ts';

const shop = { name: 'shop', labels: {} };
const look = (part: Partial<LastLook> = {}): LastLook => ({
  grants: [],
  namespace: shop,
  definition: 'definition',
  roleTags: new Map(),
  ...part,
});
const by = [{ uid: 'grant-platform', generation: 1 }];
const unreadable = { ...grant(), uid: 'grant-other', spec: problem('spec.roleArns: it is empty') };
const narrowed = (generation: number) => ({ ...grant({ roleArns: [OTHER_ARN] }), generation });
const selecting = grant({ namespaces: { selector: { matchLabels: { team: 'a' } } } });
const asking = grant({ requiredRoleTags: { owner: 'shop' } });
const seenTwo = [...by, { uid: 'grant-other', generation: 3 }];

const cases: Record<string, { loss?: Partial<Loss>; look?: Partial<LastLook>; evident: boolean }> = {
  'the grant that covered it is in no list': { loss: { by }, evident: true },
  'the grant is still there and covers it': { loss: { by }, look: { grants: [grant()] }, evident: false },
  'another grant covers it': { loss: { by }, look: { grants: [{ ...grant(), name: 'other', uid: 'grant-new' }] }, evident: false },
  'it was narrowed, by its generation': { loss: { by }, look: { grants: [narrowed(2)] }, evident: true },
  'it reads narrower without having changed: another CRD reads it': { loss: { by }, look: { grants: [narrowed(1)] }, evident: false },
  'it reads narrower and is older than it was': { loss: { by }, look: { grants: [narrowed(0)] }, evident: false },
  'it changed and cannot be read': {
    loss: { by },
    look: { grants: [{ ...grant(), generation: 2, spec: problem('x') }] },
    evident: false,
  },
  'a grant that never covered it cannot be read': { loss: { by }, look: { grants: [unreadable] }, evident: true },
  'of two that covered it one is gone and one was narrowed': {
    loss: { by: seenTwo },
    look: { grants: [{ ...narrowed(4), uid: 'grant-other' }] },
    evident: true,
  },
  'of two that covered it one is gone and one reads otherwise': {
    loss: { by: seenTwo },
    look: { grants: [{ ...narrowed(3), uid: 'grant-other' }] },
    evident: false,
  },
  'the label of the namespace went': { loss: { by, cause: 'labelOrTag' }, look: { grants: [selecting] }, evident: true },
  'the label is there after all': {
    loss: { by, cause: 'labelOrTag' },
    look: { grants: [selecting], namespace: { name: 'shop', labels: { team: 'a' } } },
    evident: false,
  },
  'the namespace is away, and with it its labels': {
    loss: { by, cause: 'labelOrTag' },
    look: { grants: [selecting], namespace: undefined },
    evident: false,
  },
  'the namespace is away, and a grant names it': { loss: { by }, look: { grants: [grant()], namespace: undefined }, evident: false },
  'the namespace is away, and so is the grant': { loss: { by }, look: { namespace: undefined }, evident: true },
  'the tag of the role went': { loss: { by, cause: 'labelOrTag' }, look: { grants: [asking] }, evident: true },
  'the tag is there after all': {
    loss: { by, cause: 'labelOrTag' },
    look: { grants: [asking], roleTags: new Map([['owner', 'shop']]) },
    evident: false,
  },
  'which grant it was is not known, and none covers it': { look: { grants: [narrowed(1)] }, evident: true },
  'which grant it was is not known, and one cannot be read': { look: { grants: [unreadable] }, evident: false },
  'the CRD of the grants is being deleted': { loss: { by }, look: { definition: undefined }, evident: false },
  'the CRD of the grants was made again': { loss: { by }, look: { definition: 'made-again' }, evident: false },
  'the CRD was made again, and nobody saw a grant': { loss: { cause: 'unseen' }, look: { definition: 'made-again' }, evident: true },
  'the subject is that of no ServiceAccount': {
    loss: { subject: 'repo:a/b', cause: 'unseen' },
    look: { grants: [grant()] },
    evident: true,
  },
  'it is about the role in which it stands': { look: { grants: [grant({ roleArns: [`${ARN}2`] })] }, evident: true },
};
// Contract: rule-loss-evidence
for (const [sentence, { loss: part, look: seen, evident }] of Object.entries(cases))
  test(`${evident ? 'a loss is evident' : 'a loss is not evident'}: ${sentence}`, () =>
    expect(isEvident(loss(part), look(seen))).toBe(evident));
