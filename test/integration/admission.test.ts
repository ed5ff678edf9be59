import { type Api, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BindingSpec, parseBindingSpec } from '../../src/api/binding.ts';
import { desiredAnnotations } from '../../src/domain/service-account/annotations.ts';
import { binding, pathOf } from '../harness/objects.ts';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { inWords, openScene, type Scene } from '../harness/scene.ts';
import { SWEEP } from '../harness/suite.ts';
import { ACCOUNT, type Binding, ROLE_ARN, type ServiceAccount, uidsOf } from '../harness/views.ts';

/**
 * config/admission: the API server annotates in the request that creates a ServiceAccount. First the policy alone, with statuses that are
 * written by hand; then beside the operator. What would be made is asked by dry runs, which pass through admission and leave nothing.
 */
const PATIENCE = { timeoutMs: 60_000 };
const POLICY = 'irsa-operator-admission';
const TWIN = 'twin-that-fails';
const AUDIENCE = 'eks.amazonaws.com/audience';
const EXPIRATION = 'eks.amazonaws.com/token-expiration';
const REGIONAL = 'eks.amazonaws.com/sts-regional-endpoints';
const FINALIZER = 'irsa-operator.dev/finalizer';
const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;

let testbed: Testbed;
let api: Api;

beforeAll(async () => {
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  for (const name of ['here', 'elsewhere']) await api.call('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
});

afterAll(async () => {
  api?.close();
  await testbed?.stop();
});

type Annotations = Record<string, string>;
const accountsOf = (namespace: string) => pathOf('serviceaccounts', { namespace });

/** The annotations of what a creation would make. */
async function wouldCarry(name: string, annotations: Annotations = {}, namespace = 'here'): Promise<Annotations> {
  const made = await api.call<ServiceAccount>('POST', `${accountsOf(namespace)}?dryRun=All`, { body: { metadata: { name, annotations } } });
  return made.metadata.annotations ?? {};
}

async function untilCarries(name: string, wanted: Annotations, namespace = 'here'): Promise<void> {
  await until(
    `a new ServiceAccount ${namespace}/${name} carries ${JSON.stringify(wanted)}`,
    async () => {
      const found = await wouldCarry(name, {}, namespace);
      if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(JSON.stringify(found));
      return true;
    },
    PATIENCE,
  );
}

interface Given {
  readonly namespace?: string;
  readonly spec?: object;
  readonly status?: 'True' | 'False';
  readonly finalizers?: string[];
}

/** A binding with the status that the operator would give it, for the ServiceAccount of its name. */
async function authorized(name: string, { namespace = 'here', spec = {}, status = 'True', finalizers = [] }: Given = {}): Promise<void> {
  const body = { ...binding({ serviceAccountName: name, roleArn: role(name), ...spec }), metadata: { name, finalizers } };
  const { metadata } = await api.call<Binding>('POST', pathOf('irsabindings', { namespace }), { body });
  const condition = {
    type: 'Authorized',
    status,
    observedGeneration: metadata.generation,
    lastTransitionTime: '2026-01-01T00:00:00Z',
    reason: status === 'True' ? 'Granted' : 'NotGranted',
    message: 'written by the test',
  };
  await api.call('PATCH', `${pathOf('irsabindings', { namespace, name })}/status`, {
    patch: 'merge',
    body: { status: { observedGeneration: metadata.generation, conditions: [condition] } },
  });
}

/** Acts while there is the same policy once more, but that it refuses what it cannot evaluate. */
async function withTwin(act: () => Promise<void>): Promise<void> {
  const rendered = await testbed.kubectl(['kustomize', 'config/admission']);
  const twin = rendered.replaceAll(POLICY, TWIN).replace('failurePolicy: Ignore', 'failurePolicy: Fail');
  await testbed.kubectl(['apply', '-f', '-'], { input: twin });
  await act();
  await testbed.kubectl(['delete', '-f', '-'], { input: twin });
  await until(`${TWIN} is gone`, async () => Object.keys(await wouldCarry('probe')).length === 0, PATIENCE);
}

/** Who refuses the creation of a ServiceAccount; the policy that ships was there before the twin. */
async function untilOnlyTwinRefuses(): Promise<void> {
  const said = await until(
    'the twin refuses',
    async () => {
      try {
        await wouldCarry('probe');
        return undefined;
      } catch (error) {
        return String(error);
      }
    },
    PATIENCE,
  );
  expect(said).toContain(`policy "${TWIN}" denied request: failed to configure policy`);
  expect(said).not.toContain(POLICY);
}

// Contract: annotate-admission-ignore
test('before the CRDs are there nobody is kept from creating a ServiceAccount', async () => {
  await testbed.kubectl(['apply', '-k', 'config/admission']);
  await withTwin(untilOnlyTwinRefuses);
  expect(await wouldCarry('early')).toEqual({});
  await install(testbed);
  await authorized('early');
  await untilCarries('early', { [ROLE_ARN]: role('early') });
});

describe('the policy alone', () => {
  interface Deviation extends Given {
    /** What happens after the status was written. */
    readonly afterwards?: (path: string) => Promise<unknown>;
    /** Other annotations than none. */
    readonly carries?: Annotations;
  }
  const deviations: Record<string, Deviation & { name: string }> = {
    'that is not authorized': { name: 'refused', status: 'False' },
    'that changed since it was authorized': {
      name: 'changed',
      afterwards: (path) => api.call('PATCH', path, { patch: 'merge', body: { spec: { roleArn: role('other') } } }),
    },
    'of which nothing is reported': {
      name: 'silent',
      afterwards: (path) => api.call('PATCH', `${path}/status`, { patch: 'merge', body: { status: null } }),
    },
    'that only observes': { name: 'observes', spec: { mode: 'Observe' } },
    'that is suspended': { name: 'suspended', spec: { suspend: true } },
    'that is being deleted': { name: 'deleting', finalizers: [FINALIZER], afterwards: (path) => api.call('DELETE', path) },
    'of another namespace': { name: 'foreign', namespace: 'elsewhere' },
    'of another ServiceAccount': { name: 'another', spec: { serviceAccountName: 'not-another' } },
  };
  const cases: Record<string, { name: string; spec?: object; found?: Annotations }> = {
    'the role': { name: 'role' },
    'the role in place of a wrong one': { name: 'wrong', found: { [ROLE_ARN]: role('planted'), team: 'shop' } },
    'the role in place of nothing at all': { name: 'empty', found: { [ROLE_ARN]: '' } },
    'another audience than the default': { name: 'vault', spec: { audience: 'vault' }, found: { [AUDIENCE]: 'planted' } },
    'the default audience to correct another': { name: 'planted', found: { [AUDIENCE]: 'planted' } },
    'the lifetime and the kind of endpoint that the binding names': {
      name: 'settings',
      spec: { tokenExpirationSeconds: 3600, stsRegionalEndpoints: true },
      found: { [EXPIRATION]: '86400', [REGIONAL]: 'planted' },
    },
    'an endpoint that is not to be regional': { name: 'global', spec: { stsRegionalEndpoints: false } },
    'no lifetime and no kind of endpoint that the binding does not name': {
      name: 'unnamed',
      found: { [EXPIRATION]: '900', [REGIONAL]: 'true', team: 'shop' },
    },
  };

  beforeAll(async () => {
    await api.call('POST', accountsOf('here'), { body: { metadata: { name: 'updated' } } });
    for (const { name, afterwards, ...given } of Object.values(deviations)) {
      await authorized(name, given);
      await afterwards?.(pathOf('irsabindings', { namespace: given.namespace ?? 'here', name }));
    }
    for (const { name, spec = {} } of Object.values(cases)) await authorized(name, { spec });
    await authorized('updated');
    await authorized('foreign-too', { namespace: 'elsewhere' });
    // The API server follows bindings in the order of their changes: when it knows the last one, it knows all of them.
    await authorized('last');
    await untilCarries('last', { [ROLE_ARN]: role('last') });
  });

  for (const [sentence, { name }] of Object.entries(deviations)) {
    // Contract: annotate-admission-only
    test(`annotates nothing for a binding ${sentence}`, async () => {
      expect(await wouldCarry(name)).toEqual({});
      expect(await wouldCarry(name, { [ROLE_ARN]: 'of somebody else' })).toEqual({ [ROLE_ARN]: 'of somebody else' });
    });
  }

  test('annotates for a binding of that other namespace there', async () => {
    expect(await wouldCarry('foreign', {}, 'elsewhere')).toEqual({ [ROLE_ARN]: role('foreign') });
  });

  for (const [sentence, { name, spec = {}, found = {} }] of Object.entries(cases)) {
    // Contract: annotate-admission
    test(`sets what the operator would set: ${sentence}`, async () => {
      const account = { namespace: 'here', name, uid: '', resourceVersion: '', annotations: found, misspelt: [], writers: {} };
      const parsed = parseBindingSpec({ serviceAccountName: name, roleArn: role(name), ...spec }) as BindingSpec;
      expect(await wouldCarry(name, found)).toEqual({ ...found, ...desiredAnnotations(parsed, account) });
    });
  }

  // Contract: annotate-admission-only
  test('leaves a ServiceAccount alone that is changed', async () => {
    const path = `${accountsOf('here')}/updated`;
    const made = await api.call<ServiceAccount>('PATCH', path, { patch: 'merge', body: { metadata: { annotations: { team: 'shop' } } } });
    expect(made.metadata.annotations).toEqual({ team: 'shop' });
  });

  test('annotates what kubectl apply creates, on the side of the client and of the server, and a second apply takes nothing away', async () => {
    for (const [name, flags] of [
      ['role', []],
      ['last', ['--server-side', '--field-manager=flux']],
    ] as const) {
      for (const labels of [{ round: 'first' }, { round: 'second' }]) {
        const manifest = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'here', labels } };
        await testbed.kubectl(['apply', ...flags, '-f', '-'], { input: JSON.stringify(manifest) });
        const { metadata } = await api.call<ServiceAccount>('GET', `${accountsOf('here')}/${name}`);
        expect(metadata.annotations?.[ROLE_ARN]).toBe(role(name));
      }
    }
  });

  // Contract: annotate-admission-ignore
  test('does not mind a name that is generated', async () => {
    const body = { metadata: { generateName: 'role' } };
    const { metadata } = await api.call<ServiceAccount>('POST', `${accountsOf('here')}?dryRun=All`, { body });
    expect(metadata.annotations).toBeUndefined();
  });
});

