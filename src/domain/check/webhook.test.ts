import { describe, expect, test } from 'vitest';
import { INJECTED } from '../../api/names.ts';
import type { LabelSelector } from '../../api/webhook.ts';
import { namespace } from '../test-cluster.ts';
import { appPod, webhook } from './test-seen.ts';
import { labelsSelectedBy, selects, wasInjected, webhookFinding } from './webhook.ts';

const labels = (matchLabels: Record<string, string>): LabelSelector => ({ matchLabels, matchExpressions: [] });
const expressions = (...matchExpressions: readonly [key: string, operator: string, ...values: string[]][]): LabelSelector => ({
  matchLabels: {},
  matchExpressions: matchExpressions.map(([key, operator, ...values]) => ({ key, operator, values })),
});
/** Made before the webhook was there. */
const early = { containers: [{ name: 'app', env: {}, mountsToken: false }] };

describe('a selector', () => {
  const has = { team: 'a', empty: '' };
  const rows: Record<string, [selector: LabelSelector, selected: boolean]> = {
    'that is empty selects everything': [labels({}), true],
    'matchLabels: the value': [labels({ team: 'a' }), true],
    'matchLabels: an empty value': [labels({ empty: '' }), true],
    'matchLabels: another value': [labels({ team: 'b' }), false],
    'matchLabels: no such label, although its value is empty': [labels({ missing: '' }), false],
    'matchLabels: all of them have to match': [labels({ team: 'a', missing: 'x' }), false],
    'matchLabels: what every object of JavaScript has is no label': [labels({ constructor: 'x' }), false],
    In: [expressions(['team', 'In', 'b', 'a']), true],
    'In: none of the values': [expressions(['team', 'In', 'b']), false],
    'In: no such label': [expressions(['missing', 'In', '']), false],
    NotIn: [expressions(['team', 'NotIn', 'b']), true],
    'NotIn: one of the values': [expressions(['team', 'NotIn', 'a']), false],
    'NotIn: no such label': [expressions(['missing', 'NotIn', 'a']), true],
    Exists: [expressions(['empty', 'Exists']), true],
    'Exists: no such label': [expressions(['missing', 'Exists']), false],
    DoesNotExist: [expressions(['missing', 'DoesNotExist']), true],
    'DoesNotExist: it does': [expressions(['team', 'DoesNotExist']), false],
    'all expressions have to match': [expressions(['team', 'Exists'], ['missing', 'Exists']), false],
    'labels and expressions have to match': [{ ...expressions(['team', 'Exists']), matchLabels: { team: 'b' } }, false],
  };
  for (const [sentence, [selector, selected]] of Object.entries(rows)) test(sentence, () => expect(selects(selector, has)).toBe(selected));
});

describe('a webhook', () => {
  const found = (...args: Parameters<typeof webhookFinding>) => webhookFinding(...args)?.message;
  const missing =
    'the cluster has no MutatingWebhookConfiguration of the Amazon EKS pod identity webhook, so no pod gets a role. On EKS it is there by itself. On other clusters, install amazon-eks-pod-identity-webhook';
  test('that selects all is as wanted', () => expect(found([webhook()], namespace(), [appPod()])).toBeUndefined());
  test('that is not configured is missing', () => expect(found([], namespace(), [])).toBe(missing));
  test('that is not configured is missing, where pods were not injected', () =>
    expect(found([], namespace(), [appPod(early)])).toBe(missing));
  test('that no configuration shows is there, where a pod was injected', () => expect(found([], namespace(), [appPod()])).toBeUndefined());
  test('selects by the name of the namespace, which the API server sets', () => {
    const byName = webhook({ namespaceSelector: labels({ 'kubernetes.io/metadata.name': 'shop' }) });
    expect(found([byName], namespace(), [])).toBeUndefined();
  });
  test('does not select the namespace', () => {
    const but = webhook({
      configuration: 'w',
      namespaceSelector: expressions(['kubernetes.io/metadata.name', 'NotIn', 'shop', 'kube-system']),
    });
    expect(found([but], namespace(), [appPod()])).toBe(
      'the namespaceSelector of MutatingWebhookConfiguration "w" does not select namespace "shop", so its pods get no role. Change the labels of the namespace, or the selector',
    );
  });
  test('does not select the namespace, and another one does', () => {
    const not = webhook({ namespaceSelector: labels({ irsa: 'yes' }) });
    expect(found([not, webhook()], namespace(), [])).toBeUndefined();
  });
  test('does not select a pod', () => {
    const only = webhook({ configuration: 'w', objectSelector: labels({ irsa: 'yes' }) });
    expect(found([only], namespace(), [appPod(early)])).toBe(
      'the objectSelector of MutatingWebhookConfiguration "w" does not select pod "app-1", so it gets no role. Change the labels in the template of the pods, or the selector',
    );
  });
  test('that selects the namespace and one that selects the pod do not help each other', () => {
    const both = [webhook({ objectSelector: labels({ irsa: 'yes' }) }), webhook({ namespaceSelector: labels({ irsa: 'yes' }) })];
    expect(found(both, namespace(), [appPod(early)])).toContain('does not select pod "app-1"');
  });
  test('did select a pod that was injected, whatever its labels are now', () =>
    expect(found([webhook({ objectSelector: labels({ irsa: 'yes' }) })], namespace(), [appPod()])).toBeUndefined());
  test('skips a pod that asks for it: its objectSelector need not select it', () => {
    const skip = 'eks.amazonaws.com/skip-pod-identity-webhook';
    const eks = webhook({ objectSelector: expressions([skip, 'DoesNotExist']) });
    expect(found([eks], namespace(), [appPod({ ...early, labels: { [skip]: '' } })])).toBeUndefined();
  });
});

test('a pod whose template sets the role, and which has no token of the webhook, was not injected', () => {
  const byItself = appPod({ containers: [{ name: 'app', env: { [INJECTED.roleArn]: 'x' }, mountsToken: false }] });
  expect([wasInjected([]), wasInjected([byItself]), wasInjected([byItself, appPod()])]).toEqual([false, false, true]);
});

test('the labels of pods that decide are those of the object selectors', () => {
  const one = webhook({
    objectSelector: { ...expressions(['b', 'Exists']), matchLabels: { a: '1' } },
    namespaceSelector: labels({ c: '1' }),
  });
  expect(labelsSelectedBy([one, webhook()])).toEqual(['a', 'b']);
});
