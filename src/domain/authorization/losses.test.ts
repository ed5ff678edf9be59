import { describe, expect, test } from 'vitest';
import type { IrsaGrant } from '../../api/grant.ts';
import { problem } from '../../api/problem.ts';
import { ARN, grant, loss, NOW, OTHER_ARN, SUBJECT } from '../test-observed.ts';
import { GrantIndex } from './grant-index.ts';
import type { Loss } from './loss.ts';
import { type LossesInput, lossesIn } from './losses.ts';

const HOUR = 3_600_000;
const AUDIENCE = 'sts.amazonaws.com';
const subject = { subject: SUBJECT, audience: AUDIENCE };
const remembered = { ...subject, remembered: true, named: true };
const unknown = { ...subject, remembered: false, named: false };
const beside = grant({ roleArns: [OTHER_ARN] });
const selecting = grant({ namespaces: { selector: { matchLabels: { team: 'a' } } } });
const asking = grant({ requiredRoleTags: { owner: 'shop' } });
const seen = new Map([[`${SUBJECT}\n${AUDIENCE}`, { by: [{ uid: 'was', generation: 4 }], definition: 'definition' }]]);

type Part = Partial<Omit<LossesInput, 'grants'>> & { readonly grants?: readonly IrsaGrant[] };
function input({ grants = [beside], ...part }: Part = {}): LossesInput {
  return {
    now: NOW,
    role: ARN,
    standing: [remembered],
    certain: true,
    recorded: [],
    coverage: new Map(),
    grants: new GrantIndex(grants),
    namespace: (name) => ({ name, labels: {} }),
    roleTags: undefined,
    definition: 'definition',
    mayShareStatement: true,
    undone: new Map(),
    ...part,
  };
}
/** As the record has it: without what is found out when it is acted on. */
function recordedLoss(part: Partial<Loss> = {}): Loss {
  const { dueAt: _, paused: __, ...rest } = loss({ by: [{ uid: 'was', generation: 4 }], ...part });
  return rest;
}

describe('a subject that stands', () => {
  const found = (part: Part) => lossesIn(input(part)).losses.map(({ cause, by, since }) => ({ cause, by, since }));
  test('is no loss while a grant covers it', () => expect(found({ grants: [grant()] })).toEqual([]));
  test('is a loss from now on without one, of the grant that was seen to cover it', () =>
    expect(found({ standing: [unknown], coverage: seen })).toEqual([{ cause: 'grant', by: [{ uid: 'was', generation: 4 }], since: NOW }]));
  test('is one also where only a status remembers that there was one', () =>
    expect(found({})).toEqual([{ cause: 'grant', by: [], since: NOW }]));
  test('is ungranted where nobody saw one', () =>
    expect(found({ standing: [unknown] })).toEqual([{ cause: 'unseen', by: [], since: NOW }]));
  test('is as if nobody had seen one, after the CRD was made again', () =>
    expect(found({ coverage: seen, definition: 'made-again' })).toEqual([{ cause: 'unseen', by: [], since: NOW }]));
  test('that a label would cover has the longer time', () => expect(found({ grants: [selecting] })[0]?.cause).toBe('labelOrTag'));
  test('that a tag of the role would cover has it too', () =>
    expect(found({ grants: [asking], roleTags: new Map() })[0]?.cause).toBe('labelOrTag'));
  test('is covered while the tags are not known', () => expect(found({ grants: [asking] })).toEqual([]));
  test('is not covered by a grant that cannot be read', () =>
    expect(found({ grants: [{ ...grant(), spec: problem('x') }] })[0]?.cause).toBe('grant'));
  test('and is that of no ServiceAccount is covered by none', () =>
    expect(
      found({ standing: [{ subject: 'repo:a/b', audience: AUDIENCE, remembered: false, named: false }], grants: [grant()] })[0]?.cause,
    ).toBe('unseen'));
});

