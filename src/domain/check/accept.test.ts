import { describe, expect, test } from 'vitest';
import { type FindingCode, finding } from '../../api/finding.ts';
import { accept } from './accept.ts';
import { type Accepted, type Check, type CheckStep, exitCodeOf } from './judge.ts';

const IGNORED: Accepted = { by: 'ignore', reason: 'it is being moved' };
const missing = finding('WebhookMissing', 'no webhook');
const stale = finding('PodRoleArnStale', 'pod a is stale');
const held = finding('PodNotRestartable', 'pod a is held');
const loose = finding('TrustOverPermissive', 'it allows all');

const failing = (...findings: CheckStep['findings']): CheckStep => ({
  name: 'Pods',
  state: 'fail',
  text: findings[0]?.message ?? '',
  findings,
});
const step = (state: CheckStep['state']): CheckStep => ({ name: 'Trust policy', state, text: 'x', findings: [] });
const check = (steps: readonly CheckStep[], notes: Check['notes'] = []): Check => ({ steps, notes, engine: undefined });
const ignoring = (of: Check, ...codes: readonly FindingCode[]) => accept(of, (code) => (codes.includes(code) ? IGNORED : undefined));

describe('a step', () => {
  test('that fails by nothing but accepted findings does not fail, and still has them', () =>
    expect(ignoring(check([failing(missing)]), 'WebhookMissing').steps).toEqual([
      { name: 'Pods', state: 'accepted', text: 'no webhook', findings: [{ ...missing, accepted: IGNORED }] },
    ]));
  test('with another finding fails by that one, which is told first', () =>
    expect(ignoring(check([failing(stale, held)]), 'PodRoleArnStale').steps).toEqual([
      { name: 'Pods', state: 'fail', text: 'pod a is held', findings: [held, { ...stale, accepted: IGNORED }] },
    ]));
  test('keeps the order of its findings, where none is accepted', () => {
    const of = check([failing(stale, held, missing)]);
    expect(ignoring(of)).toEqual(of);
  });
  test('that fails without a finding has none to accept', () => {
    const of = check([failing()]);
    expect(accept(of, () => IGNORED)).toEqual(of);
  });
});

describe('the exit code', () => {
  const rows: Record<string, [of: Check, accepts: FindingCode[], failOn: 'Warning' | 'Error', code: 0 | 1 | 2]> = {
    'does not count a failure that is accepted': [check([failing(missing)]), ['WebhookMissing'], 'Warning', 0],
    'counts the other failure of the step': [check([failing(missing, stale)]), ['WebhookMissing'], 'Warning', 1],
    'counts the failure of another step': [check([failing(missing), failing(stale)]), ['WebhookMissing'], 'Warning', 1],
    'does not count a note that is accepted': [check([], [loose]), ['TrustOverPermissive'], 'Warning', 0],
    'counts the other note': [check([], [loose, held]), ['TrustOverPermissive'], 'Warning', 1],
    'counts no note where it asks for errors': [check([], [loose]), [], 'Error', 0],
    'is that of what was not read, which nobody can accept': [check([failing(missing), step('unread')]), ['WebhookMissing'], 'Warning', 2],
  };
  for (const [sentence, [of, accepts, failOn, code]] of Object.entries(rows))
    test(sentence, () => expect(exitCodeOf(ignoring(of, ...accepts), failOn)).toBe(code));
});
