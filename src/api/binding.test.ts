import { describe, expect, test } from 'vitest';
import { parseBindingSpec, parseBindingStatus } from './binding.ts';

const ROLE = 'arn:aws:iam::111122223333:role/app';
const least = { serviceAccountName: 'app', roleArn: ROLE };

describe('a spec', () => {
  // Contract: bad-old-object
  test('that was written before the CRD had a field gets its default', () =>
    expect(parseBindingSpec(least)).toEqual({
      ...least,
      mode: 'Enforce',
      audience: 'sts.amazonaws.com',
      trustPolicy: 'Managed',
      restart: { strategy: 'Evict', afterTrustRepair: 'Unready', maxUnavailable: 1 },
      deletionPolicy: 'Revoke',
      suspend: false,
      verification: 'Never',
    }));

  const expirations: Record<string, [unknown, boolean]> = {
    'the least': [600, true],
    'the most': [86_400, true],
    'less than the least': [599, false],
    'more than the most': [86_401, false],
    'a fraction': [3600.5, false],
    'a text': ['3600', false],
    nothing: [null, false],
  };
  for (const [sentence, [tokenExpirationSeconds, taken]] of Object.entries(expirations)) {
    test(`${taken ? 'may' : 'may not'} have ${sentence} as tokenExpirationSeconds`, () => {
      const parsed = parseBindingSpec({ ...least, tokenExpirationSeconds });
      expect('problem' in parsed ? parsed.problem.startsWith('spec.tokenExpirationSeconds: ') : 'taken').toBe(taken ? 'taken' : true);
    });
  }
  test('may say yes or no to regional endpoints, and nothing else', () => {
    const parsed = [true, false, 'true'].map((stsRegionalEndpoints) => parseBindingSpec({ ...least, stsRegionalEndpoints }));
    expect(parsed.map((one) => 'problem' in one)).toEqual([false, false, true]);
  });
});

const condition = {
  type: 'Ready',
  status: 'True',
  observedGeneration: 1,
  lastTransitionTime: '2026-01-01T00:00:00Z',
  reason: 'Ready',
  message: '',
};
const role = { arn: ROLE, roleId: 'AROAX', audience: 'sts.amazonaws.com', sid: 'IrsaX' };
const restart = {
  kind: 'ReplicaSet',
  name: 'app',
  uid: 'u',
  cause: 'Stale',
  desired: 'd',
  phase: 'Done',
  attempts: 1,
  startedAt: '2026-01-01T00:00:00Z',
};
const statuses: Record<string, [unknown, object]> = {
  'that is nothing is empty': [undefined, { conditions: [] }],
  'that is a list is empty': [['x'], { conditions: [] }],
  'keeps what it does not know out': [
    { phase: 'Happy', observedGeneration: 2 },
    { conditions: [], observedGeneration: 2 },
  ],
  'with a field of the wrong kind is as without it': [
    { observedGeneration: 'two', pods: 7, roles: 'all', conditions: {} },
    { conditions: [] },
  ],
  "keeps the other conditions beside one of another version's": [
    { conditions: [{ ...condition, type: 'Blessed' }, condition] },
    { conditions: [condition] },
  ],
  'keeps the other roles beside one that is none': [
    { roles: [{ ...role, arn: 'arn:aws:iam::*:role/*' }, role, null] },
    { conditions: [], roles: [role] },
  ],
  'keeps the other restarts, so that none is repeated': [
    { restarts: [{ ...restart, phase: 'Dreaming' }, restart] },
    { conditions: [], restarts: [restart] },
  ],
  'keeps the other findings beside a code that is no more': [
    {
      findings: [
        { code: 'Gone', severity: 'Error', message: '' },
        { code: 'NotGranted', severity: 'Error', message: 'x' },
      ],
    },
    { conditions: [], findings: [{ code: 'NotGranted', severity: 'Error', message: 'x' }] },
  ],
};
describe('a status', () => {
  for (const [sentence, [given, parsed]] of Object.entries(statuses)) {
    test(sentence, () => expect(parseBindingStatus(given)).toEqual(parsed));
  }
});
