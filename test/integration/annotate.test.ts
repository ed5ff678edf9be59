import { until } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { allowing, policy } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ACCOUNT, ROLE_ARN } from '../harness/views.ts';

/** Step 5 of the contract: the ServiceAccount's annotations, with the RBAC that ships. */
const PATIENCE = { timeoutMs: 60_000 };
const AUDIENCE = 'eks.amazonaws.com/audience';
const EXPIRATION = 'eks.amazonaws.com/token-expiration';
const REGIONAL = 'eks.amazonaws.com/sts-regional-endpoints';
const contendedBy = (manager: string) => `contention-${manager.toLowerCase()}`;
const OTHER_ROLE = `arn:aws:iam::${ACCOUNT}:role/other`;

const audiences = ['sts.amazonaws.com', 'vault'];
const suite = integrationSuite({ clientIds: audiences, grant: { audiences } });

/** A namespace whose ServiceAccount has annotations already. */
async function prepared(name: string, found: Record<string, string> = {}): Promise<Scene> {
  const s = await suite.scene(name);
  s.role();
  await s.serviceAccount(found);
  return s;
}

/** The fields that the API server keeps as ours. */
const ours = async (s: Scene) =>
  ((await s.account()).metadata.managedFields ?? [])
    .filter(({ manager }) => manager === 'irsa-operator')
    .map(({ operation, fieldsV1 }) => [operation, fieldsV1]);
const fields = (...keys: string[]) => [
  ['Apply', { 'f:metadata': { 'f:annotations': Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) } }],
];
async function annotationsAre(s: Scene, wanted: Record<string, string>): Promise<void> {
  await until(
    `the annotations of ${s.namespace} are ${JSON.stringify(wanted)}`,
    async () => {
      const found = await s.annotations();
      if (JSON.stringify(Object.entries(found ?? {}).toSorted()) !== JSON.stringify(Object.entries(wanted).toSorted()))
        throw new Error(JSON.stringify(found));
      return true;
    },
    PATIENCE,
  );
}

/** Each time when what we wrote was seen to stand. */
async function revertedThrice(s: Scene, manager: string): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await s.conditionIs('Ready', 'True', 'Ready');
    await s.annotate({ [ROLE_ARN]: OTHER_ROLE }, manager);
    if (round < 2) await annotationsAre(s, { [ROLE_ARN]: s.roleArn });
  }
}

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const overwrite = `Object{metadata: Object.metadata{annotations: {"${ROLE_ARN}": "${OTHER_ROLE}"}}}`;

/** Every change of a ServiceAccount of this namespace gets another role, within the request that makes the change. */
async function overwrittenByPolicy({ namespace }: Scene): Promise<void> {
  const metadata = { name: `overwrite-in-${namespace}` };
  const policySpec = {
    failurePolicy: 'Fail',
    reinvocationPolicy: 'Never',
    matchConstraints: {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['serviceaccounts'] }],
    },
    mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: overwrite } }],
  };
  await suite.api.call('POST', `${ADMISSION}/mutatingadmissionpolicies`, { body: { metadata, spec: policySpec } });
  const spec = { policyName: metadata.name };
  await suite.api.call('POST', `${ADMISSION}/mutatingadmissionpolicybindings`, { body: { metadata, spec } });
}

/** Codes of the operator's writes to the ServiceAccount. */
async function accountWrites(s: Scene): Promise<(number | undefined)[]> {
  return (await s.requests('serviceaccounts')).map(({ responseStatus }) => responseStatus?.code);
}

const notesOf = async (s: Scene, reason: string) => (await s.events(reason)).map(({ note }) => note);

const nonEmpty = <T>(list: readonly T[]) => list.length > 0 && list;

