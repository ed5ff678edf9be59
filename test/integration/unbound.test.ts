import { until } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { LEASE, OPERATOR_NAMESPACE, pathOf } from '../harness/objects.ts';
import { allowing, policy } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { type Event, ROLE_ARN, type ServiceAccount } from '../harness/views.ts';

/** ServiceAccounts that no binding names, on the real control plane: what is told of them, and that nothing is written and nothing asked that no grant allows. */
const PATIENCE = { timeoutMs: 60_000 };

const suite = integrationSuite();
const { scene, secondLook } = suite;
const trusting = (subject: string) => policy(allowing(suite.testbed.issuer, subject));
/** Of the role, and of those whose names begin with it. */
const granted = (s: Scene) => s.grant({ roleArns: [`${s.roleArn}*`] });

/** The value of the series of a ServiceAccount; undefined where there is none. */
async function series(s: Scene, name = 'app'): Promise<string | undefined> {
  const labels = `irsa_serviceaccount_trusted{namespace="${s.namespace}",service_account="${name}"} `;
  return (await suite.metrics())
    .split('\n')
    .find((line) => line.startsWith(labels))
    ?.slice(labels.length);
}
const becomes = (s: Scene, value: string | undefined, name = 'app') =>
  until(`the series of ${s.namespace}/${name} is ${value}`, async () => (await series(s, name)) === value, PATIENCE);

const eventsIn = async (namespace: string) => (await suite.api.call<{ items: Event[] }>('GET', pathOf('events', { namespace }))).items;
const told = (s: Scene, reason: string) =>
  until(
    `${reason} is told of ${s.namespace}`,
    async () => (await eventsIn(OPERATOR_NAMESPACE)).find((event) => event.reason === reason && event.note.includes(`"${s.namespace}/`)),
    PATIENCE,
  );

const asked = (s: Scene) => suite.testbed.aws.journal.filter(({ params }) => params['RoleName']?.startsWith(s.roleName));
/** What the operator wrote in the namespace, Events too. */
const written = async (s: Scene) => [await s.requests(), await s.events()];

describe('a ServiceAccount that asks for a role and that no binding names', () => {
  // Contract: unbound-audit
  test('is audited where a grant covers it: by the trust policy that the list of roles shows, without a write or a call of its own', async () => {
    const s = await scene('covered');
    s.role(trusting(s.subject));
    await granted(s);
    await s.serviceAccount({ [ROLE_ARN]: s.roleArn });
    await becomes(s, '1');
    s.role(trusting(s.subject.replace(':covered', ': covered')));
    await becomes(s, '0');
    const { note, regarding } = await told(s, 'TrustSubjectWhitespace');
    expect(note).toMatch(/^ServiceAccount "covered\/app", which no binding names: .*"system:serviceaccount: covered:app"/);
    const lease = await suite.api.call<ServiceAccount>('GET', LEASE);
    expect(regarding).toMatchObject({ kind: 'Lease', name: 'irsa-operator', uid: lease.metadata.uid });
    expect(
      suite.operator.log.filter(({ key, controller }) => controller === 'audit' && key === 'covered/app').map(({ level }) => level),
    ).toEqual(['warn']);
    expect([asked(s), ...(await written(s))]).toEqual([[], [], []]);
  });

  // Contract: unbound-audit
  test('has its role read by name where the list does not show it and a grant covers it', async () => {
    const s = await scene('absent');
    await granted(s);
    await s.serviceAccount({ [ROLE_ARN]: s.roleArn });
    await becomes(s, '0');
    await told(s, 'RoleNotFound');
    expect([...new Set(asked(s).map(({ operation, code }) => `${operation} ${code}`))]).toEqual(['GetRole NoSuchEntity']);
    expect(await s.requests()).toEqual([]);
  });

  // Contract: unbound-audit, unbound-slips
  test('teaches nobody anything where no grant covers it, whether the role exists, trusts it, or not', async () => {
    const s = await scene('uncovered');
    s.role(trusting(s.subjectOf('trusted')), { name: `${s.roleName}-trusting` });
    s.role(trusting('system:serviceaccount:elsewhere:app'), { name: `${s.roleName}-other` });
    for (const [name, role] of [
      ['trusted', `${s.roleArn}-trusting`],
      ['refused', `${s.roleArn}-other`],
      ['absent', `${s.roleArn}-absent`],
    ] as const)
      await s.serviceAccount({ [ROLE_ARN]: role }, name);
    // Somebody else's grant keeps the sweeps going.
    const other = await scene('uncovered-beside');
    other.role(trusting(other.subject));
    await granted(other);
    await other.serviceAccount({ [ROLE_ARN]: other.roleArn });
    await becomes(other, '1');
    await secondLook();
    expect(await Promise.all(['trusted', 'refused', 'absent'].map((name) => series(s, name)))).toEqual([undefined, undefined, undefined]);
    expect((await eventsIn(OPERATOR_NAMESPACE)).filter(({ note }) => note.includes('"uncovered/'))).toEqual([]);
    expect(suite.operator.log.filter(({ key }) => String(key).startsWith('uncovered/'))).toEqual([]);
    expect([asked(s), ...(await written(s))]).toEqual([[], [], []]);
  });

  // Contract: unbound-slips
  test('is told of a misspelt key and of what is no ARN, with or without a grant', async () => {
    const s = await scene('slips');
    await s.serviceAccount({ 'eks.amazon.com/role-arn': s.roleArn });
    await s.serviceAccount({ [ROLE_ARN]: 'lbc' }, 'bare');
    await becomes(s, '0');
    await becomes(s, '0', 'bare');
    expect((await told(s, 'AnnotationKeyMisspelt')).note).toBe(
      'ServiceAccount "slips/app", which no binding names: the webhook does not read the annotation "eks.amazon.com/role-arn". Wanted: "eks.amazonaws.com/role-arn". Rename it, and restart the pods',
    );
    expect((await told(s, 'AnnotationMalformed')).note).toContain('"slips/bare"');
    expect([asked(s), ...(await written(s))]).toEqual([[], [], []]);
  });

  // Contract: report-series
  test('leaves no series when it is bound, and none when it is gone', async () => {
    const s = await scene('leaving');
    s.role(trusting(s.subject));
    await granted(s);
    await s.serviceAccount({ [ROLE_ARN]: s.roleArn });
    await s.serviceAccount({ [ROLE_ARN]: s.roleArn }, 'other');
    await becomes(s, '1');
    await becomes(s, '0', 'other');
    await s.bind();
    await becomes(s, undefined);
    await s.conditionIs('Ready', 'True');
    expect(await series(s, 'other')).toBe('0');
    await s.remove('serviceaccounts', 'other');
    await becomes(s, undefined, 'other');
    expect((await suite.metrics()).includes('irsa_serviceaccount_trusted{namespace="leaving"')).toBe(false);
  });
});
