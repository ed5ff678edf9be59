import { readFileSync } from 'node:fs';
import { unusedGrants } from '@irsa-operator/testbed/aws';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ARTICLE, annotated, right } from '../harness/article.ts';
import { type Ended, runCommand } from '../harness/command.ts';
import { binding, grant } from '../harness/objects.ts';
import { eventually, personWith } from '../harness/person.ts';
import { FOREIGN } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';
import { ACCOUNT, type Pod, ROLE_ARN } from '../harness/views.ts';

/** What `plan` says, and then what an operator does. */
const suite = integrationSuite({ grant: { serviceAccountNames: ['app'] }, flags: [...SWEEP] });

const IAM = readFileSync('config/iam/plan.json', 'utf8');
const credentials = (policy: string = IAM) =>
  suite.testbed.aws.env({ accountId: ACCOUNT, roleName: 'planner', identityPolicy: policy, sessionName: 'jane' });
const run = (args: readonly string[], input?: string): Promise<Ended> =>
  runCommand(suite.testbed.aws, ['plan', ...args], {
    kubeconfig: suite.testbed.kubeconfig,
    credentials: credentials(),
    ...(input !== undefined && { input }),
  });

type Effect =
  | { readonly do: 'writeTrust'; readonly role: string; readonly before: object; readonly after: object }
  | { readonly do: 'annotate'; readonly after: Readonly<Record<string, string>> }
  | { readonly do: 'restart'; readonly pod: string; readonly ifNotReady: boolean }
  | { readonly do: 'rollOut'; readonly workload: string };
interface Plan {
  readonly complete: boolean;
  readonly effects: readonly Effect[];
  readonly bindings: readonly { readonly asIfEnforced: boolean; readonly ready: { readonly status: string; readonly reason: string } }[];
}
async function planned(args: readonly string[], input?: string): Promise<Plan> {
  const { code, stdout, stderr } = await run([...args, '-o', 'json'], input);
  if (stdout === '') throw new Error(stderr);
  const plan = JSON.parse(stdout) as Plan;
  expect([plan.complete, code]).toEqual([true, plan.effects.length === 0 ? 0 : 1]);
  return plan;
}

/** The manifest of a binding that nobody has applied. */
const manifest = (s: Scene, spec: object = {}) =>
  stringify({ ...binding({ serviceAccountName: 'app', roleArn: s.roleArn, ...spec }), metadata: { name: 'app', namespace: s.namespace } });

/** The pods that were restarted, in their order, by the API server's own record. */
async function evicted(s: Scene): Promise<string[]> {
  const events = await s.requests('pods');
  return events
    .filter(({ objectRef, responseStatus }) => objectRef?.subresource === 'eviction' && responseStatus?.code === 201)
    .map(({ objectRef }) => objectRef?.name ?? '');
}

/** What the plan says of new pods counts them and no names: theirs nobody knows before. */
const restartsIn = ({ effects }: Plan, pods: readonly Pod[]) => {
  const names = new Set(pods.map(({ metadata }) => metadata.name));
  return effects.flatMap((effect) => (effect.do === 'restart' && names.has(effect.pod) ? [effect] : []));
};

async function enforcedAsPlanned(s: Scene, plan: Plan, pods: readonly Pod[]): Promise<void> {
  await s.conditionIs('Ready', 'True');
  // Until its next attempt a refused container waits, and a plan counts with such a pod.
  await s.allReady(pods.length);
  const trust = plan.effects.flatMap((effect) => (effect.do === 'writeTrust' ? [effect] : []));
  expect(s.writes()).toHaveLength(trust.length);
  for (const { after } of trust) expect(JSON.parse(s.writes().at(-1) ?? '')).toEqual(after);
  const annotations = plan.effects.findLast((effect) => effect.do === 'annotate');
  if (annotations !== undefined) expect((await s.annotations()) ?? {}).toMatchObject(annotations.after);
  const restarts = restartsIn(plan, pods);
  const done = await evicted(s);
  // One that a repaired trust makes ready by itself is not restarted.
  const certain = restarts.filter(({ ifNotReady }) => !ifNotReady).map(({ pod }) => pod);
  expect(done).toEqual(restarts.map(({ pod }) => pod).filter((pod) => done.includes(pod)));
  expect(done).toEqual(expect.arrayContaining(certain));
  expect((await planned(['-n', s.namespace])).effects).toEqual([]);
}

