import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BINARY_NAMES } from './binaries/index.ts';
import { startTestbed, type Testbed, until, WORKLOAD_LABEL } from './index.ts';
import { processTable } from './processes.ts';
import { childrenOf } from './scratch.ts';

/** A pod is told no at once; it may be five seconds until it asks again. */
const POD_DEADLINE_MS = 20_000;

const REFUSAL =
  /^WebIdentityErr: failed to retrieve credentials\ncaused by: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\n\tstatus code: 403, request id: \S+$/;

const given = process.env['TESTBED_KUBECONFIG'];
let testbed: Testbed;

beforeAll(async () => {
  delete process.env['TESTBED_KUBECONFIG']; // this file is about testbeds of its own
  testbed = await timedStart('first');
});
afterAll(async () => {
  await testbed?.stop();
  if (given !== undefined) process.env['TESTBED_KUBECONFIG'] = given;
});

async function timedStart(which: string): Promise<Testbed> {
  const started = performance.now();
  const testbedStarted = await startTestbed();
  console.log(`${which} testbed: ready in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return testbedStarted;
}

interface PodView {
  ready: boolean;
  node: string | undefined;
  waiting: string | undefined;
  lastWords: string | undefined;
  restarts: number;
}

async function podOf(bed: Testbed, name: string, namespace = 'default'): Promise<PodView> {
  const { spec, status } = JSON.parse(await bed.kubectl(['get', 'pod', name, '-n', namespace, '-o', 'json']));
  const [container] = status.containerStatuses ?? [];
  return {
    ready: status.conditions?.some((each: { type: string; status: string }) => each.type === 'Ready' && each.status === 'True') ?? false,
    node: spec.nodeName,
    waiting: container?.state?.waiting?.reason,
    lastWords: container?.lastState?.terminated?.message,
    restarts: container?.restartCount ?? 0,
  };
}

/** Waits until the pod is as wanted, and returns it. */
function podWhen(bed: Testbed, name: string, what: string, isSo: (pod: PodView) => boolean): Promise<PodView> {
  const look = async () => {
    const pod = await podOf(bed, name);
    return isSo(pod) ? pod : undefined;
  };
  return until(`pod ${name} is ${what}`, look, { timeoutMs: POD_DEADLINE_MS });
}

async function createPod(
  bed: Testbed,
  name: string,
  { serviceAccount = 'default', labels = { [WORKLOAD_LABEL]: 'aws' } as object } = {},
): Promise<void> {
  const spec = { serviceAccountName: serviceAccount, containers: [{ name: 'app', image: 'app:v1' }] };
  await bed.kubectl(['create', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec }) });
}

/** A ServiceAccount annotated with a role of the same name, whose trust policy names nobody yet. */
async function createBoundAccount(bed: Testbed, name: string): Promise<void> {
  const service = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const { arn } = bed.aws.account().role.put({ name, trustPolicy: { Version: '2012-10-17', Statement: [service] } });
  const metadata = { name, annotations: { 'eks.amazonaws.com/role-arn': arn } };
  await bed.kubectl(['create', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }) });
}

/** As the EKS user guide has it. */
function trust(bed: Testbed, name: string): void {
  const provider = bed.aws.account().provider.put({ issuer: bed.issuer });
  const key = bed.issuer.replace('https://', '');
  const statement = {
    Effect: 'Allow',
    Principal: { Federated: provider.arn },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${key}:sub`]: `system:serviceaccount:default:${name}`, [`${key}:aud`]: 'sts.amazonaws.com' } },
  };
  bed.aws.account().role.setTrustPolicy(name, { Version: '2012-10-17', Statement: [statement] });
}

describe('a pod that uses AWS', () => {
  test('is refused by STS, says so as in the article, and is let in once the trust policy is right', async () => {
    await createBoundAccount(testbed, 'refused');
    testbed.aws.account().provider.put({ issuer: testbed.issuer });
    await createPod(testbed, 'refused', { serviceAccount: 'refused' });
    const refused = await podWhen(testbed, 'refused', 'refused', ({ restarts }) => restarts > 1);
    expect([refused.ready, refused.node, refused.waiting]).toEqual([false, 'kwok-0', 'CrashLoopBackOff']);
    expect(refused.lastWords).toMatch(REFUSAL);

    trust(testbed, 'refused');
    const healed = await podWhen(testbed, 'refused', 'Ready', ({ ready }) => ready);
    expect([healed.lastWords, healed.waiting]).toEqual([expect.stringMatching(REFUSAL), undefined]);

    const calls = testbed.aws.journal
      .filter(({ params }) => params['RoleArn']?.toString().endsWith('/refused'))
      .map(({ operation, code }) => [operation, code]);
    expect(calls.at(-1)).toEqual(['AssumeRoleWithWebIdentity', 'OK']);
    expect(new Set(calls.slice(0, -1).map(String))).toEqual(new Set(['AssumeRoleWithWebIdentity,AccessDenied']));
  });

  test('without anything injected finds no credentials', async () => {
    await createPod(testbed, 'plain');
    const { lastWords, ready } = await podWhen(testbed, 'plain', 'refused', ({ restarts }) => restarts > 0);
    expect([lastWords?.split('. ')[0], ready]).toEqual(['NoCredentialProviders: no valid providers in chain', false]);
  });

  test('is gone at once when it is deleted', async () => {
    await createPod(testbed, 'short-lived');
    await podWhen(testbed, 'short-lived', 'refused', ({ restarts }) => restarts > 0);
    await testbed.kubectl(['delete', 'pod', 'short-lived', '--wait=true', '--timeout=10s']);
    await expect(podOf(testbed, 'short-lived')).rejects.toThrow('NotFound');
  });
});