describe('beside the operator', () => {
  let operator: RunningOperator;

  beforeAll(async () => {
    testbed.aws.account().provider.put({ issuer: testbed.issuer });
    const names = ['first', 'late', 'bare', 'competing-bindings'];
    await (await openScene(testbed, api, 'first')).grant({
      roleArns: [role('role-of-*')],
      namespaces: { names },
      serviceAccountNames: ['app'],
    });
    operator = await startOperator(testbed, SWEEP);
  });

  afterAll(async () => {
    await operator?.stop();
  });

  async function prepared(name: string): Promise<Scene> {
    const s = await openScene(testbed, api, name);
    s.role();
    return s;
  }
  const ownersOfRole = async (s: Scene) =>
    ((await s.account()).metadata.managedFields ?? [])
      .filter(({ fieldsV1 }) => `f:${ROLE_ARN}` in (fieldsV1['f:metadata']?.['f:annotations'] ?? {}))
      .map(({ manager, operation }) => `${manager} ${operation}`);

  /** What the operator did to ServiceAccounts and pods of the namespace. */
  const doneIn = async (s: Scene) => (await s.requests('serviceaccounts', 'pods')).map(inWords);

  // Contract: annotate-admission
  test('who binds first gets pods that STS lets in from the first, and none of them is ever restarted', async () => {
    const s = await prepared('first');
    await s.bind();
    await s.conditionIs('Ready', 'True', 'AwaitingServiceAccount');
    await untilCarries('app', { [ROLE_ARN]: s.roleArn }, s.namespace);
    await s.serviceAccount({ team: 'shop' });
    await s.deployment();
    const first = await s.allReady();
    await s.conditionIs('Ready', 'True', 'Ready');
    // The operator takes over what nobody holds, with one write that changes no value.
    await until('the operator holds the key', async () => (await ownersOfRole(s)).length > 0, PATIENCE);
    expect(await ownersOfRole(s)).toEqual(['irsa-operator Apply']);
    // Whatever it would do to these pods, it has done when it has restarted others, which it came to know later.
    const late = await prepared('late');
    await late.deployment();
    await late.serviceAccount();
    await late.refused();
    await late.bind();
    await late.allReady();
    await late.conditionIs('Ready', 'True', 'Ready');
    expect(await doneIn(late)).toContain('201 create pods/eviction');
    const pods = await s.pods();
    expect(uidsOf(pods)).toEqual(uidsOf(first));
    expect(pods.map(({ status }) => status.containerStatuses?.[0]?.restartCount)).toEqual([0, 0]);
    expect(await doneIn(s)).toEqual(['200 patch serviceaccounts']);
    // Numbers of pods are written every 30 s at most.
    const status = await until(
      'both pods are counted',
      async () => {
        const { status: now } = await s.binding();
        return now?.pods?.total === 2 && now;
      },
      PATIENCE,
    );
    expect(status.pods).toEqual({ total: 2, current: 2, stale: 0, exempt: 0, summary: '2/2' });
    expect(status.restarts).toBeUndefined();
    // And though the API server wrote it, it goes with the binding.
    await s.unbind();
    await until('the annotation is gone', async () => (await s.annotations())?.[ROLE_ARN] === undefined, PATIENCE);
    expect(await s.annotations()).toEqual({ team: 'shop' });
  });

  test('of a ServiceAccount without any field of its own the annotation stays: to the API server it was there before the operator', async () => {
    const s = await prepared('bare');
    await s.bind();
    await s.conditionIs('Ready', 'True', 'AwaitingServiceAccount');
    await untilCarries('app', { [ROLE_ARN]: s.roleArn }, s.namespace);
    await s.serviceAccount();
    await until('the operator holds the key', async () => (await ownersOfRole(s)).includes('irsa-operator Apply'), PATIENCE);
    expect((await ownersOfRole(s)).toSorted()).toEqual(['before-first-apply Update', 'irsa-operator Apply']);
    await s.unbind();
    await until('the operator lets go', async () => !(await ownersOfRole(s)).includes('irsa-operator Apply'), PATIENCE);
    expect(await s.annotations()).toEqual({ [ROLE_ARN]: s.roleArn });
  });

  // Contract: annotate-admission-only
  test('of two bindings for one ServiceAccount the older one annotates, and the newer one when the older one is suspended', async () => {
    const s = await prepared('competing-bindings');
    await s.bind();
    await s.conditionIs('Authorized', 'True');
    await s.bind({ roleArn: role('role-of-first') }, 'newer');
    await s.conditionIs('Authorized', 'False', 'ServiceAccountTaken', 'newer');
    await untilCarries('app', { [ROLE_ARN]: s.roleArn }, s.namespace);
    await s.change({ suspend: true });
    await untilCarries('app', { [ROLE_ARN]: role('role-of-first') }, s.namespace);
  });
});

// Contract: annotate-admission-ignore
test('after the CRDs are gone nobody is kept from creating a ServiceAccount', async () => {
  // Nobody leads any more who would let them go.
  const { items } = await api.call<{ items: Binding[] }>('GET', pathOf('irsabindings'));
  for (const { metadata } of items)
    await api.call('PATCH', pathOf('irsabindings', metadata), { patch: 'merge', body: { metadata: { finalizers: null } } });
  await testbed.kubectl(['delete', '-k', 'crds', '--timeout=60s']);
  expect(await wouldCarry('role-of-none')).toEqual({});
  await api.call('POST', accountsOf('here'), { body: { metadata: { name: 'after-all' } } });
});
