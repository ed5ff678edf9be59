import { describe, expect, test } from 'vitest';
import { bindingStatus, MAX_FINDINGS, MAX_PLAN, MAX_ROLES } from '../../api/binding.ts';
import { MAX_MESSAGE } from '../../api/condition.ts';
import { cut } from '../../api/cut.ts';
import { finding } from '../../api/finding.ts';
import { problem } from '../../api/problem.ts';
import { planBinding } from '../binding/plan.ts';
import type { Verdict } from '../state/verdict.ts';
import { ARN, allowed, arn, binding, entry, observed } from '../test-observed.ts';

const endless = Array.from({ length: 3 * MAX_FINDINGS }, (_, index) =>
  finding('TrustOverPermissive', `${index} ${'long '.repeat(MAX_MESSAGE)}`),
);
const [first = finding('TrustWrongAction', '')] = endless;
const refused: Verdict = {
  kind: 'refused',
  finding: first,
  findings: endless,
  size: undefined,
  terminal: true,
  mayStand: false,
  wouldWrite: 'long '.repeat(MAX_MESSAGE),
};
const manyRoles = Array.from({ length: MAX_ROLES }, (_, index) => entry(arn(`arn:aws:iam::111122223333:role/former-${index}`)));

const statuses: Record<string, Parameters<typeof observed>[0]> = {
  'of a refused policy': { verdicts: new Map([[ARN, refused]]) },
  'of an allowed policy': { verdicts: new Map([[ARN, { ...allowed, findings: endless }]]) },
  'of a plan': { binding: binding({ spec: { mode: 'Observe' } }), verdicts: new Map([[ARN, refused]]) },
  'of a deletion that waits': { binding: binding({ metadata: { deleting: true } }), verdicts: new Map([[ARN, refused]]) },
  'of a spec that cannot be read': { binding: { ...binding(), spec: problem('long '.repeat(10_000)) } },
  'of a binding that leaves as many roles as it may': { binding: binding({ status: { roles: manyRoles } }) },
};
describe('the API server takes the status', () => {
  for (const [sentence, part] of Object.entries(statuses)) {
    test(sentence, () => {
      const { status } = planBinding(observed(part));
      expect(bindingStatus.safeParse(status).error?.issues ?? []).toEqual([]);
      expect((status.findings ?? []).length).toBeLessThanOrEqual(MAX_FINDINGS);
      expect((status.plan ?? []).length).toBeLessThanOrEqual(MAX_PLAN);
    });
  }

  test('a role that is being left is not forgotten for a new one', () =>
    expect(planBinding(observed({ binding: binding({ status: { roles: manyRoles } }) })).status.roles).toEqual(manyRoles));
});

const cuts: Record<string, [string, string]> = {
  'what fits stays': ['12345', '12345'],
  'what does not ends with a sign': ['123456', '1234…'],
  'half a character becomes a sign of its own, as the API server would make it': ['a\ud83d', 'a\ufffd'],
  'a cut through a character leaves no half of it': ['123\ud83d\ude00456', '123\ufffd…'],
};
describe('a text of at most five characters', () => {
  for (const [sentence, [given, expected]] of Object.entries(cuts)) test(sentence, () => expect(cut(given, 5)).toBe(expected));
});