describe('a loss that was recorded', () => {
  const known = recordedLoss({ since: NOW - 30_000 });
  const next = (part: Part) => lossesIn(input({ recorded: [known], ...part })).losses;
  test('keeps its time', () => expect(next({})).toEqual([known]));
  test('keeps its time while the role cannot be read', () => expect(next({ standing: [], certain: false })).toEqual([known]));
  test('is over when a grant covers it, also while the role cannot be read', () => {
    expect(next({ grants: [grant()] })).toEqual([]);
    expect(next({ grants: [grant()], standing: [], certain: false })).toEqual([]);
  });
  test('is revoked when it is certain to be gone, and remembered for an hour', () => {
    const [revoked] = next({ standing: [] });
    expect(revoked).toEqual({ ...known, revokedAt: NOW });
    const later = (now: number) => lossesIn(input({ now, standing: [], recorded: [revoked as Loss] })).losses;
    expect([later(NOW + HOUR - 1), later(NOW + HOUR)]).toEqual([[revoked], []]);
  });
  test('is lost anew when it stands again', () =>
    expect(next({ recorded: [{ ...known, revokedAt: NOW - 1_000 }] })).toEqual([{ ...known, since: NOW, revokedAt: undefined }]));
  for (const [what, part, returns] of [
    ['that no binding names has returned where another cluster may write the statement', {}, 1],
    ['has not returned where this cluster has an ID, so that nobody else writes the statement', { mayShareStatement: false }, 0],
    ['that a binding names has not returned: what stands of a tenant is not decided by its word', { standing: [remembered] }, 0],
  ] as const)
    test(`${what}`, () => {
      const gone = { ...known, revokedAt: NOW - 1_000 };
      expect(next({ recorded: [gone], standing: [unknown], ...part })).toEqual([{ ...known, since: NOW, returns }]);
    });
  test('that was undone before it was certain to be gone has returned, once for all that is undone until then', () => {
    const undone = new Map([[`${SUBJECT}\n${AUDIENCE}`, { times: 2, at: NOW - 1_000 }]]);
    const [back] = next({ standing: [unknown], undone });
    expect(back).toEqual({ ...known, since: NOW, returns: 1 });
    expect(next({ standing: [unknown], undone, recorded: [back as Loss] })).toEqual([back]);
    expect([next({ standing: [remembered], undone }), next({ standing: [unknown], undone, mayShareStatement: false })]).toEqual([
      [known],
      [known],
    ]);
  });
  test('and returned is counted each time, and anew after a grant covered it', () => {
    const again = { ...known, returns: 1, revokedAt: NOW - 1_000 };
    expect(next({ recorded: [again], standing: [unknown] })[0]?.returns).toBe(2);
    expect(next({ recorded: [again], standing: [unknown], grants: [grant()] })).toEqual([]);
  });
  test('is as if nobody had seen a grant, after the CRD was made again: its time begins anew', () =>
    expect(next({ definition: 'made-again' })).toEqual([{ ...known, cause: 'unseen', since: NOW, by: [] }]));
  test('of which nobody saw a grant keeps its time also then', () => {
    const unseen = recordedLoss({ cause: 'unseen', by: [] });
    expect(next({ recorded: [unseen], definition: 'made-again' })).toEqual([unseen]);
  });
});

describe('what is remembered of grants', () => {
  test('is which of them covered the subject when it was looked at last', () =>
    expect(lossesIn(input({ grants: [grant()] })).coverage.get(`${SUBJECT}\n${AUDIENCE}`)).toEqual({
      by: [{ uid: 'grant-platform', generation: 1 }],
      definition: 'definition',
    }));
  test('is kept while the subject is not in view, and forgotten when it is certain to be gone', () => {
    const size = (certain: boolean) => lossesIn(input({ standing: [], certain, coverage: seen })).coverage.size;
    expect([size(false), size(true)]).toEqual([1, 0]);
  });
});