// Contract: plan-effects
describe.concurrent('what the plan says of a binding in a file is what the operator does once it is applied:', () => {
  for (const [index, [sentence, { annotation = annotated, policy, writes, message = /AccessDenied/ }]] of Object.entries(ARTICLE).entries())
    test(sentence, async () => {
      const s = await suite.scene(`plan-${index}`);
      s.role(policy(s));
      await s.serviceAccount(annotation(s));
      await s.deployment();
      expect(await s.refused()).toMatch(message);
      const pods = await s.pods();
      const plan = await planned(['-f', '-'], manifest(s));
      expect(plan.effects.filter((effect) => effect.do === 'writeTrust')).toHaveLength(writes);
      expect(plan.bindings).toMatchObject([{ asIfEnforced: false, ready: { status: 'True' } }]);
      await s.bind();
      await enforcedAsPlanned(s, plan, pods);
    });

  test('a StatefulSet of pods that are ready without the role', async () => {
    const s = await suite.scene('plan-set');
    s.role(FOREIGN);
    await s.serviceAccount({});
    await s.workload('statefulsets', { name: 'db', replicas: 3 });
    const pods = await s.allReady(3);
    const plan = await planned(['-f', '-'], manifest(s));
    expect(restartsIn(plan, pods).map(({ pod }) => pod)).toEqual(['db-2', 'db-1', 'db-0']);
    await s.bind();
    await enforcedAsPlanned(s, plan, pods);
  });

  test('a Deployment with restart.strategy Never: trust and annotation, and no restart', async () => {
    const s = await suite.scene('plan-never');
    s.role(FOREIGN);
    await s.serviceAccount({});
    await s.workload('deployments');
    const pods = await s.allReady();
    const plan = await planned(['-f', '-'], manifest(s, { restart: { strategy: 'Never' } }));
    expect(plan.effects.map((effect) => effect.do)).toEqual(['writeTrust', 'annotate']);
    expect(plan.bindings).toMatchObject([{ ready: { status: 'False', reason: 'PodCredentialsMissing' } }]);
    await s.bind({ restart: { strategy: 'Never' } });
    await s.conditionIs('Ready', 'False', 'PodCredentialsMissing');
    expect([s.writes(), await evicted(s), (await s.pods()).length]).toEqual([[expect.any(String)], [], pods.length]);
  });
});

