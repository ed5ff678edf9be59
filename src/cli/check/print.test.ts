import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Reach } from '../../domain/check/fixes.ts';
import { fixesOf } from '../../domain/check/fixes.ts';
import { judge } from '../../domain/check/judge.ts';
import { read } from '../../domain/check/seen.ts';
import { checkSeen } from '../../domain/check/test-seen.ts';
import { ARN, ISSUER, own, policy, present, SERVICE } from '../../domain/test-observed.ts';
import type { CheckReport } from './check.ts';
import type { Where } from './ports.ts';
import { print } from './print.ts';

const style = { width: 100, colour: false };
const where: Where = { what: 'cluster', cluster: 'blue', namespace: 'shop', server: 'https://x', region: 'eu-west-1', profile: 'prod' };
const reach: Reach = { kubectl: [], aws: [], check: ['irsa-operator', 'check'] };

function checked(name: string, part: Parameters<typeof checkSeen>[0] = {}): CheckReport['checked'][number] {
  const seen = checkSeen(part);
  const check = judge(seen);
  return { namespace: 'shop', name, check, fixes: fixesOf(seen, check, reach), log: undefined, places: {} };
}
const broken = { role: read(present({ policy: policy(SERVICE) })) };
const log = { at: '2026-01-01T14:40:00Z', text: 'AccessDenied', action: undefined, user: undefined };
function report(part: Partial<CheckReport> = {}): CheckReport {
  return {
    about: { cluster: 'blue', issuer: ISSUER, account: '111122223333' },
    checked: [checked('app')],
    trust: undefined,
    failOn: 'Warning',
    exitCode: 0,
    ...part,
  };
}

describe('as a table', () => {
  test('one ServiceAccount has a page', () => {
    const lines = print(report(), 'table', where, style, '1.2.3').split('\n');
    expect(lines.slice(0, 3)).toEqual(['cluster blue (eu-west-1)  account 111122223333 (profile prod)', '', 'ok    ServiceAccount  app']);
    expect(lines.at(-1)).toBe('');
  });
  test('of many each has a line', () =>
    expect(print(report({ checked: [checked('a'), checked('b', broken)] }), 'table', where, style, '1.2.3')).toBe(
      'cluster blue (eu-west-1)  account 111122223333 (profile prod)\n\nok    shop/a\nFAIL  shop/b  TrustNoWebIdentityStatement\n',
    ));
  test('of none there is a sentence', () =>
    expect(print(report({ checked: [] }), 'table', where, style, '1.2.3')).toBe('no ServiceAccount has the annotation of a role\n'));
  test('what is not known is left out of its head', () => {
    const about = { cluster: 'kind', issuer: undefined, account: undefined };
    const [head] = print(report({ about }), 'table', { ...where, region: undefined, profile: undefined }, style, '1.2.3').split('\n');
    expect(head).toBe('cluster kind  account unknown');
  });
});

describe('for a program', () => {
  const whole = report({ checked: [{ ...checked('app', broken), log }], exitCode: 1 });
  const json = JSON.parse(print(whole, 'json', where, style, '1.2.3'));
  test('its members have names, and values that need no parser of their own', () => {
    const { results, ...about } = json;
    expect(about).toEqual({ cluster: 'blue', issuer: ISSUER, account: '111122223333', exitCode: 1 });
    const [{ steps, fixes, ...one }] = results;
    expect(one).toEqual({
      namespace: 'shop',
      serviceAccount: 'app',
      role: ARN,
      audience: 'sts.amazonaws.com',
      notes: [],
      log: { at: log.at, text: log.text },
    });
    expect(steps[0]).toEqual({ step: 'ServiceAccount', state: 'ok', text: 'app', findings: [] });
    expect(Object.keys(steps[4].findings[0])).toEqual(['code', 'severity', 'message']);
    expect(Object.keys(fixes).toSorted()).toEqual(['aws', 'kubectl', 'restarts', 'terraform', 'trust']);
    expect(fixes.trust).toEqual(JSON.parse(policy(SERVICE, own())));
  });
  test('YAML says the same', () => expect(parse(print(whole, 'yaml', where, style, '1.2.3'))).toEqual(json));
  test('no role is named where none is known', () => {
    const [one] = JSON.parse(
      print(report({ checked: [checked('app', { serviceAccount: read(undefined) })] }), 'json', where, style, '1.2.3'),
    ).results;
    expect(Object.keys(one)).toEqual(['namespace', 'serviceAccount', 'steps', 'notes', 'fixes']);
  });
  test('none of many is an empty list', () =>
    expect(JSON.parse(print(report({ checked: [] }), 'json', where, style, '1.2.3')).results).toEqual([]));
});

test('a trust policy that is asked for is all that is printed, in whatever form', () => {
  for (const output of ['table', 'json', 'yaml'] as const)
    expect(print(report({ trust: '{"Version":"2012-10-17","Statement":[]}' }), output, where, style, '1.2.3')).toBe(
      '{\n  "Version": "2012-10-17",\n  "Statement": []\n}\n',
    );
});
