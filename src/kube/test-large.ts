/** Objects with one field as large as the API server takes it, or larger: for tests. */
const ROLE = 'arn:aws:iam::111122223333:role/app';
/** Some hundred kibibytes: enough to see that they are not kept. */
const LONG = 'x'.repeat(300_000);
const many = <T>(make: (index: number) => T): T[] => Array.from({ length: 2_000 }, (_, index) => make(index));
const other = (index: number) => `${index}-${'x'.repeat(100)}`;
const members = (prefix: string) => Object.fromEntries(many((index) => [`${prefix}${other(index)}`, other(index)]));

const metadata = { namespace: 'ns', name: 'n'.repeat(253), uid: 'u', resourceVersion: '7' };
const container = (part: object = {}) => ({ name: 'app', image: 'x', ...part });
const env = (name: string, value: string) => ({ name, value });
const ofSecret = (name: string, secret: string) => ({ name, valueFrom: { secretKeyRef: { name: secret, key: 'k' } } });
const EKS = ['role-arn', 'audience', 'token-expiration', 'sts-regional-endpoints', 'skip-containers'].map(
  (key) => `eks.amazonaws.com/${key}`,
);
const OWN = ['reconcile-requested-at', 'force-delete', 'restart', 'restarted-at'].map((key) => `irsa-operator.dev/${key}`);
/** By which a DaemonSet labels its pods. */
const REVISION = 'deprecated.daemonset.template.generation';
const signed = (manager: string, key: string) => ({
  manager,
  operation: 'Apply',
  time: '2026-01-01T00:00:00Z',
  fieldsV1: { 'f:metadata': { 'f:annotations': { 'f:eks.amazonaws.com/role-arn': {}, [`f:eks.amazonaws.com/${key}`]: {} } } },
});

export const largeMetadata: Readonly<Record<string, object>> = {
  'annotations that are read': {
    annotations: Object.fromEntries([...EKS, ...OWN, 'karpenter.sh/do-not-disrupt', REVISION].map((key) => [key, LONG])),
  },
  'annotations that are not read': { annotations: { ...members('example.com/'), 'example.com/long': LONG } },
  'annotations with the prefix of the webhook': { annotations: members('eks.amazonaws.com/') },
  'annotations that are nearly the right one': {
    annotations: Object.fromEntries(['Eks.amazonaws.com/role-arn', 'eks.amazon.com/role-arn'].map((key) => [key, LONG])),
  },
  labels: { labels: members('example.com/') },
  finalizers: { finalizers: [...many((index) => `example.com/${other(index)}`), `example.com/${LONG}`] },
  'owner references': { ownerReferences: many((index) => ({ kind: 'Foo', name: other(index), uid: other(index) })) },
  'an owner with long names': { ownerReferences: [{ kind: LONG, name: LONG, uid: LONG, apiVersion: LONG, controller: true }] },
  'field managers': { managedFields: [signed(LONG, 'audience'), ...many((index) => signed(other(index), `${index}`))] },
};

const withRole = (name: string) => (index: number) =>
  container({ name: `${name}-${index}`, env: [env('AWS_ROLE_ARN', `${name}-${other(index).repeat(6)}`), env('AWS_REGION', other(index))] });

export const largePodSpec: Readonly<Record<string, object>> = {
  'long variables': {
    containers: [container({ env: ['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_REGION'].map((name) => env(name, LONG)) })],
  },
  'variables of Secrets with long names': {
    containers: [container({ env: ['AWS_ACCESS_KEY_ID', 'AWS_PROFILE'].map((name) => ofSecret(name, LONG)) })],
  },
  'many containers, each with another Secret': {
    containers: many((index) => container({ name: `app-${index}`, env: [ofSecret('AWS_PROFILE', other(index).repeat(6))] })),
  },
  'many variables': { containers: [container({ env: many((index) => env(`AWS_${index}`, other(index))) })] },
  'a variable with a long name': { containers: [container({ env: [env(`AWS_${LONG}`, '')] })] },
  'many containers': { containers: many((index) => container({ name: `app-${index}` })) },
  'many init containers': { initContainers: many((index) => container({ name: `app-${index}` })), containers: [container()] },
  'many containers, each with another role': { initContainers: many(withRole('init')), containers: many(withRole('app')) },
  'many volumes': { containers: [container()], volumes: many((index) => ({ name: `volume-${index}`, emptyDir: {} })) },
  'a token with a long audience': {
    containers: [container()],
    volumes: [{ name: 'aws-iam-token', projected: { sources: [{ serviceAccountToken: { path: 'token', audience: LONG } }] } }],
  },
};

const at = '2026-01-01T00:00:00Z';
const arn = (index: number) => `arn:aws:iam::111122223333:role/${'p'.repeat(500)}/${index}`;
const condition = { type: 'Ready', status: 'True', observedGeneration: 1, lastTransitionTime: at, reason: 'x'.repeat(1_024) };
const restart = { kind: 'Deployment', name: 'n'.repeat(253), cause: 'Stale', desired: 'd', phase: 'Done', attempts: 1, startedAt: at };
/** Each as its schema takes it but for the number, or for one length. */
export const largeStatus: Readonly<Record<string, object>> = {
  'many conditions': { conditions: many(() => ({ ...condition, message: 'x'.repeat(4_096) })) },
  'a condition with a long message': { conditions: [{ ...condition, message: LONG }] },
  'a condition with a long time': { conditions: [{ ...condition, message: '', lastTransitionTime: LONG }] },
  'many findings': { findings: many(() => ({ code: 'TrustOverPermissive', severity: 'Warning', message: 'x'.repeat(4_096) })) },
  'many steps of a plan': { plan: many(() => 'x'.repeat(4_096)) },
  'a long step of a plan': { plan: [LONG] },
  'many roles': { roles: many((index) => ({ arn: arn(index), roleId: 'A'.repeat(128), audience: 'a', sid: 's' })) },
  'many restarts': { restarts: many((index) => ({ ...restart, uid: `${index}` })) },
  'a long request': { lastHandledReconcileAt: LONG },
  'long times': { revokedAt: LONG, verification: { of: 'x', at: LONG } },
};

export const bindingSpec = { serviceAccountName: 'app', roleArn: ROLE };
export const largeBindingSpec = { roleArn: LONG, serviceAccountName: LONG, mode: LONG, audience: LONG, restart: { strategy: LONG } };
export const largeGrantSpec = { roleArns: [LONG, ...many(other)], namespaces: { names: many(() => 'X') }, serviceAccountNames: [LONG] };

/** Such metadata, on an object that is otherwise like this. */
export function withMetadata(rest: object): Record<string, object> {
  return each(largeMetadata, (part) => ({ ...rest, metadata: { ...metadata, ...part } }));
}

export function each(parts: Readonly<Record<string, object>>, make: (part: object) => object): Record<string, object> {
  return Object.fromEntries(Object.entries(parts).map(([sentence, part]) => [sentence, { metadata, ...make(part) }]));
}

/** A workload whose pods are like this, and which names the revision that waits. */
export const workloadOf = (podSpec: object) => ({
  spec: {
    updateStrategy: { type: 'OnDelete' },
    template: { metadata: { annotations: { 'irsa-operator.dev/restarted-at': LONG } }, spec: podSpec },
  },
});

/** A CronJob, and what is read of it as of a Job. */
export const cronJobOf = (podSpec: object) => ({
  spec: { template: { spec: podSpec }, jobTemplate: { spec: { template: { spec: podSpec } } } },
});
