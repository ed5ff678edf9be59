import { readFile } from 'node:fs/promises';
import { IAMClient, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { type Api, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { ACCOUNT, type Binding, isReady, type Pod, ROLE_ARN } from '../harness/views.ts';
import { chapter, command, happened, LEGEND, say, showDiff } from './story.ts';

/** The story of the README. It ends with 0 only if everything that it tells was seen to happen. */
const NAMESPACE = 'kube-system';
const NAME = 'aws-load-balancer-controller';
const ROLE = 'AmazonEKSLoadBalancerControllerRole';
const OLD_ROLE = 'lbc-of-the-old-cluster';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=app.kubernetes.io%2Fname%3D${NAME}`;
const ACCOUNT_PATH = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${NAME}`;
const BINDING = `/apis/irsa-operator.dev/v1alpha1/namespaces/${NAMESPACE}/irsabindings/${NAME}`;
/** So that drift in IAM is found within a breath; the default is a minute. */
const SWEEP = '2s';
/** Each act takes seconds; one that takes this long has failed. */
const PATIENCE = { timeoutMs: 60_000 };
/** Reasons of a condition that is not True yet, and needs nothing but time. */
const UNDER_WAY: ReadonlySet<string> = new Set(['Settling', 'Restarting']);

const began = performance.now();
let testbed: Testbed | undefined;
let operator: RunningOperator | undefined;
let api: Api | undefined;
try {
  chapter('A real control plane: etcd, kube-apiserver, kube-controller-manager, the EKS webhook; an AWS that enforces trust policies');
  say(LEGEND);
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  happened(`${testbed.server}, tokens issued as ${testbed.issuer}`, 'good');
  await install(testbed);
  operator = await startOperator(testbed, ['--sweep-interval', SWEEP]);
  happened('irsa-operator runs, with the RBAC of config/rbac and nothing more', 'good');
  await theBrokenController(testbed, api);
  await theBinding(testbed, api);
  await theDrift(testbed, api);
  chapter('Done');
  say(`All of this was seen to happen, in ${((performance.now() - began) / 1000).toFixed(0)} s.`);
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : error}`);
  for (const { level, msg, ...fields } of operator?.log.slice(-15) ?? []) console.error(`  ${level} ${msg} ${JSON.stringify(fields)}`);
  process.exitCode = 1;
} finally {
  await operator?.stop();
  api?.close();
  await testbed?.stop();
}

async function theBrokenController(bed: Testbed, kube: Api): Promise<void> {
  chapter(
    'A broken AWS Load Balancer Controller: its ServiceAccount is annotated with the role of the old cluster, and the trust policy has a typo',
  );
  const account = bed.aws.account();
  account.provider.put({ issuer: bed.issuer });
  const host = bed.issuer.slice('https://'.length);
  account.role.put({
    name: ROLE,
    trustPolicy: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${host}` },
          Action: 'sts:AssumeRoleWithWebIdentity',
          Condition: {
            StringEquals: { [`${host}:sub`]: `system:serviceaccount: ${NAMESPACE}:${NAME}`, [`${host}:aud`]: 'sts.amazonaws.com' },
          },
        },
      ],
    },
  });
  await bed.kubectl(['apply', '-f', 'test/demo/controller.yaml']);
  await until(
    'both pods are refused by STS',
    async () => (await pods(kube)).length === 2 && (await pods(kube)).every((pod) => refusal(pod)?.includes('AccessDenied')),
    PATIENCE,
  );
  happened('two replicas run, and STS refuses both', 'fault');
  const described = await bed.kubectl(['describe', 'pods', '-n', NAMESPACE, '-l', `app.kubernetes.io/name=${NAME}`]);
  const from = described.split('\n').findIndex((line) => /^\s+State:/.test(line));
  command(
    `kubectl describe pods -n ${NAMESPACE} -l app.kubernetes.io/name=${NAME}`,
    described
      .split('\n')
      .slice(from, from + 12)
      .join('\n'),
  );
}