describe.concurrent('of bindings in the cluster', () => {
  test('one that observes is planned as if it enforced, and that comes of it', async () => {
    const s = await suite.scene('observes');
    s.role(FOREIGN);
    await s.serviceAccount({ [ROLE_ARN]: `arn:aws:iam::${ACCOUNT}:role/other` });
    await s.deployment();
    await s.refused();
    await s.bind({ mode: 'Observe' });
    await s.conditionIs('Ready', 'False');
    const pods = await s.pods();
    const plan = await planned(['app', '-n', s.namespace]);
    expect(plan.bindings).toMatchObject([{ asIfEnforced: true }]);
    expect(plan.effects.slice(0, 2).map((effect) => effect.do)).toEqual(['writeTrust', 'annotate']);
    expect(s.writes()).toEqual([]);
    await s.change({ mode: 'Enforce' });
    await enforcedAsPlanned(s, plan, pods);
  });

  // Contract: commands-labels
  test('those with labels alone are planned', async () => {
    const s = await suite.scene('labelled');
    await s.serviceAccount();
    await s.bind();
    await s.patch('irsabindings', 'app', { metadata: { labels: { team: 'shop' } } });
    expect((await planned(['-A', '-l', 'team=shop'])).bindings).toHaveLength(1);
    expect((await planned(['-n', s.namespace, '-l', 'team!=shop'])).bindings).toHaveLength(0);
  });

  test('one in order has no change, and exit code 0', async () => {
    const s = await suite.working('in-order');
    expect(await run(['-n', s.namespace])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Ready=True'),
      stderr: expect.stringContaining('no changes, nothing written'),
    });
  });

  test('one that moves to another role in a file releases the former in the end', async () => {
    const s = await suite.working('moves');
    const next = s.role(FOREIGN, { name: 'role-of-moves-next' });
    const plan = await planned(['-f', '-'], manifest(s, { roleArn: next }));
    const roles = plan.effects.flatMap((effect) => (effect.do === 'writeTrust' ? [effect.role] : []));
    expect(roles).toEqual([next, s.roleArn]);
    await s.change({ roleArn: next });
    await eventually('the former role is released', async () => !s.stands());
    expect(JSON.parse(s.trust())).toEqual(plan.effects.findLast((effect) => effect.do === 'writeTrust')?.after);
  });

  test('one that no grant covers has no change, and a grant in a file is seen', async () => {
    const s = await suite.scene('ungranted', { granted: false });
    s.role(FOREIGN);
    await s.serviceAccount({});
    await s.bind();
    const plan = await planned(['-n', s.namespace]);
    expect([plan.effects, plan.bindings[0]?.ready.reason]).toEqual([[], 'NotGranted']);
    const granted = stringify({
      ...grant({ roleArns: [s.roleArn], namespaces: { names: [s.namespace] }, serviceAccountNames: ['app'] }),
      metadata: { name: 'ungranted' },
    });
    const then = await planned(['-f', '-'], `${granted}---\n${manifest(s)}`);
    expect(then.effects.map((effect) => effect.do)).toEqual(['writeTrust', 'annotate']);
  });

  test('the page shows documents and annotations as differences', async () => {
    const s = await suite.prepared('page');
    s.role(right(s));
    const other = await suite.prepared('page-trust');
    const { stdout } = await run(['-f', '-'], `${manifest(s)}---\n${manifest(other)}`);
    expect(stdout).toContain(`trust policy of ${other.roleArn}\n`);
    expect(stdout).toMatch(/^ {2}\+ .*"sts:AssumeRoleWithWebIdentity"/m);
    expect(stdout).toContain(`annotations of ServiceAccount page/app\n  + ${ROLE_ARN}: ${s.roleArn}\n`);
    const markdown = await run(['-f', '-', '-o', 'markdown'], manifest(s));
    expect(markdown.stdout).toContain('```diff');
  });
});

// Contract: commands-rights, plan-writes-nothing
test('with exactly config/rbac/plan.yaml and config/iam/plan.json a plan is whole, it writes nothing, and without one of the rights it ends with 2', async () => {
  const s = await suite.prepared('rights');
  await s.workload('deployments', { replicas: 1 });
  await s.allReady(1);
  const person = await personWith(suite.testbed, 'config/rbac/plan.yaml', 'planner');
  const args = ['plan', '-f', '-', '--as', person.name];
  const as = (policy?: string) =>
    runCommand(suite.testbed.aws, args, { kubeconfig: suite.testbed.kubeconfig, credentials: credentials(policy), input: manifest(s) });
  const trust = s.trust();
  const { metadata } = await s.account();
  const whole = await eventually('the rights are known', async () => {
    const ended = await as();
    return ended.code === 1 && ended;
  });
  expect(whole.stdout).toContain('trust policy of');
  expect([s.trust(), (await s.account()).metadata.resourceVersion]).toEqual([trust, metadata.resourceVersion]);
  for (const right of person.rights)
    await person.without(right, async () => {
      await eventually(`without ${right} it is refused`, async () => {
        const { code, stderr } = await as();
        return code === 2 && /forbidden/.test(stderr);
      });
    });
  const whoever = suite.testbed.aws.journal.filter(({ caller }) => caller.includes('/planner/'));
  expect(unusedGrants(IAM, whoever)).toEqual([]);
});