test('every other pod becomes Ready without asking anybody', async () => {
  await createPod(testbed, 'other', { labels: { app: 'other' } });
  expect(await podWhen(testbed, 'other', 'Ready', ({ ready }) => ready)).toMatchObject({ node: 'kwok-0', restarts: 0 });
});

test("a ServiceAccount's kubeconfig is that ServiceAccount, and may do nothing that RBAC does not give it", async () => {
  await testbed.kubectl(['create', 'serviceaccount', 'nobody']);
  const kubeconfig = await testbed.kubeconfigFor({ namespace: 'default', name: 'nobody' });
  expect(await testbed.kubectl(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], { kubeconfig })).toBe(
    'system:serviceaccount:default:nobody',
  );
  await expect(testbed.kubectl(['get', 'pods'], { kubeconfig })).rejects.toThrow('forbidden');
});

test('the audit log tells who wrote what, and nothing of reads', async () => {
  await testbed.kubectl(['create', 'configmap', 'audited']);
  await testbed.kubectl(['get', 'configmap', 'audited']);
  const events = await until(
    'the write is in the audit log',
    async () => {
      const found = (await testbed.auditEvents()).filter(({ objectRef }) => objectRef?.name === 'audited');
      return found.length > 0 ? found : undefined;
    },
    { timeoutMs: 5_000 },
  );
  expect(
    events.map(({ user, verb, objectRef, responseStatus }) => [user.username, verb, objectRef?.resource, responseStatus?.code]),
  ).toEqual([['admin', 'create', 'configmaps', 201]]);
});

describe('another testbed', () => {
  test('that is started after one was killed with -9 cleans up after it, and leaves the living ones alone', async () => {
    const killed = await killedTestbed();
    expect(childrenOf(killed, BINARY_NAMES, processTable())).toHaveLength(5); // so that there is something to clean

    const second = await timedStart('second');
    try {
      expect(childrenOf(killed, BINARY_NAMES, processTable())).toEqual([]);
      expect(existsSync(killed)).toBe(false);

      // Side by side: neither sees the other's objects, and they are different clusters to AWS.
      expect(second.issuer).not.toBe(testbed.issuer);
      await second.kubectl(['create', 'configmap', 'in-the-second']);
      await expect(testbed.kubectl(['get', 'configmap', 'in-the-second'])).rejects.toThrow('NotFound');
    } finally {
      await second.stop();
    }
    expect(existsSync(second.folder)).toBe(false);
    expect(childrenOf(second.folder, BINARY_NAMES, processTable())).toEqual([]);
    expect(await testbed.kubectl(['get', '--raw', '/readyz'])).toBe('ok');
  });

  test('that is pointed at a running cluster uses it, decides with its own AWS who is let in, and leaves it running', async () => {
    process.env['TESTBED_KUBECONFIG'] = testbed.kubeconfig;
    const guest = await timedStart('guest').finally(() => delete process.env['TESTBED_KUBECONFIG']);
    try {
      expect([guest.issuer, guest.server, guest.kubeconfig]).toEqual([testbed.issuer, testbed.server, testbed.kubeconfig]);
      expect(guest.aws.endpoint).not.toBe(testbed.aws.endpoint);

      // The role exists in the guest's AWS alone: if the host's kubelet had a say, this pod would be refused.
      await createBoundAccount(guest, 'of-the-guest');
      trust(guest, 'of-the-guest');
      await createPod(guest, 'of-the-guest', { serviceAccount: 'of-the-guest' });
      const pod = await podWhen(guest, 'of-the-guest', 'Ready', ({ ready }) => ready);
      expect(pod.restarts).toBe(0);
      expect(testbed.aws.journal.filter(({ params }) => params['RoleArn']?.toString().endsWith('/of-the-guest'))).toEqual([]);
      expect((await guest.auditEvents()).some(({ objectRef }) => objectRef?.name === 'of-the-guest')).toBe(true);
    } finally {
      await guest.stop();
    }

    // The host's kubelet goes on, with the host's AWS.
    await createBoundAccount(testbed, 'of-the-host');
    trust(testbed, 'of-the-host');
    await createPod(testbed, 'of-the-host', { serviceAccount: 'of-the-host' });
    expect((await podWhen(testbed, 'of-the-host', 'Ready', ({ ready }) => ready)).ready).toBe(true);
  });

  test('that is pointed at a running cluster cannot choose how that one is started', async () => {
    process.env['TESTBED_KUBECONFIG'] = testbed.kubeconfig;
    const started = startTestbed({ issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0' });
    await expect(started.finally(() => delete process.env['TESTBED_KUBECONFIG'])).rejects.toThrow(
      'the cluster of TESTBED_KUBECONFIG runs already',
    );
  });
});

/** Starts a testbed in a process of its own, and kills that process. Returns the folder that is left. */
async function killedTestbed(): Promise<string> {
  const script = `
    import { startTestbed } from ${JSON.stringify(`${import.meta.dirname}/index.ts`)};
    console.log((await startTestbed()).folder);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [folder] = await once(createInterface(child.stdout), 'line');
  child.kill('SIGKILL');
  await ended;
  return folder;
}
