import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { invalidRequest, openRequest, parseBindingSpec } from '../api/binding.ts';
import type { ServiceAccount } from '../api/cluster.ts';
import { CREDENTIAL_VARIABLES, FIELD_MANAGER } from '../api/names.ts';
import { annotationKeys, EKS_WEBHOOK } from '../api/webhook.ts';
import { declaredBy, roleAnnotation } from '../domain/audit/audit.ts';
import { POD_LABELS, podAnnotations, podState } from '../domain/pods/pod-state.ts';
import { heldByUs, invalidExpiration, otherWriters, wrongAnnotations } from '../domain/service-account/annotations.ts';
import { ARN, spec } from '../domain/test-observed.ts';
import type { Resource } from './list-watch.ts';
import * as resources from './resources.ts';
import {
  bindingSpec,
  cronJobOf,
  each,
  largeBindingSpec,
  largeGrantSpec,
  largePodSpec,
  largeStatus,
  withMetadata,
  workloadOf,
} from './test-large.ts';

/** Characters of what is kept of an object, as JSON. The worst are a pod with 128 containers, and a status, which only the operator writes. */
const MOST_KEPT = 40 * 1024;
const MOST_OF_STATUS = 144 * 1024;

const EKS_ANNOTATIONS = annotationKeys(EKS_WEBHOOK);
const { bindings, grants } = resources;
const [serviceAccounts, deployments, statefulSets, daemonSets] = [
  resources.serviceAccounts(EKS_WEBHOOK),
  resources.deployments(EKS_WEBHOOK),
  resources.statefulSets(EKS_WEBHOOK),
  resources.daemonSets(EKS_WEBHOOK),
] as const;
const pods = resources.pods({ labels: POD_LABELS, annotations: podAnnotations(EKS_WEBHOOK), webhook: EKS_WEBHOOK });
const podSpec = { containers: [{ name: 'app', image: 'x' }] };
const workload = { ...withMetadata(workloadOf(podSpec)), ...each(largePodSpec, workloadOf) };
const batch = { ...withMetadata(cronJobOf(podSpec)), ...each(largePodSpec, cronJobOf) };
const kinds: Record<string, { resource: Resource<unknown>; large: Record<string, object>; most?: number }> = {
  ServiceAccount: { resource: serviceAccounts, large: withMetadata({}) },
  IrsaBinding: {
    resource: bindings,
    large: { ...withMetadata({ spec: bindingSpec }), ...each({ 'a spec': largeBindingSpec }, (part) => ({ spec: part })) },
  },
  'status of an IrsaBinding': {
    resource: bindings,
    large: each(largeStatus, (status) => ({ spec: bindingSpec, status })),
    most: MOST_OF_STATUS,
  },
  IrsaGrant: { resource: grants, large: { ...withMetadata({}), ...each({ 'a spec': largeGrantSpec }, (part) => ({ spec: part })) } },
  Pod: { resource: pods, large: { ...withMetadata({ spec: podSpec }), ...each(largePodSpec, (part) => ({ spec: part })) } },
  Deployment: { resource: deployments, large: workload },
  StatefulSet: { resource: statefulSets, large: workload },
  DaemonSet: { resource: daemonSets, large: workload },
  Job: { resource: resources.jobs, large: batch },
  CronJob: { resource: resources.cronJobs, large: batch },
};

// Contract: bad-size
describe('of a large object little is kept:', () => {
  for (const [kind, { resource, large, most = MOST_KEPT }] of Object.entries(kinds))
    for (const [sentence, raw] of Object.entries(large))
      test(`${kind} with ${sentence}`, () => expect(JSON.stringify(resource.decode(raw)).length).toBeLessThan(most));
});

describe('what was parsed is let go, for a part of a text may hold the whole:', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const used = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  for (const [kind, { resource, large, most = MOST_KEPT }] of Object.entries(kinds)) {
    test(kind, () => {
      const texts = Object.values(large).map((raw) => Buffer.from(JSON.stringify(raw)));
      const decoded = () => texts.map((text) => resource.decode(JSON.parse(text.toString())));
      decoded(); // what the engine itself keeps of such objects is there from now on
      const before = used();
      const kept = decoded();
      expect((used() - before) / kept.length).toBeLessThan(2 * most); // two bytes a character at most
      expect(kept).toHaveLength(Object.keys(large).length);
    });
  }
});