describe.concurrent('the annotations', () => {
  // Contract: annotate-own-keys
  test('are our keys only, and each goes when its field is taken out of the binding', async () => {
    const s = await prepared('keys', { team: 'shop' });
    await s.bind({ audience: 'vault', tokenExpirationSeconds: 3600, stsRegionalEndpoints: true });
    await s.conditionIs('Ready', 'True');
    const all = { team: 'shop', [ROLE_ARN]: s.roleArn, [AUDIENCE]: 'vault', [EXPIRATION]: '3600', [REGIONAL]: 'true' };
    await annotationsAre(s, all);
    expect(await ours(s)).toEqual(fields(AUDIENCE, ROLE_ARN, REGIONAL, EXPIRATION));
    await s.change({ tokenExpirationSeconds: 600, stsRegionalEndpoints: false });
    await annotationsAre(s, { ...all, [EXPIRATION]: '600', [REGIONAL]: 'false' });
    await s.change({ tokenExpirationSeconds: null, stsRegionalEndpoints: null, audience: null });
    await annotationsAre(s, { team: 'shop', [ROLE_ARN]: s.roleArn });
    expect(await ours(s)).toEqual(fields(ROLE_ARN));
    await s.conditionIs('Ready', 'True');
  });

  // Contract: annotate-own-keys
  test('that are right already are applied too, so that they can be removed', async () => {
    const s = await prepared('right', { team: 'shop' });
    await s.annotate({ [ROLE_ARN]: s.roleArn }, 'helm');
    await s.bind();
    await until('we hold the key', async () => (await ours(s)).length === 1, PATIENCE);
    expect(await ours(s)).toEqual(fields(ROLE_ARN));
    await s.conditionIs('Annotated', 'True', 'Annotated');
  });

  for (const [name, found, told] of [
    // The API server tracks who writes an object that had a field to begin with.
    ['replaced', { team: 'shop' }, `. Before, ${ROLE_ARN} was "${OTHER_ROLE}", set by "helm"`],
    ['unsigned', {}, `. Before, ${ROLE_ARN} was "${OTHER_ROLE}" (the API server has no name of the writer)`],
  ] as const) {
    // Contract: annotate-wrong
    test(`that are wrong are replaced, with one Event that names the old value and its field manager: ${name}`, async () => {
      const s = await prepared(name, found);
      await s.annotate({ [ROLE_ARN]: OTHER_ROLE }, 'helm');
      await s.bind();
      await annotationsAre(s, { ...found, [ROLE_ARN]: s.roleArn });
      const notes = await until('it is told', async () => nonEmpty(await notesOf(s, 'ServiceAccountAnnotated')), PATIENCE);
      expect(notes).toEqual([`set ${ROLE_ARN}: "${s.roleArn}" on ServiceAccount "app"${told}`]);
    });
  }

  // Contract: annotate-own-keys
  test('of somebody else are left alone where the binding has no value', async () => {
    const s = await prepared('foreign', { [EXPIRATION]: '1h', [REGIONAL]: 'true' });
    await s.bind();
    await s.conditionIs('Ready', 'True');
    await annotationsAre(s, { [ROLE_ARN]: s.roleArn, [EXPIRATION]: '1h', [REGIONAL]: 'true' });
    expect(await s.findings()).toEqual(['TokenExpirationInvalid']);
  });

  // Contract: annotate-awaiting, annotate-uid
  test('are written to a ServiceAccount that was deleted and made again; Ready is not held back meanwhile', async () => {
    const s = await prepared('again');
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    const { uid } = (await s.account()).metadata;
    await s.remove('serviceaccounts', 'app');
    await s.conditionIs('Annotated', 'Unknown', 'AwaitingServiceAccount');
    expect((await s.condition('Ready'))?.status).toBe('True');
    await s.serviceAccount();
    await annotationsAre(s, { [ROLE_ARN]: s.roleArn });
    expect((await s.account()).metadata.uid).not.toBe(uid);
    await s.conditionIs('Ready', 'True', 'Ready');
  });

  // Contract: drift-watched
  test('are repaired at once when a person changes them, and when somebody removes them', async () => {
    const s = await prepared('once');
    await s.bind();
    await s.conditionIs('Ready', 'True');
    await s.annotate({ [ROLE_ARN]: OTHER_ROLE }, 'kubectl-edit');
    await annotationsAre(s, { [ROLE_ARN]: s.roleArn });
    await s.conditionIs('Ready', 'True');
    await s.annotate({ [ROLE_ARN]: null }, 'kubectl-edit');
    await annotationsAre(s, { [ROLE_ARN]: s.roleArn });
    await s.conditionIs('Ready', 'True');
    expect(await accountWrites(s)).toEqual([200, 200, 200]);
  });

  /** By the names with which these tools sign, and what each has to be told. */
  const tools: Record<string, string> = {
    helm: "Helm: remove the key from the chart's values (serviceAccount.annotations), or set this role there",
    'kustomize-controller': 'Flux: remove the key from the manifest, or set this role there',
    'helm-controller': "Helm: remove the key from the chart's values (serviceAccount.annotations), or set this role there",
    Terraform: 'Terraform: remove the key from the resource, or lifecycle { ignore_changes = [metadata[0].annotations] }',
    'kubectl-client-side-apply': 'kubectl: remove the key from the manifest that is applied, or set this role there',
    somebody: 'Configure that client to ignore these keys',
  };
  for (const [manager, advice] of Object.entries(tools)) {
    // Contract: contention-annotation
    test(`that ${manager} reverts three times in ten minutes are Contended, with what to tell it`, async () => {
      const s = await prepared(contendedBy(manager));
      await s.bind();
      await revertedThrice(s, manager);
      const { message } = await s.conditionIs('Annotated', 'False', 'Contended');
      expect(message).toBe(
        `"${manager}" keeps overwriting the annotations of irsa-operator on ServiceAccount "app". ServiceAccount "app": annotation ${ROLE_ARN} is "${OTHER_ROLE}". Wanted: "${s.roleArn}". irsa-operator writes them at most once in 5 minutes. ${advice}`,
      );
    });
  }

  // Contract: contention-annotation
  test('that are reverted three times in ten minutes are Contended: the one who did it is named, and nothing is written for a while', async () => {
    const s = await prepared('contention');
    await s.bind();
    await revertedThrice(s, 'argocd-controller');
    const { message } = await s.conditionIs('Annotated', 'False', 'Contended');
    expect(message).toBe(
      `"argocd-controller" keeps overwriting the annotations of irsa-operator on ServiceAccount "app". ServiceAccount "app": annotation ${ROLE_ARN} is "${OTHER_ROLE}". Wanted: "${s.roleArn}". irsa-operator writes them at most once in 5 minutes. Argo CD: ignoreDifferences with managedFieldsManagers ["irsa-operator"], and the sync option RespectIgnoreDifferences=true`,
    );
    await s.conditionIs('Stalled', 'True', 'Contended');
    // Another change of theirs is no reason to write either.
    await s.annotate({ [ROLE_ARN]: `${OTHER_ROLE}-2` }, 'argocd-controller');
    await until('it is seen', async () => (await s.condition('Annotated'))?.message.includes(`${OTHER_ROLE}-2`), PATIENCE);
    expect(await s.annotations()).toEqual({ [ROLE_ARN]: `${OTHER_ROLE}-2` });
    expect(await accountWrites(s)).toEqual([200, 200, 200]);
    const told = await until('it is told', async () => nonEmpty(await notesOf(s, 'Contended')), PATIENCE);
    expect(told).toHaveLength(1);
    // Who gives in is believed at once.
    await s.annotate({ [ROLE_ARN]: s.roleArn }, 'argocd-controller');
    await s.conditionIs('Annotated', 'True');
    expect(await s.findings()).toEqual(['Contended']);
  });

  // Contract: annotate-own-request
  test("that a policy changes within the operator's own request are Contended at the third time, and the status says by what", async () => {
    const s = await prepared('policy', { team: 'shop' });
    await overwrittenByPolicy(s);
    await until(
      'the policy is in force',
      async () => {
        await s.annotate({ probe: `${performance.now()}` });
        return (await s.annotations())?.[ROLE_ARN] === OTHER_ROLE;
      },
      PATIENCE,
    );
    await s.bind();
    const { message } = await s.conditionIs('Annotated', 'False', 'Contended');
    expect(message).toBe(
      `a mutating webhook or policy keeps overwriting the annotations of irsa-operator on ServiceAccount "app". ServiceAccount "app": annotation ${ROLE_ARN} is "${OTHER_ROLE}". Wanted: "${s.roleArn}". irsa-operator writes them at most once in 5 minutes. Find it with kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies. Configure it to leave eks.amazonaws.com/* annotations alone`,
    );
    await s.conditionIs('Trusted', 'True');
    expect(await accountWrites(s)).toEqual([200, 200, 200]);
    expect(await notesOf(s, 'ServiceAccountAnnotated')).toEqual([]);
    await suite.api.call('DELETE', `${ADMISSION}/mutatingadmissionpolicybindings/overwrite-in-${s.namespace}`);
    // The other writer is gone: its own value is taken back, and that is believed at once.
    await until(
      'the policy is not in force any more',
      async () => {
        await s.annotate({ [ROLE_ARN]: s.roleArn });
        return (await s.annotations())?.[ROLE_ARN] === s.roleArn;
      },
      PATIENCE,
    );
    await s.conditionIs('Annotated', 'True');
  });

  test('of which one is malformed are told as such, and left alone in mode Observe', async () => {
    const s = await prepared('malformed', { [ROLE_ARN]: 'just-a-name' });
    s.role(policy(allowing(suite.testbed.issuer, s.subject)));
    await s.bind({ mode: 'Observe' });
    await s.conditionIs('Annotated', 'False', 'AnnotationMalformed');
    expect(await s.annotations()).toEqual({ [ROLE_ARN]: 'just-a-name' });
    expect((await s.binding()).status?.plan).toEqual([`annotate ServiceAccount "app" with ${ROLE_ARN}: "${s.roleArn}"`]);
  });

  // Contract: api-one-schema
  test('with a lifetime that the API server would not give are refused in the binding', async () => {
    const s = await prepared('lifetime');
    for (const tokenExpirationSeconds of [599, 86_401, 600.5, '600'])
      await expect(s.bind({ tokenExpirationSeconds })).rejects.toThrow(/tokenExpirationSeconds/);
  });
});
