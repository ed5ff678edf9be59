import { describe, expect, test } from 'vitest';
import { isProblem } from '../../api/problem.ts';
import type { Given } from '../command.ts';
import { targetFrom } from './target.ts';

/** In words: `deployments shop/app`, or the problem. */
function meant(words: string, given: Given = {}, ofContext = 'default'): string {
  const target = targetFrom(words === '' ? [] : words.split(' '), given, ofContext);
  if (isProblem(target)) return target.problem;
  if (target.kind === 'all')
    return `all of ${target.namespace ?? 'the cluster'}${target.selector === undefined ? '' : ` with ${target.selector}`}`;
  return `${target.kind === 'runner' ? target.runner : 'serviceaccount'} ${target.of.namespace}/${target.of.name}`;
}
const example = 'for example deploy/aws-load-balancer-controller';

const rows: Record<string, string> = {
  'deploy/app': 'deployments default/app',
  'deploy app': 'deployments default/app',
  'Deployment/app': 'deployments default/app',
  'deployments app': 'deployments default/app',
  'deployment.apps/app': 'deployments default/app',
  'deployment.v1.apps/app': 'deployments default/app',
  'job.batch/app': 'jobs default/app',
  'sts/db': 'statefulsets default/db',
  'ds/agent': 'daemonsets default/agent',
  'rs/app-5d9c': 'replicasets default/app-5d9c',
  'cj/import': 'cronjobs default/import',
  'cronjob import': 'cronjobs default/import',
  'po/app-1': 'pods default/app-1',
  'sa/app': 'serviceaccount default/app',
  'serviceaccount app': 'serviceaccount default/app',
  'configmap/app': `"configmap" is no kind of object that runs pods. Wanted: TYPE/NAME, ${example}`,
  'deployment.example.com/app': `"deployment.example.com" is no kind of object that runs pods. Wanted: TYPE/NAME, ${example}`,
  'constructor/app': `"constructor" is no kind of object that runs pods. Wanted: TYPE/NAME, ${example}`,
  app: `"app" is no kind of object that runs pods. Wanted: TYPE/NAME, ${example}`,
  deploy: `"deploy": wanted is one TYPE/NAME, ${example}`,
  'deploy/': `"deploy/": wanted is one TYPE/NAME, ${example}`,
  'deploy/a/b': `"deploy/a/b": wanted is one TYPE/NAME, ${example}`,
  'deploy a b': `"deploy a b": wanted is one TYPE/NAME, ${example}`,
  'deploy/a deploy/b': `"deploy/a deploy/b": wanted is one TYPE/NAME, ${example}`,
};

describe('what is checked:', () => {
  for (const [words, what] of Object.entries(rows)) test(words, () => expect(meant(words)).toBe(what));

  test('in the namespace of the context', () => expect(meant('deploy/app', {}, 'shop')).toBe('deployments shop/app'));
  test('in the namespace that is said', () => expect(meant('deploy/app', { namespace: 'a' }, 'shop')).toBe('deployments a/app'));
  test('in that of the context, where a variable of the shell is empty', () =>
    expect(meant('deploy/app', { namespace: '' }, 'shop')).toBe('deployments shop/app'));
  test('a ServiceAccount by its flag', () => expect(meant('', { 'service-account': 'app' }, 'shop')).toBe('serviceaccount shop/app'));
  test('all of a namespace', () => expect(meant('', { namespace: 'shop' })).toBe('all of shop'));
  test('all of the cluster', () => expect(meant('', { 'all-namespaces': true })).toBe('all of the cluster'));
  test('all of the cluster, whatever the namespace', () =>
    expect(meant('', { 'all-namespaces': true, namespace: 'shop' })).toBe('all of the cluster'));
  test('those with labels, of the namespace of the context, of another, or of the cluster', () => {
    const selector = 'team=shop,!old';
    expect(meant('', { selector }, 'shop')).toBe(`all of shop with ${selector}`);
    expect(meant('', { selector, namespace: 'a' }, 'shop')).toBe(`all of a with ${selector}`);
    expect(meant('', { selector, 'all-namespaces': true }, 'shop')).toBe(`all of the cluster with ${selector}`);
  });
  test('not labels where a variable of the shell is empty', () => expect(meant('', { selector: '', namespace: 'a' })).toBe('all of a'));
  const nothing = `name what to check, ${example}, or a namespace with -n, or all of them with -A`;
  test('nothing, where nothing is said', () => expect(meant('', {}, 'shop')).toBe(nothing));
  test('nothing, where a variable of the shell is empty', () => expect(meant('', { namespace: '' }, 'shop')).toBe(nothing));
  test('not two things', () => {
    expect(meant('deploy/app', { 'all-namespaces': true })).toBe('"deploy/app" and -A: give one of the two');
    expect(meant('deploy/app', { 'service-account': 'app' })).toBe('"deploy/app" and --service-account: give one of the two');
    expect(meant('deploy/app', { selector: 'a=b' })).toBe('"deploy/app" and -l: give one of the two');
    expect(meant('', { 'service-account': 'app', selector: 'a=b' })).toBe('"app" and -l: give one of the two');
  });
});
