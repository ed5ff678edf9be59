import { type Api, connect, startTestbed, type Testbed } from '@irsa-operator/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { install, notesOfOperator, type RunningOperator, startOperator } from '../harness/operator.ts';
import { allowing, EC2, hostOf, isOurs, policy, statementsIn } from '../harness/policies.ts';
import { openScene, type Scene } from '../harness/scene.ts';
import { SWEEP } from '../harness/suite.ts';

/**
 * Two clusters whose API servers have one issuer, so that no trust policy has to change from one to the other, and one AWS account. Both
 * operators write one statement together; then each gets an ID. Then blue is emptied. The tests are a story and run in their order.
 */
const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
/** What both computed for this issuer and the audience of STS while neither had an ID. */
const SHARED_SID = 'Irsaoxnxwqj27hyt';
const ROLE = 'role-of-shop';
const GREEN_ONLY = 'system:serviceaccount:shop:green-only';

const testbeds: Testbed[] = [];
const operators: RunningOperator[] = [];
const apis: Api[] = [];
let blue: Scene;
let green: Scene;

const statements = () => statementsIn(testbeds[0]?.aws.account().role.get(ROLE)?.trustPolicy ?? '{"Statement":[]}');
const subjectsIn = (document = statements()) =>
  document
    .filter((one) => isOurs(one, ISSUER))
    .map(({ Condition }) => [Condition?.['StringEquals']?.[`${hostOf(ISSUER)}:sub`] ?? []].flat());

beforeAll(async () => {
  const [first, second] = await Promise.all([startTestbed({ issuer: ISSUER }), startTestbed({ issuer: ISSUER })]);
  const { aws } = first;
  aws.account().provider.put({ issuer: ISSUER });
  testbeds.push(first, { ...second, aws });
  for (const testbed of testbeds) {
    await install(testbed);
    apis.push(connect(testbed.kubeconfig));
  }
  const [scene, other] = await Promise.all(
    testbeds.map(async (testbed, at) => {
      const s = await openScene(testbed, apis[at] as Api, 'shop');
      await s.grant({ serviceAccountNames: ['app', 'green-only'] });
      await s.serviceAccount();
      return s;
    }),
  );
  [blue, green] = [scene as Scene, other as Scene];
  const together = allowing(ISSUER, [blue.subject, GREEN_ONLY], { Sid: SHARED_SID });
  aws.account().role.put({ name: ROLE, trustPolicy: policy(EC2, together) });
  await green.serviceAccount({}, 'green-only');
  await Promise.all([blue.bind(), green.bind(), green.bind({ serviceAccountName: 'green-only' }, 'green-only')]);
});

afterAll(async () => {
  await Promise.all(operators.map((one) => one.stop()));
  for (const api of apis) api.close();
  for (const testbed of testbeds) await testbed.stop();
});

// Contract: fleet-undo-not-fought
test('without IDs, what blue takes out and green adds again is told in blue as that of another cluster, and is not taken out soon', async () => {
  const [inBlue, inGreen] = await Promise.all(
    testbeds.map(async (testbed, at) => {
      const s = await openScene(testbed, apis[at] as Api, 'wages');
      await s.grant();
      operators.push(await startOperator(testbed, SWEEP));
      return s;
    }),
  );
  const s = inGreen as Scene;
  const { aws } = testbeds[0] as Testbed;
  aws.account().role.put({ name: s.roleName, trustPolicy: policy(EC2) });
  await s.serviceAccount();
  await s.bind();
  await s.conditionIs('Ready', 'True');
  const told = () => notesOfOperator(testbeds[0] as Testbed, 'TrustUngranted');
  // Blue's grant covers what stands: it is nobody's there, and kept.
  await inBlue?.loseGrant();
  const cameBack = expect.stringMatching(/another writer allowed it again\. .* Another cluster with this issuer may need it/);
  await expect.poll(told, { timeout: 150_000 }).toEqual([cameBack]);
  // Green counts it as contention at the third time, and then its pods are out for minutes.
  expect(await s.findings()).toBeUndefined();
  expect(subjectsIn(statementsIn(aws.account().role.get(s.roleName)?.trustPolicy ?? '')).flat()).toContain(s.subject);
  expect(await Promise.all(operators.splice(0).map((one) => one.stop()))).toEqual([0, 0]);
});

// Contract: fleet-cluster-id, fleet-previous-cluster-id
test('each moves its own subjects to a statement of its own, and no document that is sent is without one of them', async () => {
  for (const [at, id] of ['blue', 'green'].entries())
    operators.push(await startOperator(testbeds[at] as Testbed, [...SWEEP, '--cluster-id', id, '--previous-cluster-id', '']));
  await blue.conditionIs('Ready', 'True');
  await green.conditionIs('Ready', 'True');
  await green.conditionIs('Ready', 'True', undefined, 'green-only');
  await expect
    .poll(
      () =>
        subjectsIn()
          .map((all) => all.length)
          .toSorted(),
      { timeout: 60_000 },
    )
    .toEqual([1, 2]);
  const sent = (testbeds[0] as Testbed).aws.journal.flatMap(({ operation, code, params }) =>
    operation === 'UpdateAssumeRolePolicy' && code === 'OK' && params['RoleName'] === ROLE
      ? [statementsIn(params['PolicyDocument'] ?? '')]
      : [],
  );
  expect(sent.length).toBeGreaterThan(1);
  for (const document of sent) expect(new Set(subjectsIn(document).flat())).toEqual(new Set([blue.subject, GREEN_ONLY]));
  expect(statements().some(({ Sid }) => Sid === SHARED_SID)).toBe(false);
});

// Contract: fleet-cluster-id
test('where blue is emptied its statement goes, and green keeps its own without a word', async () => {
  const of = (subjects: number) => statements().filter((one) => subjectsIn([one])[0]?.length === subjects);
  const [before] = of(2);
  await blue.unbind();
  await blue.gone();
  await expect.poll(() => subjectsIn().length, { timeout: 60_000 }).toBe(1);
  // IAM may have put its lists into another order.
  expect(of(2).map(({ Sid }) => Sid)).toEqual([before?.Sid]);
  expect(new Set(subjectsIn()[0])).toEqual(new Set([green.subject, GREEN_ONLY]));
  expect(await green.condition('Ready')).toMatchObject({ status: 'True' });
  expect(await green.findings()).toBeUndefined();
});