async function theBinding(bed: Testbed, kube: Api): Promise<void> {
  chapter('A grant and a binding are applied');
  const before = policy(bed);
  command('cat config/samples/binding.yaml', await readFile('config/samples/binding.yaml', 'utf8'));
  command(
    'kubectl apply -f config/samples/',
    await bed.kubectl(['apply', '-f', 'config/samples/grant.yaml', '-f', 'config/samples/binding.yaml']),
  );
  const told = new Map<string, string>();
  await until(
    'the binding is Ready and STS accepted the tokens of both pods',
    async () => {
      const { status } = await kube.call<Binding>('GET', BINDING);
      for (const { type, status: is, reason, message } of status?.conditions ?? []) {
        if (type === 'Ready' || type === 'Reconciling' || reason === 'Waiting' || told.get(type) === `${is} ${reason}`) continue;
        told.set(type, `${is} ${reason}`);
        happened(`${type}=${is} (${reason}): ${message}`, is === 'True' ? 'good' : UNDER_WAY.has(reason) ? 'underWay' : 'fault');
      }
      const all = await pods(kube);
      return (
        status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') && all.length === 2 && all.every(isReady)
      );
    },
    PATIENCE,
  );
  happened('both pods are Ready: STS accepted their tokens', 'good');
  say('\nThe trust policy before and after the one write. The foreign statement is unchanged:');
  const [sent, ...more] = bed.aws.journal.filter(({ operation }) => operation === 'UpdateAssumeRolePolicy');
  if (sent === undefined || more.length > 0)
    throw new Error(`expected one write of the trust policy, saw ${sent === undefined ? 0 : 1 + more.length}`);
  showDiff(before, sent.params['PolicyDocument'] ?? '');
  say('');
  command('kubectl get irsab -A -o wide', await bed.kubectl(['get', 'irsab', '-A', '-o', 'wide']));
  command(
    `kubectl events -n ${NAMESPACE} --for irsabinding/${NAME}`,
    await bed.kubectl(['events', '-n', NAMESPACE, '--for', `irsabinding/${NAME}`]),
  );
}

async function theDrift(bed: Testbed, kube: Api): Promise<void> {
  const wanted = `arn:aws:iam::${ACCOUNT}:role/${ROLE}`;
  chapter('Drift: a user overwrites the annotation');
  const wrong = `arn:aws:iam::${ACCOUNT}:role/${OLD_ROLE}`;
  command(
    `kubectl annotate sa -n ${NAMESPACE} ${NAME} --overwrite ${ROLE_ARN}=${wrong}`,
    await bed.kubectl(['annotate', 'sa', '-n', NAMESPACE, NAME, '--overwrite', `${ROLE_ARN}=${wrong}`]),
  );
  await until('the annotation is right again', async () => (await annotation(kube)) === wanted, PATIENCE);
  happened(`the annotation is ${wanted} again`, 'good');
  const note = await until(
    'an Event names who had changed it',
    async () => (await notes(kube)).find((each) => each.includes('kubectl-annotate')),
    PATIENCE,
  );
  happened(note, 'good');

  chapter(`Drift: a user edits the trust policy (found at the next sweep, every ${SWEEP} here)`);
  const ours = policy(bed);
  const { Statement, ...rest } = JSON.parse(ours) as { Statement: { Sid?: string }[] };
  const without = JSON.stringify({ ...rest, Statement: Statement.filter(({ Sid }) => Sid === undefined) });
  const env = bed.aws.env();
  const iam = new IAMClient({
    endpoint: bed.aws.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '', secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '' },
  });
  await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: ROLE, PolicyDocument: without }));
  if (policy(bed) === ours) throw new Error('the edit of the trust policy did not take');
  happened('the statement of irsa-operator is removed', 'fault');
  await until('the statement of irsa-operator is there again', () => policy(bed) === ours, PATIENCE);
  happened('the statement of irsa-operator is there again', 'good');
  await until(
    'the binding is Ready again',
    async () =>
      (await kube.call<Binding>('GET', BINDING)).status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    PATIENCE,
  );
  const all = await pods(kube);
  if (all.length !== 2 || !all.every(isReady)) throw new Error('a pod was restarted or lost for a change that did not concern it');
  happened('the binding is Ready, and no pod was restarted', 'good');
}

async function pods(kube: Api): Promise<Pod[]> {
  const { items } = await kube.call<{ items: Pod[] }>('GET', PODS);
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

function refusal(pod: Pod): string | undefined {
  return pod.status.containerStatuses?.[0]?.lastState?.terminated?.message;
}

async function annotation(kube: Api): Promise<string | undefined> {
  const { metadata } = await kube.call<{ metadata: { annotations?: Record<string, string> } }>('GET', ACCOUNT_PATH);
  return metadata.annotations?.[ROLE_ARN];
}

async function notes(kube: Api): Promise<string[]> {
  const { items } = await kube.call<{ items: { note?: string }[] }>('GET', `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`);
  return items.map(({ note = '' }) => note);
}

function policy(bed: Testbed): string {
  return bed.aws.account().role.get(ROLE)?.trustPolicy ?? '';
}
