import { expect, test } from 'vitest';
import { problem } from '../../api/problem.ts';
import { ARN, grant, loss, OTHER_ARN } from '../test-observed.ts';
import { type Evidence, evidenceOf, type LastLook } from './evidence.ts';
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

const cases: Record<string, { loss?: Partial<Loss>; look?: Partial<LastLook>; says: Evidence }> = {
  'the grant that covered it is in no list': { loss: { by }, says: 'lost' },
  'the grant is still there and covers it': { loss: { by }, look: { grants: [grant()] }, says: 'covered' },
  'another grant covers it': { loss: { by }, look: { grants: [{ ...grant(), name: 'other', uid: 'grant-new' }] }, says: 'covered' },
  'it was narrowed, by its generation': { loss: { by }, look: { grants: [narrowed(2)] }, says: 'lost' },
  'it reads narrower without having changed: another CRD reads it': { loss: { by }, look: { grants: [narrowed(1)] }, says: 'unknown' },
  'it reads narrower and is older than it was': { loss: { by }, look: { grants: [narrowed(0)] }, says: 'unknown' },
  'it changed and cannot be read': {
    loss: { by },
    look: { grants: [{ ...grant(), generation: 2, spec: problem('x') }] },
    says: 'unknown',
  },
  'a grant that never covered it cannot be read': { loss: { by }, look: { grants: [unreadable] }, says: 'lost' },
  'of two that covered it one is gone and one was narrowed': {
    loss: { by: seenTwo },
    look: { grants: [{ ...narrowed(4), uid: 'grant-other' }] },
    says: 'lost',
  },
  'of two that covered it one is gone and one reads otherwise': {
    loss: { by: seenTwo },
    look: { grants: [{ ...narrowed(3), uid: 'grant-other' }] },
    says: 'unknown',
  },
  'the label of the namespace went': { loss: { by, cause: 'labelOrTag' }, look: { grants: [selecting] }, says: 'lost' },
  'the label is there after all': {
    loss: { by, cause: 'labelOrTag' },
    look: { grants: [selecting], namespace: { name: 'shop', labels: { team: 'a' } } },
    says: 'covered',
  },
  'the namespace is away, and with it its labels': {
    loss: { by, cause: 'labelOrTag' },
    look: { grants: [selecting], namespace: undefined },
    says: 'unknown',
  },
  'the namespace is away, and a grant names it': { loss: { by }, look: { grants: [grant()], namespace: undefined }, says: 'covered' },
  'the namespace is away, and so is the grant': { loss: { by }, look: { namespace: undefined }, says: 'lost' },
  'the tag of the role went': { loss: { by, cause: 'labelOrTag' }, look: { grants: [asking] }, says: 'lost' },
  'the tag is there after all': {
    loss: { by, cause: 'labelOrTag' },
    look: { grants: [asking], roleTags: new Map([['owner', 'shop']]) },
    says: 'covered',
  },
  'which grant it was is not known, and none covers it': { look: { grants: [narrowed(1)] }, says: 'lost' },
  'one cannot be read, and another covers it': { look: { grants: [unreadable, grant()] }, says: 'covered' },
  'the namespace is away: one grant selects by label, and another names it': {
    look: { grants: [{ ...selecting, uid: 'grant-other' }, grant()], namespace: undefined },
    says: 'covered',
  },
  'which grant it was is not known, and one cannot be read': { look: { grants: [unreadable] }, says: 'unknown' },
  'the CRD of the grants is being deleted': { loss: { by }, look: { definition: undefined }, says: 'unknown' },
  'the CRD of the grants was made again': { loss: { by }, look: { definition: 'made-again' }, says: 'unknown' },
  'the CRD was made again, and nobody saw a grant': { loss: { cause: 'unseen' }, look: { definition: 'made-again' }, says: 'lost' },
  'the subject is that of no ServiceAccount': {
    loss: { subject: 'repo:a/b', cause: 'unseen' },
    look: { grants: [grant()] },
    says: 'lost',
  },
  'it is about the role in which it stands': { look: { grants: [grant({ roleArns: [`${ARN}2`] })] }, says: 'lost' },
};
// Contract: rule-loss-evidence
for (const [sentence, { loss: part, look: seen, says }] of Object.entries(cases))
  test(`the entry is ${says}: ${sentence}`, () => expect(evidenceOf(loss(part), look(seen))).toBe(says));
