import { expect, test } from 'vitest';
import { effectFrom, effectOf, tooOften } from './effects.ts';

const api = '/apis/irsa-operator.dev/v1alpha1/namespaces/c0001';
const core = '/api/v1/namespaces/c0001';
const finalizers = (list: string[]) => JSON.stringify({ metadata: { finalizers: list } });

const calls: Record<string, [method: string, path: string, body: string, effect: string | undefined]> = {
  'a status': ['PATCH', `${api}/irsabindings/app/status?fieldManager=x`, '{}', 'status of app'],
  'a finalizer that is set': ['PATCH', `${api}/irsabindings/app`, finalizers(['ours']), 'finalizers of app: 1'],
  'a finalizer that is taken off': ['PATCH', `${api}/irsabindings/app`, finalizers([]), 'finalizers of app: 0'],
  'an annotation': ['PATCH', `${core}/serviceaccounts/app?force=true`, '{}', 'annotations of app'],
  'an eviction, whatever the pod is called': ['POST', `${core}/pods/app-x7f/eviction`, '{}', 'evict a pod'],
  'a deletion of a pod': ['DELETE', `${core}/pods/app-x7f`, '{}', 'delete a pod'],
  'a rollout': ['PATCH', '/apis/apps/v1/namespaces/c0001/deployments/app', '{}', 'roll out app'],
  'a trust policy': ['POST', '/', 'Action=UpdateAssumeRolePolicy&RoleName=c0001-old', 'UpdateAssumeRolePolicy old'],
  'a write that nobody thought of': ['PUT', `${core}/configmaps/app`, '{}', 'PUT configmaps/'],
  'a read of IAM, which is none': ['POST', '/', 'Action=GetRole&RoleName=c0001-old', undefined],
  'a Lease, which is none': ['PUT', '/apis/coordination.k8s.io/v1/namespaces/c0001/leases/irsa-operator', '{}', undefined],
  'a new Lease, which is none': ['POST', '/apis/coordination.k8s.io/v1/namespaces/c0001/leases', '{}', undefined],
  'a dry run, which is none': ['PATCH', `${core}/serviceaccounts/irsa-operator?dryRun=All&fieldManager=x`, '{}', undefined],
  'a question about itself, which is none': ['POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', '{}', undefined],
  'an Event, which is none': ['POST', '/apis/events.k8s.io/v1/namespaces/c0001/events', '{}', undefined],
};
for (const [sentence, [method, path, body, effect]] of Object.entries(calls)) {
  test(`an effect: ${sentence}`, () => expect(effectOf({ method, path, body })).toBe(effect));
}

const done = (...names: string[]) => names.map((name) => ({ name }));
const said = (...says: string[]) => says.map((each) => ({ name: 'status of app', says: each }));

test('what was done more often than undisturbed is told, but for what had no answer when the process was killed', () => {
  expect(tooOften(done('a', 'b'), done('a', 'b'), [])).toEqual([]);
  expect(tooOften(done('a', 'b'), done('b', 'a', 'b'), done('b'))).toEqual([]);
  expect(tooOften(done('a', 'b'), done('a', 'b', 'b', 'b', 'c'), done('b'))).toEqual(['b', 'c']);
});

test('a status that says something new is no repetition, and the same again is one', () => {
  expect(tooOften(said('x', 'z'), said('x', 'y', 'z'), [])).toEqual([]);
  expect(tooOften(said('x', 'z'), said('x', 'y', 'y', 'z', 'z'), [])).toEqual(['status of app (y)', 'status of app (z)']);
});

test('what a status says is the same in each run', () => {
  const told = (namespace: string, at: string) => {
    const body = JSON.stringify({ metadata: { uid: namespace }, status: { at, of: `${namespace}/app` } });
    return effectFrom({ method: 'PATCH', path: `${api.replace('c0001', namespace)}/irsabindings/app/status`, body }, 'status of app');
  };
  expect(told('c0001', '2026-11-25T04:18:23Z')).toEqual(told('c0002', '2026-11-25T04:19:42Z'));
});
