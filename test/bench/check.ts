import { connect, startTestbed, until } from '@irsa-operator/testbed';
import { runCommand } from '../harness/command.ts';
import { countingProxy } from '../harness/counting-proxy.ts';
import { pathOf } from '../harness/objects.ts';
import { allowing, EC2, policy } from '../harness/policies.ts';
import { ACCOUNT, isReady, type Pod, ROLE_ARN } from '../harness/views.ts';

/**
 * `npm run bench:check`: how long a check of one workload and of a whole cluster takes, on a real API server, with an AWS that takes 80 ms a call and
 * 10 calls of a kind a second. Nothing here is a test: it prints, and people judge. The bar is 10 s for all.
 */
const NAMESPACES = 20;
const ACCOUNTS = 1_000;
const ROLES = 300;
const RUNS = 3;
const AT_ONCE = 16;
const AWS_CALL_MS = 80;
const LIMIT = { perSecond: 10, burst: 10 };
const READS = ['GetRole', 'ListRoles', 'GetOpenIDConnectProvider', 'ListOpenIDConnectProviders', 'GetAccountSummary'];

const namespaceOf = (at: number): string => `team-${at % NAMESPACES}`;
const roleOf = (at: number): string => `role-${at % ROLES}`;

const testbed = await startTestbed();
const api = connect(testbed.kubeconfig);
const proxy = await countingProxy(testbed);
try {
  await furnish();
  const reader = { namespace: 'default', name: 'reader' };
  await testbed.kubectl(['create', 'serviceaccount', '-n', 'default', 'reader']);
  await testbed.kubectl(['create', 'clusterrolebinding', 'reader', '--clusterrole=cluster-admin', '--serviceaccount=default:reader']);
  const kubeconfig = await testbed.kubeconfigFor(reader, proxy);
  testbed.aws.behave({
    latencyMs: [AWS_CALL_MS, AWS_CALL_MS],
    limits: Object.fromEntries(READS.map((operation) => [`iam:${operation}`, LIMIT])),
  });
  await measure('one Deployment', kubeconfig, ['-n', 'team-0', 'deploy/app-0']);
  await measure('one namespace', kubeconfig, ['-n', 'team-0']);
  await measure(`all: ${ACCOUNTS} ServiceAccounts, ${ROLES} roles, ${NAMESPACES} namespaces`, kubeconfig, ['-A']);
} finally {
  await proxy.stop();
  api.close();
  await testbed.stop();
}

/** Each ServiceAccount with a Deployment of one pod, and a role that lets in all that name it. */
async function furnish(): Promise<void> {
  const roles = testbed.aws.account();
  roles.provider.put({ issuer: testbed.issuer });
  const all = Array.from({ length: ACCOUNTS }, (_, at) => at);
  for (const [name, of] of Map.groupBy(all, roleOf)) {
    const subjects = of.map((at) => `system:serviceaccount:${namespaceOf(at)}:app-${at}`);
    roles.role.put({ name, trustPolicy: policy(EC2, allowing(testbed.issuer, subjects)) });
  }
  for (let at = 0; at < NAMESPACES; at += 1) await create('namespaces', `team-${at}`);
  await inTurns(all, (at) => {
    const annotations = { [ROLE_ARN]: `arn:aws:iam::${ACCOUNT}:role/${roleOf(at)}` };
    return create('serviceaccounts', `app-${at}`, { metadata: { name: `app-${at}`, annotations } }, namespaceOf(at));
  });
  await testbed.webhookCaughtUp();
  await inTurns(all, (at) => {
    const labels = { app: `app-${at}` };
    const spec = { serviceAccountName: `app-${at}`, containers: [{ name: 'app', image: 'app' }] };
    const body = { spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } } };
    return create('deployments', `app-${at}`, body, namespaceOf(at));
  });
  await until(
    `${ACCOUNTS} pods are ready`,
    async () => (await api.call<{ items: Pod[] }>('GET', pathOf('pods'))).items.filter(isReady).length >= ACCOUNTS,
    { timeoutMs: 600_000 },
  );
}

async function create(kind: Parameters<typeof pathOf>[0], name: string, body: object = {}, namespace?: string): Promise<void> {
  await api.call('POST', pathOf(kind, namespace === undefined ? {} : { namespace }), { body: { metadata: { name }, ...body } });
}

async function inTurns<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const queue = [...all];
  const worker = async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function measure(what: string, kubeconfig: string, args: readonly string[]): Promise<void> {
  for (let run = 0; run < RUNS; run += 1) {
    const sessionName = `run-${run}-${args.at(-1)?.replaceAll(/\W/g, '-')}`;
    const credentials = testbed.aws.env({ roleName: 'reader', sessionName });
    proxy.asked();
    const began = performance.now();
    const { code, stderr } = await runCommand(testbed.aws, ['check', ...args], { kubeconfig, credentials });
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    const calls = testbed.aws.journal.filter(({ caller }) => caller.endsWith(`/reader/${sessionName}`));
    const throttled = calls.filter(({ code: answer }) => answer === 'Throttling').length;
    console.log(
      `${what}: ${seconds} s, ${proxy.asked().length} requests of Kubernetes, ${calls.length} calls of AWS (${throttled} throttled), exit code ${code}`,
    );
    if (code !== 0) console.log(stderr.trimEnd());
  }
}