const LONG = 'x'.repeat(300_000);
const account = (annotations: Record<string, string>, managedFields: object[] = []): ServiceAccount =>
  serviceAccounts.decode({
    metadata: { namespace: 'ns', name: 'app', annotations: { [EKS_ANNOTATIONS.roleArn]: ARN, ...annotations }, managedFields },
  });
const wrong = (found: ServiceAccount) => wrongAnnotations(found.annotations, spec()).map(({ code, message }) => [code, message]);

// Contract: bad-size
describe('what is decided of a large value stays right:', () => {
  test('a role that is longer than any ARN is malformed, and told with its beginning', () => {
    const found = account({ [EKS_ANNOTATIONS.roleArn]: `${ARN}${LONG}` });
    const message = `ServiceAccount "app": annotation eks.amazonaws.com/role-arn: "${`${ARN}${LONG}`.slice(0, 160)}...": the ARN of the role has ${ARN.length + LONG.length} characters, and IAM allows 613. Shorten it: IAM allows 64 for the name, and 512 for the path. The role of the binding is "${ARN}"`;
    expect([wrong(found), declaredBy(found)]).toEqual([[['AnnotationMalformed', message]], undefined]);
  });

  const lengths: [length: number, whole: boolean][] = [
    [613, true],
    [614, true],
    [615, false],
  ];
  test.each(lengths)('a role of %i characters is the same role: %s', (length, whole) => {
    const value = `arn:aws-us-gov:iam::111122223333:role/${'p'.repeat(510)}/`.padEnd(length, 'n');
    expect(roleAnnotation(account({ [EKS_ANNOTATIONS.roleArn]: value })) === value).toBe(whole);
    expect(declaredBy(account({ [EKS_ANNOTATIONS.roleArn]: value })) !== undefined).toBe(length === 613);
  });

  test('an audience that begins with the right one is another', () => {
    const found = account({ [EKS_ANNOTATIONS.audience]: `sts.amazonaws.com${LONG}` });
    expect([wrong(found).map(([code]) => code), declaredBy(found)]).toEqual([['AudienceAnnotationMismatch'], undefined]);
  });

  test('the length of an audience that is not kept whole is said in its place', () => {
    const { annotations } = account({ [EKS_ANNOTATIONS.audience]: LONG });
    const audience = annotations[EKS_ANNOTATIONS.audience];
    expect(parseBindingSpec({ serviceAccountName: 'app', roleArn: ARN, audience })).toEqual({
      problem: `spec.audience: the audience has ${LONG.length} characters, and IAM allows 255. Shorten it`,
    });
  });

  test('a token expiration with a hundred thousand digits is no number', () =>
    expect(invalidExpiration(account({ [EKS_ANNOTATIONS.tokenExpiration]: '9'.repeat(100_000) }), spec()).map(({ code }) => code)).toEqual([
      'TokenExpirationInvalid',
    ]));

  test('among thousands of writers we are still known, and a few of the others', () => {
    const fields = { 'f:metadata': { 'f:annotations': { [`f:${EKS_ANNOTATIONS.roleArn}`]: {} } } };
    const by = (manager: string) => ({ manager, operation: 'Apply', time: '2026-01-01T00:00:00Z', fieldsV1: fields });
    const found = account({}, [...Array.from({ length: 2_000 }, (_, index) => by(`m${index}`)), by(FIELD_MANAGER)]);
    expect(heldByUs(found, EKS_ANNOTATIONS.roleArn)).toBe(Date.UTC(2026, 0, 1));
    expect(otherWriters(found, { [EKS_ANNOTATIONS.roleArn]: 'x' })).toHaveLength(8);
  });

  const request = 'IrsaBinding "app": annotation irsa-operator.dev/reconcile-requested-at has';
  const tooLong = (length: number) =>
    `${request} ${length} characters, and irsa-operator allows 253. It requests nothing. Set a shorter value, for example the time`;
  const requests: Record<string, { value: string; says?: string }> = {
    'of 253 characters is one': { value: 'r'.repeat(253) },
    'of 254 characters is none': { value: 'r'.repeat(254), says: tooLong(254) },
    'that is too long is none': { value: LONG, says: tooLong(LONG.length) },
    'with a line end is none': {
      value: 'now\n',
      says: `${request} a character that is not printable ASCII. It requests nothing. Set another value, for example the time`,
    },
  };
  for (const [sentence, { value, says }] of Object.entries(requests))
    test(`a request ${sentence}, and it is said why`, () => {
      const annotations = { 'irsa-operator.dev/reconcile-requested-at': value };
      const found = bindings.decode({ metadata: { name: 'app', annotations }, spec: bindingSpec });
      expect(openRequest(found)).toBe(says === undefined ? value : undefined);
      expect(invalidRequest(found).map(({ message }) => message)).toEqual(says === undefined ? [] : [says]);
    });

  test('a list of roles that is too long is not as if there were none', () => {
    const roles = Array.from({ length: 20 }, (_, index) => ({ arn: `${ARN}${index}`, roleId: 'A', audience: 'a', sid: 's' }));
    const { status } = bindings.decode({ spec: bindingSpec, status: { roles: [{}, ...roles] } });
    expect(status.roles).toEqual(roles.slice(0, 16));
  });
});

