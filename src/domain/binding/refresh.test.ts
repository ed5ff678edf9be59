import { expect, test } from 'vitest';
import { openRequest } from '../../api/binding.ts';
import { ANNOTATIONS } from '../../api/names.ts';
import { problem } from '../../api/problem.ts';
import { planRole } from '../role/plan.ts';
import type { ReconcileRequest } from '../state/reconcile-request.ts';
import { binding, grant, NOW, type ObservedPart, observed, present, roleObserved, unreached, withoutQuota } from '../test-observed.ts';
import { planBinding } from './plan.ts';

const request = (part: Partial<ReconcileRequest> = {}): ReconcileRequest => ({
  value: 'now',
  at: NOW,
  providerRead: true,
  roleRead: true,
  ...part,
});
const elsewhere = 'arn:aws:iam::999900001111:role/team/app';

const cases: Record<string, { readonly seen: ObservedPart; readonly echo: string | undefined }> = {
  'nobody asked: what was handled before stays': {
    seen: { binding: binding({ status: { lastHandledReconcileAt: 'before' } }) },
    echo: 'before',
  },
  'both were read': { seen: { request: request() }, echo: 'now' },
  'the role was not read yet': {
    seen: { request: request({ roleRead: false }), binding: binding({ status: { lastHandledReconcileAt: 'before' } }) },
    echo: 'before',
  },
  'the provider was not read yet': { seen: { request: request({ providerRead: false }) }, echo: undefined },
  'the role is not asked for while there is no provider': {
    seen: { request: request({ roleRead: false }), provider: { kind: 'missing', similar: [] } },
    echo: 'now',
  },
  'no grant covers it, so AWS is not asked at all': {
    seen: { request: request({ providerRead: false, roleRead: false }), grants: [] },
    echo: 'now',
  },
  'the account is another, which is not asked': {
    seen: {
      request: request({ providerRead: false, roleRead: false }),
      binding: binding({ spec: { roleArn: elsewhere } }),
      grants: [grant({ roleArns: [elsewhere] })],
    },
    echo: 'now',
  },
  'the caller is not known yet': { seen: { request: request(), reachOf: unreached() }, echo: undefined },
  'the issuer is not known yet': { seen: { request: request(), cluster: { kind: 'unknown', why: 'x' } }, echo: undefined },
  'the quota is not known yet': { seen: { request: request({ roleRead: false }), reachOf: withoutQuota }, echo: undefined },
  'the spec cannot be read': {
    seen: { request: request({ providerRead: false, roleRead: false }), binding: { ...binding(), spec: problem('x') } },
    echo: 'now',
  },
  'it only observes': { seen: { request: request(), binding: binding({ spec: { mode: 'Observe' } }) }, echo: 'now' },
};
for (const [sentence, { seen, echo }] of Object.entries(cases)) {
  test(`a reconcile request is ${echo === 'now' ? 'echoed' : 'not echoed'}: ${sentence}`, () =>
    expect(planBinding(observed(seen)).status.lastHandledReconcileAt).toEqual(echo));
}

const asked = (value: string, handled?: string) =>
  openRequest(
    binding({
      metadata: { annotations: { [ANNOTATIONS.reconcileRequestedAt]: value } },
      status: handled === undefined ? {} : { lastHandledReconcileAt: handled },
    }),
  );
const values: Record<string, { readonly value: string; readonly handled?: string; readonly open: boolean }> = {
  'a time': { value: '2026-01-01T12:00:00.123456789+01:00', open: true },
  'any word': { value: 'please', open: true },
  '253 characters': { value: 'x'.repeat(253), open: true },
  'one that was handled': { value: 'please', handled: 'please', open: false },
  'another than was handled': { value: 'again', handled: 'please', open: true },
  nothing: { value: '', open: false },
  'more than 253 characters': { value: 'x'.repeat(254), open: false },
  'a line break': { value: 'a\nb', open: false },
  'what does not print': { value: '\u0000\u202e', open: false },
};
for (const [sentence, { value, handled, open }] of Object.entries(values)) {
  test(`${sentence} is ${open ? 'a request' : 'no request'}`, () => expect(asked(value, handled)).toEqual(open ? value : undefined));
}

test('a role that was read before the request is read by itself, once', () => {
  // A list has shown it since, and a list shows no tags.
  const steps = (asOf: number) => {
    const tags = { values: new Map<string, string>(), asOf, since: asOf };
    return planRole(roleObserved({ record: present({ tags }, NOW + 1), requestedAt: NOW })).steps;
  };
  expect([steps(NOW - 1), steps(NOW)]).toEqual([[{ do: 'read', why: 'a reconcile was requested' }], []]);
});
test('a request makes no read of a role that no binding may ask about', () =>
  expect(planRole(roleObserved({ bindings: [], record: present({}, 0), requestedAt: NOW })).steps).toEqual([]));
