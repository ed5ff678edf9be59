import { describe, expect, test } from 'vitest';
import type { Given } from '../command.ts';
import { reachOf } from './reach.ts';

const none = { region: undefined, profile: undefined, clusterName: undefined };
const reach = (given: Given, aws: Partial<typeof none> | { profile?: string; region?: string } = {}, env = {}, operands = ['deploy/app']) =>
  reachOf(['kubectl', 'irsa'], given, operands, { ...none, ...aws }, env);

describe('the commands reach', () => {
  test('where nothing is said, what the tools of the person reach', () =>
    expect(reach({})).toEqual({ kubectl: [], aws: [], region: undefined, check: ['kubectl', 'irsa', 'check', 'deploy/app'] }));

  test('the cluster, as the same user with all its groups', () => {
    const given = { namespace: 'shop', context: 'my cluster', kubeconfig: 'k', as: 'jane', 'as-group': ['dev', 'ops'] };
    const words = ['--context', 'my cluster', '--kubeconfig', 'k', '--as', 'jane', '--as-group', 'dev', '--as-group', 'ops'];
    const { kubectl, check } = reach(given);
    expect([kubectl, check]).toEqual([words, ['kubectl', 'irsa', 'check', '-n', 'shop', 'deploy/app', ...words]]);
  });

  test('the account of the profile that the kubeconfig names', () =>
    expect(reach({}, { profile: 'prod' }).aws).toEqual(['--profile', 'prod']));
  test('that of the environment, which is not repeated', () =>
    expect(reach({}, { profile: 'prod' }, { AWS_PROFILE: 'prod' }).aws).toEqual([]));

  test('the one ServiceAccount of all namespaces', () =>
    expect(reach({ 'all-namespaces': true }, {}, {}, []).check).toEqual(['kubectl', 'irsa', 'check', '--all-namespaces']));
  test('nothing of what is only about the page', () =>
    expect(reach({ output: 'json', 'no-fail': true, 'fail-on': 'Error', print: 'trust' }).check).toEqual([
      'kubectl',
      'irsa',
      'check',
      'deploy/app',
    ]));
});
