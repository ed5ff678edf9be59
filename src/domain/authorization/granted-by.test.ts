import { describe, expect, test } from 'vitest';
import type { IrsaGrant } from '../../api/grant.ts';
import { namespace } from '../test-cluster.ts';
import { grant, spec } from '../test-observed.ts';
import { GrantIndex } from './grant-index.ts';
import { grantedBy } from './granted-by.ts';

/** `Authorized` names a grant: one that applies to this role, and no other. */
const free = named('z-free');
const asksA = named('a-asks', { requiredRoleTags: { owner: 'a' } });
const asksB = named('b-asks', { requiredRoleTags: { owner: 'b' } });
const conditional = 'granted by IrsaGrant "a-asks", if the role has the tags that it requires';

function named(name: string, part: object = {}): IrsaGrant {
  return { ...grant(part), name, uid: name };
}

const tagged = (owner: string) => new Map([['owner', owner]]);

const cases: Record<string, { grants: readonly IrsaGrant[]; tags?: ReadonlyMap<string, string>; before?: string; says: string }> = {
  'the only one': { grants: [free], says: 'granted by IrsaGrant "z-free"' },
  'the first of two that apply': { grants: [free, named('c-free')], says: 'granted by IrsaGrant "c-free"' },
  'one without tags, where the role lacks those of the first': {
    grants: [asksA, free],
    tags: tagged('other'),
    says: 'granted by IrsaGrant "z-free"',
  },
  'one without tags, where those of the role are not known': { grants: [asksA, free], says: 'granted by IrsaGrant "z-free"' },
  'one without tags, though the first applies too: a start of the operator changes nothing then': {
    grants: [asksA, free],
    tags: tagged('a'),
    says: 'granted by IrsaGrant "z-free"',
  },
  'the one whose tags the role has': { grants: [asksA, asksB], tags: tagged('b'), says: 'granted by IrsaGrant "b-asks"' },
  'none as certain, where the tags are not known': { grants: [asksA, asksB], says: conditional },
  'none as certain, where the role lacks the tags of each': { grants: [asksA, asksB], tags: tagged('c'), says: conditional },
  'the one of before, while the tags are not known after a start': {
    grants: [asksA, asksB],
    before: 'granted by IrsaGrant "b-asks"',
    says: 'granted by IrsaGrant "b-asks"',
  },
  'not the one of before, where it is gone': { grants: [asksA], before: 'granted by IrsaGrant "b-asks"', says: conditional },
  'not the one of before, where the role is known to lack its tags': {
    grants: [asksA, asksB],
    tags: tagged('a'),
    before: 'granted by IrsaGrant "b-asks"',
    says: 'granted by IrsaGrant "a-asks"',
  },
};
describe('Authorized names', () => {
  for (const [sentence, { grants, tags, before, says }] of Object.entries(cases))
    test(sentence, () => expect(grantedBy(new GrantIndex(grants).grantsFor(spec(), namespace()), tags, before)).toBe(says));
});
