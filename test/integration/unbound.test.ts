import { type Api, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { ACCOUNT, ROLE_ARN, type Scene, scene } from '../harness/scene.ts';

/** ServiceAccounts that no binding names, on the real control plane: what is told of them, and that nothing is written and nothing asked that no grant allows. */
const PATIENCE = { timeoutMs: 60_000 };
const OPERATOR_NAMESPACE = 'irsa-operator-system';
/** Sweeps come every 2 s: what was not asked in so many of them is not asked. */
const SWEEPS = 3;

let testbed: Testbed;
let api: Api;
let operator: RunningOperator;

beforeAll(async () => {
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  testbed.aws.account().provider.put({ issuer: testbed.issuer, clientIds: ['sts.amazonaws.com'] });
  await install(testbed);
  operator = await startOperator(testbed, ['--sweep-interval', '2s']);
});

afterAll(async () => {
  expect(await operator?.stop()).toBe(0);
  api?.close();
  await testbed?.stop();
});

const trusting = (subject: string) => {
  const key = testbed.issuer.slice('https://'.length);
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${key}` },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringEquals: { [`${key}:sub`]: subject, [`${key}:aud`]: 'sts.amazonaws.com' } },
      },
    ],
  };
};

async function granted(s: Scene): Promise<void> {
  const spec = { roleArns: [`${s.roleArn}*`], namespaces: { names: [s.namespace] }, serviceAccountNames: ['*'] };
  const body = { apiVersion: 'irsa-operator.dev/v1alpha1', kind: 'IrsaGrant', metadata: { name: s.namespace }, spec };
  await api.call('POST', '/apis/irsa-operator.dev/v1alpha1/irsagrants', { body });
}

/** The value of the series of a ServiceAccount; undefined where there is none. */
async function series(s: Scene, name = 'app'): Promise<string | undefined> {
  const text = await (await fetch(`${operator.url}/metrics`)).text();
  const labels = `irsa_serviceaccount_trusted{namespace="${s.namespace}",service_account="${name}"} `;
  return text
    .split('\n')
    .find((line) => line.startsWith(labels))
    ?.slice(labels.length);
}
const becomes = (s: Scene, value: string | undefined, name = 'app') =>
  until(`the series of ${s.namespace}/${name} is ${value}`, async () => (await series(s, name)) === value, PATIENCE);

interface Event {
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string; readonly uid?: string };
}
const eventsIn = async (namespace: string) =>
  (await api.call<{ items: Event[] }>('GET', `/apis/events.k8s.io/v1/namespaces/${namespace}/events`)).items;
const told = (s: Scene, reason: string) =>
  until(
    `${reason} is told of ${s.namespace}`,
    async () => (await eventsIn(OPERATOR_NAMESPACE)).find((event) => event.reason === reason && event.note.includes(`"${s.namespace}/`)),
    PATIENCE,
  );

const asked = (s: Scene) => testbed.aws.journal.filter(({ params }) => params['RoleName']?.startsWith(s.roleName));
const sweeps = () => testbed.aws.journal.filter(({ operation }) => operation === 'ListRoles').length;
async function afterSweeps(): Promise<void> {
  const before = sweeps();
  await until(`${SWEEPS} more sweeps`, () => sweeps() >= before + SWEEPS, PATIENCE);
}

/** What the operator wrote in the namespace: Events too would be there. */
async function writesIn(s: Scene): Promise<string[]> {
  return (await testbed.auditEvents())
    .filter(({ user, objectRef }) => user.username.endsWith(':irsa-operator') && objectRef?.namespace === s.namespace)
    .map(({ verb, objectRef }) => `${verb} ${objectRef?.resource}`);
}

describe('a ServiceAccount that asks for a role and that no binding names', () => {
  // Contract: unbound-audit
  test('is audited where a grant covers it: by the trust policy that the list of roles shows, without a write or a call of its own', async () => {
    const s = await scene(testbed, api, 'covered');
    testbed.aws.account().role.put({ name: s.roleName, trustPolicy: trusting(s.subject) });
    await granted(s);
    await s.serviceAccount({ [ROLE_ARN]: s.roleArn });
    await becomes(s, '1');
    testbed.aws.account().role.put({ name: s.roleName, trustPolicy: trusting(s.subject.replace(':covered', ': covered')) });
    await becomes(s, '0');
    const { note, regarding } = await told(s, 'TrustSubjectWhitespace');
    expect(note).toMatch(/^ServiceAccount "covered\/app", which no binding names: .*"system:serviceaccount: covered:app"/);
    const lease = await api.call<{ metadata: { uid: string } }>(
      'GET',
      `/apis/coordination.k8s.io/v1/namespaces/${OPERATOR_NAMESPACE}/leases/irsa-operator`,
    );
    expect(regarding).toMatchObject({ kind: 'Lease', name: 'irsa-operator', uid: lease.metadata.uid });
    expect(
      operator.log.filter(({ key, controller }) => controller === 'unbound' && key === 'covered/app').map(({ level }) => level),
    ).toEqual(['warn']);
    expect([asked(s), await writesIn(s), await eventsIn(s.namespace)]).toEqual([[], [], []]);
  });

  // Contract: unbound-audit
  test('has its role read by name where the list does not show it and a grant covers it', async () => {
    const s = await scene(testbed, api, 'absent');
    await granted(s);
    await s.serviceAccount({ [ROLE_ARN]: s.roleArn });
    await becomes(s, '0');
    await told(s, 'RoleNotFound');
    expect([...new Set(asked(s).map(({ operation, code }) => `${operation} ${code}`))]).toEqual(['GetRole NoSuchEntity']);
    expect(await writesIn(s)).toEqual([]);
  });

  // Contract: unbound-audit, unbound-slips
  test('teaches nobody anything where no grant covers it, whether the role exists, trusts it, or not', async () => {
    const s = await scene(testbed, api, 'uncovered');
    testbed.aws.account().role.put({ name: `${s.roleName}-trusting`, trustPolicy: trusting(`system:serviceaccount:uncovered:trusted`) });
    testbed.aws.account().role.put({ name: `${s.roleName}-other`, trustPolicy: trusting(`system:serviceaccount:elsewhere:app`) });
    for (const [name, role] of [
      ['trusted', `${s.roleArn}-trusting`],
      ['refused', `${s.roleArn}-other`],
      ['absent', `${s.roleArn}-absent`],
    ] as const)
      await s.serviceAccount({ [ROLE_ARN]: role }, name);
    // Somebody else's grant keeps the sweeps going.
    const other = await scene(testbed, api, 'uncovered-beside');
    testbed.aws.account().role.put({ name: other.roleName, trustPolicy: trusting(other.subject) });
    await granted(other);
    await other.serviceAccount({ [ROLE_ARN]: other.roleArn });
    await becomes(other, '1');
    await afterSweeps();
    expect(await Promise.all(['trusted', 'refused', 'absent'].map((name) => series(s, name)))).toEqual([undefined, undefined, undefined]);
    expect((await eventsIn(OPERATOR_NAMESPACE)).filter(({ note }) => note.includes('"uncovered/'))).toEqual([]);
    expect(operator.log.filter(({ key }) => String(key).startsWith('uncovered/'))).toEqual([]);
    expect([asked(s), await writesIn(s), await eventsIn(s.namespace)]).toEqual([[], [], []]);
  });

  // Contract: unbound-slips
  test('is told of a misspelt key and of what is no ARN, with or without a grant', async () => {
    const s = await scene(testbed, api, 'slips');
    await s.serviceAccount({ 'eks.amazon.com/role-arn': s.roleArn });
    await s.serviceAccount({ [ROLE_ARN]: 'lbc' }, 'bare');
    await becomes(s, '0');
    await becomes(s, '0', 'bare');
    expect((await told(s, 'AnnotationKeyMisspelt')).note).toBe(
      'ServiceAccount "slips/app", which no binding names: the webhook does not read the annotation "eks.amazon.com/role-arn"; wanted is "eks.amazonaws.com/role-arn": rename it, and restart the pods',
    );
    expect((await told(s, 'AnnotationMalformed')).note).toContain('"slips/bare"');
    expect([asked(s), await writesIn(s), await eventsIn(s.namespace)]).toEqual([[], [], []]);
  });

  // Contract: report-series
  test('leaves no series when it is bound, and none when it is gone', async () => {
    const s = await scene(testbed, api, 'leaving');
    testbed.aws.account().role.put({ name: s.roleName, trustPolicy: trusting(s.subject) });
    await granted(s);
    await s.serviceAccount({ [ROLE_ARN]: s.roleArn });
    await s.serviceAccount({ [ROLE_ARN]: s.roleArn }, 'other');
    await becomes(s, '1');
    await becomes(s, '0', 'other');
    await s.bind();
    await becomes(s, undefined);
    await s.conditionIs('Ready', 'True');
    expect(await series(s, 'other')).toBe('0');
    await api.call('DELETE', `/api/v1/namespaces/${s.namespace}/serviceaccounts/other`);
    await becomes(s, undefined, 'other');
    expect((await (await fetch(`${operator.url}/metrics`)).text()).includes('irsa_serviceaccount_trusted{namespace="leaving"')).toBe(false);
  });
});
