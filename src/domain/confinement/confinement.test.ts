import { expect, test } from 'vitest';
import { type Answer, judge } from './confinement.ts';

const POLICY = 'irsa-operator-bindings';
const accepted: Answer = { kind: 'accepted' };
const refused = (...policies: string[]): Answer => ({ kind: 'refused', policies, message: 'It said no.' });
const unconfined = (why: string) => ({ kind: 'unconfined', why });
const NOT_BY_IT = unconfined('a dry run that this policy forbids was refused, but not by this policy. It said no.');

const cases: Record<string, { forbidden: Answer; needed?: Answer; found: object }> = {
  'confines what it refuses, where it accepts what is needed': { forbidden: refused(POLICY), found: { kind: 'confined' } },
  'confines under a name with a prefix and a suffix': { forbidden: refused(`acme-${POLICY}-2`), found: { kind: 'confined' } },
  'does not confine where nothing is refused': {
    forbidden: accepted,
    found: unconfined('the API server accepted a dry run that this policy forbids'),
  },
  'is not proved by a refusal that names no policy, as those of RBAC': { forbidden: refused(), found: NOT_BY_IT },
  'is not proved by the refusal of another policy': { forbidden: refused('irsa-operator-workloads', 'theirs'), found: NOT_BY_IT },
  'does not confine where what is needed is refused too': {
    forbidden: refused(POLICY),
    needed: refused(POLICY),
    found: unconfined('a dry run that irsa-operator needs was refused. It said no.'),
  },
};
for (const [sentence, { forbidden, needed = accepted, found }] of Object.entries(cases)) {
  // Contract: confined-proved
  test(`a policy ${sentence}`, () => expect(judge(POLICY, { forbidden, needed })).toEqual(found));
}