const TOKEN = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';
const desired = { roleArn: ARN, audience: 'sts.amazonaws.com' };
const volumes = [
  { name: 'aws-iam-token', projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'sts.amazonaws.com' } }] } },
];
const env = (role: string) => [
  { name: 'AWS_ROLE_ARN', value: role },
  { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: TOKEN },
];
const containers = (count: number, role: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => ({
    name: `app-${index}`,
    env: env(role(index)),
    volumeMounts: [{ name: 'aws-iam-token', mountPath: EKS_WEBHOOK.tokenMountPath }],
  }));
const stateOf = (part: object, annotations: object = {}) => {
  const state = podState(pods.decode({ metadata: { namespace: 'ns', name: 'a', annotations }, spec: { volumes, ...part } }), desired);
  return 'finding' in state ? state.finding.code : state.kind;
};
describe('the state of a large pod stays right:', () => {
  const cases: Record<string, { part: object; annotations?: object; state: string }> = {
    'with the role in each of sixty containers': { part: { containers: containers(60, () => ARN) }, state: 'current' },
    'with the role in thousands of containers': { part: { containers: containers(2_000, () => ARN) }, state: 'current' },
    'without a role in the last of sixty': {
      part: { containers: containers(60, () => ARN).map((one, index) => (index === 59 ? { name: one.name } : one)) },
      state: 'PodCredentialsMissing',
    },
    'with another role in each, and the right one last': {
      part: { containers: containers(60, (index) => (index === 59 ? ARN : `${ARN}-${index}`)) },
      state: 'PodRoleArnStale',
    },
    'with a role that begins with the right one': { part: { containers: containers(1, () => `${ARN}${LONG}`) }, state: 'PodRoleArnStale' },
    'with variables of no concern by the thousand before it': {
      part: {
        containers: containers(1, () => ARN).map((one) => ({
          ...one,
          env: [...Array.from({ length: 2_000 }, (_, index) => ({ name: `AWS_${index}`, value: LONG })), ...one.env],
        })),
      },
      state: 'current',
    },
    'with the names of all its containers in the annotation that skips them': {
      part: { containers: containers(60, () => 'other').map((one) => ({ ...one, name: one.name.padEnd(63, 'x') })) },
      annotations: {
        'eks.amazonaws.com/skip-containers': containers(60, () => '')
          .map(({ name }) => name.padEnd(63, 'x'))
          .join(),
      },
      state: 'ContainerSkipped',
    },
    'with a token for an audience that begins with the right one': {
      part: {
        containers: containers(1, () => ARN),
        volumes: [
          {
            name: 'aws-iam-token',
            projected: { sources: [{ serviceAccountToken: { path: 'token', audience: `sts.amazonaws.com${LONG}` } }] },
          },
        ],
      },
      state: 'PodAudienceStale',
    },
  };
  for (const [sentence, { part, annotations, state }] of Object.entries(cases))
    test(sentence, () => expect(stateOf(part, annotations)).toBe(state));

  test('every variable that is looked at is kept', () => {
    const looked = new Set<string | symbol>();
    const note = (key: string | symbol): true => {
      looked.add(key);
      return true;
    };
    const env = new Proxy({}, { has: (_, key) => note(key), get: (_, key) => note(key) && ARN });
    const container = { name: 'app-0', env, mountsToken: false };
    const pod = { ...pods.decode({ spec: { volumes } }), containers: [container] };
    const maker = { kind: 'Deployment', name: 'app', template: { containers: [container], hasTokenVolume: false } } as const;
    for (const made of [undefined, maker]) podState(pod, desired, made);
    expect([...looked].filter((name) => !CREDENTIAL_VARIABLES.some((known) => known === name))).toEqual([]);
    expect(looked.size).toBeGreaterThan(2);
  });
});
