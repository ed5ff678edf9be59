import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ARTICLE, allow, annotated, type Case, NO_CREDENTIALS, NOT_AUTHORIZED, OTHER_CLUSTER, right } from '../harness/article.ts';
import { commandsIn, type Ended, runCommand } from '../harness/command.ts';
import { type CountingProxy, countingProxy } from '../harness/counting-proxy.ts';
import { policy } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { shellOf } from '../harness/shell.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';
import { ACCOUNT, ROLE_ARN } from '../harness/views.ts';

/** The checklist for one broken pod, as a person runs it: the bundle, a kubeconfig, AWS credentials, and no word from the operator. */
const suite = integrationSuite({
  grant: { roleArns: [`arn:aws:iam::${ACCOUNT}:role/role-of-*`], serviceAccountNames: ['app'] },
  flags: [...SWEEP],
});

let shell: Awaited<ReturnType<typeof shellOf>>;

beforeAll(async () => {
  shell = await shellOf(suite.testbed);
  suite.testbed.aws.account().provider.put({ issuer: OTHER_CLUSTER });
});

interface Report {
  readonly exitCode: number;
  readonly results: readonly {
    readonly role?: string;
    readonly steps: readonly { step: string; state: string; text: string; findings: readonly { code: string; message: string }[] }[];
    readonly notes: readonly { code: string }[];
    readonly fixes: { kubectl: readonly string[]; aws: readonly string[]; restarts: readonly string[] };
    readonly log?: { text: string };
  }[];
}

/** With exactly what docs/check.md asks for in AWS. */
const IAM = readFileSync('config/iam/check.json', 'utf8');
const credentials = (policy: string | object = IAM, accountId: string = ACCOUNT) =>
  suite.testbed.aws.env({ accountId, roleName: 'reader', identityPolicy: policy, sessionName: 'jane' });

const runWith = (as: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended> =>
  runCommand(suite.testbed.aws, ['check', ...args], { kubeconfig: suite.testbed.kubeconfig, credentials: as });
const run = (...args: readonly string[]) => runWith(credentials(), ...args);

async function report(...args: readonly string[]): Promise<Report> {
  const ended = await run(...args, '-o', 'json');
  if (ended.stdout === '') throw new Error(ended.stderr);
  const found = JSON.parse(ended.stdout) as Report;
  expect(ended.code).toBe(found.exitCode);
  return found;
}

const codesOf = ({ results: [one] }: Report) =>
  [...new Set([...(one?.steps ?? []).flatMap(({ findings }) => findings), ...(one?.notes ?? [])].map(({ code }) => code))].toSorted();

/** A file with what `aws iam get-account-authorization-details --filter Role` prints. */
function accountDetails(s: Scene): string {
  const { roleArn, roleName, namespace } = s;
  const file = join(suite.testbed.folder, `${namespace}.json`);
  const role = { Path: '/', RoleName: roleName, RoleId: 'AROAEXAMPLE', Arn: roleArn, AssumeRolePolicyDocument: JSON.parse(s.trust()) };
  writeFileSync(file, JSON.stringify({ RoleDetailList: [role] }));
  return file;
}

async function broken(
  name: string,
  { annotation = annotated, policy, message = NOT_AUTHORIZED }: Omit<Case, 'told' | 'writes'>,
): Promise<Scene> {
  const s = await suite.scene(name);
  s.role(policy(s));
  await s.serviceAccount(annotation(s));
  await s.deployment();
  expect(await s.refused()).toMatch(message);
  return s;
}

describe.concurrent('each cause of the article', () => {
  for (const [index, [sentence, given]] of Object.entries(ARTICLE).entries()) {
    // Contract: check-one-engine, check-offline
    test(`${sentence}: check and an operator that observes find the same`, async () => {
      const s = await broken(`same-${index}`, given);
      await s.bind({ mode: 'Observe' });
      const seen = await until('the binding says what is wrong', async () => (await s.findings()) ?? false, { timeoutMs: 60_000 });
      const found = await report('-n', s.namespace, 'deploy/app', '--role-arn', s.roleArn);
      expect(found.exitCode).toBe(1);
      expect(codesOf(found)).toEqual(expect.arrayContaining(seen));
      expect(codesOf(found)).toContain(given.told);

      // The same objects before anybody applies them, on standard input, and the account as `aws` prints it.
      const input = await suite.testbed.kubectl(['get', 'serviceaccount/app', 'deployment/app', '-n', s.namespace, '-o', 'yaml']);
      const offline = ['check', '-f', '-', '--iam', accountDetails(s), '--issuer', s.issuer, '-n', s.namespace, 'deploy/app'];
      const ended = await runCommand(suite.testbed.aws, [...offline, '--role-arn', s.roleArn, '-o', 'json'], { credentials: {}, input });
      expect([ended.code, codesOf(JSON.parse(ended.stdout) as Report)]).toEqual([1, codesOf(found).filter((code) => !/^Pod/.test(code))]);
    });

    // Contract: check-commands-work
    test(`${sentence}: the commands that check prints make the pods Ready`, async () => {
      const s = await broken(`mended-${index}`, given);
      // As npx starts it.
      const { stdout, code } = await runWith(
        { ...credentials(), npm_command: 'exec' },
        '-n',
        s.namespace,
        'deploy/app',
        '--role-arn',
        s.roleArn,
      );
      expect(code).toBe(1);
      const commands = commandsIn(stdout);
      expect(commands.length).toBeGreaterThan(0);
      await shell(commands);
      await s.allReady();
      const after = await run('-n', s.namespace, 'deploy/app');
      expect(after.stdout).toContain('IRSA works');
      expect(after.code).toBe(0);
    });
  }
});

// The first thing that a newcomer sees of it.
test('README.md shows what check prints', async () => {
  const name = 'aws-load-balancer-controller';
  const roleName = 'AmazonEKSLoadBalancerControllerRole';
  const s = await suite.scene('kube-system', { granted: false });
  const roleArn = s.role(policy(allow(s, { subject: `system:serviceaccount: kube-system:${name}` })), { name: roleName });
  await s.serviceAccount({ [ROLE_ARN]: roleArn }, name);
  await s.deployment({ name, serviceAccountName: name });
  await until('the pods are refused', async () => (await run('-n', 'kube-system', `deploy/${name}`)).stdout.includes('AccessDenied'), {
    timeoutMs: 60_000,
  });
  const { stdout } = await run('-n', 'kube-system', `deploy/${name}`);
  const shown = /^\$ (node dist.*)\n([\s\S]*?)\n```$/m.exec(readFileSync('README.md', 'utf8'));
  expect(shown?.[1]).toBe(`node dist/irsa-operator.mjs check -n kube-system deploy/${name}`);
  const printed = stdout.replaceAll(/id\/[0-9A-F]{32}/g, 'id/0123456789ABCDEF0123456789ABCDEF').replace(/log \d\d:\d\d/, 'log 14:40');
  expect(shown?.[2]).toBe(printed.slice(0, printed.indexOf('\nOr in Terraform')).trimEnd());
});

/** A scene in which all is right, and how each step of it is seen. */
async function works(name: string): Promise<Scene> {
  const s = await suite.scene(name);
  s.role(right(s));
  await s.serviceAccount(annotated(s));
  await s.deployment();
  await s.allReady();
  return s;
}

// Contract: check-exit-codes
test('what works is said to work, with exit code 0', async () => {
  const s = await works('works');
  const { stdout, stderr, code } = await run('-n', s.namespace, 'deploy/app');
  expect(stdout).toContain('IRSA works');
  expect(stderr).toMatch(/0 findings, nothing written/);
  expect(code).toBe(0);
});

// Contract: check-accepted
test('what an earlier report has, or an ignore file, is still shown, and decides no exit code', async () => {
  const s = await suite.scene('accepted');
  await s.serviceAccount({ [ROLE_ARN]: 'app' });
  const at = ['-n', s.namespace, '--service-account', 'app'];
  const fileOf = (name: string, text: string): string => {
    const file = join(suite.testbed.folder, `${randomUUID()}-${name}`);
    writeFileSync(file, text);
    return file;
  };
  const before = await run(...at, '-o', 'json');
  expect([before.code, codesOf(JSON.parse(before.stdout) as Report)]).toEqual([1, ['AnnotationMalformed']]);

  const known = await run(...at, '--baseline', fileOf('baseline.json', before.stdout), '-o', 'github');
  expect(known.stdout).toMatch(/^::notice title=AnnotationMalformed%3A .*\(known: it is in the baseline\)\n$/);
  expect(known.code).toBe(0);

  const of = `  namespace: ${s.namespace}\n  serviceAccount: app\n`;
  const entry = (code: string, more = '') => `- code: ${code}\n  reason: it is being moved\n${of}${more}`;
  const entries = `${entry('AnnotationMalformed')}${entry('WebhookMissing')}${entry('RoleNotFound', '  expires: 2026-01-01\n')}`;
  const ignored = await run(...at, '--ignore', fileOf('ignore.yaml', entries));
  expect(ignored.stdout).toContain('ignored: it is being moved');
  expect(ignored.stderr).toMatch(/line 5: WebhookMissing of ".*": there is no such finding\. Remove the entry/);
  expect(ignored.stderr).toMatch(/line 9: RoleNotFound of ".*": it expired on 2026-01-01/);
  expect(ignored.code).toBe(0);
});

async function stepsWith(as: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const { stdout, stderr, code } = await runWith(as, ...args, '-o', 'json');
  if (stdout === '') throw new Error(stderr);
  const [one] = (JSON.parse(stdout) as Report).results;
  return { code, states: Object.fromEntries((one?.steps ?? []).map(({ step, state }) => [step, state])), steps: one?.steps ?? [] };
}

const ALL_OK = {
  ServiceAccount: 'ok',
  Annotation: 'ok',
  Webhook: 'ok',
  'OIDC provider': 'ok',
  'Trust policy': 'ok',
  Pods: 'ok',
};

interface Rule {
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

/** Gives jane these rules in the cluster, in place of any others. */
async function allowJane(rules: readonly Rule[]): Promise<void> {
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'irsa-operator-check' }, rules };
  await suite.testbed.kubectl(['apply', '-f', '-'], { input: JSON.stringify(role) });
}

/** What may be read by whom is known to the API server a moment after it is said. */
const eventually = <T>(what: string, ask: () => Promise<T | false>) => until(what, ask, { timeoutMs: 30_000 });

describe('people without rights', () => {
  let s: Scene;
  const asJane = () => ['-n', s.namespace, 'deploy/app', '--as', 'jane'];
  beforeAll(async () => {
    s = await works('rights');
  });

  // Contract: check-without-rights, check-exit-codes
  for (const role of ['view', 'admin'])
    test(`as ${role} of the namespace: what is not read is the issuer, and with --issuer nothing is left open`, async () => {
      await suite.testbed.kubectl(['create', 'rolebinding', role, '-n', s.namespace, `--clusterrole=${role}`, '--user=jane']);
      const { steps } = await eventually(`jane may ${role}`, async () => {
        const found = await stepsWith(credentials(), ...asJane());
        return found.states['Pods'] === 'ok' && found;
      });
      expect(steps.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'unread', 'unread', 'ok']);
      expect(steps[3]?.text).toMatch(/forbidden.*\. Name the issuer with --issuer$/s);
      expect((await stepsWith(credentials(), ...asJane())).code).toBe(2);

      const said = await stepsWith(credentials(), ...asJane(), '--issuer', suite.testbed.issuer);
      expect([said.code, said.states]).toEqual([0, ALL_OK]);
      await suite.testbed.kubectl(['delete', 'rolebinding', role, '-n', s.namespace]);
    });

  // Contract: check-writes-nothing
  test('with exactly config/rbac/check.yaml and config/iam/check.json all of it is read, and without one of the rules something is not', async () => {
    const { rules } = parse(readFileSync('config/rbac/check.yaml', 'utf8')) as { rules: Rule[] };
    await suite.testbed.kubectl(['create', 'clusterrolebinding', 'check', '--clusterrole=irsa-operator-check', '--user=jane']);
    await allowJane(rules);
    const all = async () => {
      const found = await stepsWith(credentials(), ...asJane());
      return found.code === 0 && found;
    };
    expect((await eventually('jane may read it all', all)).states).toEqual(ALL_OK);
    // A log is no step, and other kinds of workloads are not in this scene.
    const decides = rules.filter(({ resources = [] }) => !['pods/log', 'replicasets', 'jobs'].includes(resources[0] ?? ''));
    expect(decides.length).toBeGreaterThanOrEqual(6);
    // Where no pod runs, none shows that there is a webhook.
    await s.serviceAccount(annotated(s), 'idle');
    const idle = ['-n', s.namespace, 'sa/idle', '--as', 'jane'];
    for (const rule of decides) {
      await allowJane(rules.filter((other) => other !== rule));
      const gone = `without ${[...(rule.resources ?? []), ...(rule.nonResourceURLs ?? [])].join()} something is not read`;
      await eventually(gone, async () => {
        const ended = await Promise.all([asJane(), idle].map((args) => runWith(credentials(), ...args, '-o', 'json')));
        return ended.some(({ stdout, stderr }) => /forbidden/.test(stdout === '' ? stderr : stdout));
      });
    }
  });
});

describe('AWS credentials', () => {
  let s: Scene;
  const at = () => ['-n', s.namespace, 'deploy/app'];
  beforeAll(async () => {
    s = await works('credentials');
  });
  const none = () => {
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, AWS_SESSION_TOKEN: ___, ...rest } = credentials();
    return rest;
  };
  const halfRead = ['ok', 'ok', 'ok', 'unread', 'unread', 'ok'];
  const cases: Record<string, { as: () => Record<string, string>; says: RegExp }> = {
    none: { as: none, says: /credentials/i },
    'of a session that does not exist': { as: () => ({ ...credentials(), AWS_SESSION_TOKEN: 'over' }), says: /invalid|expired/i },
    'of another account': {
      as: () => credentials(IAM, '444455556666'),
      says: /is in account 111122223333, and these credentials are of account 444455556666/,
    },
  };
  // Contract: check-without-rights, check-exit-codes
  for (const [sentence, { as, says }] of Object.entries(cases))
    test(`${sentence}: the half of Kubernetes is told, and why AWS was not asked`, async () => {
      const { code, steps } = await stepsWith(as(), ...at());
      expect(steps.map(({ state }) => state)).toEqual(halfRead);
      expect(steps[3]?.text).toMatch(says);
      expect(steps[3]?.text).not.toMatch(/CANARY|SECRET|AKIA[A-Z0-9]{16}|ASIA[A-Z0-9]{16}/);
      expect(code).toBe(2);
    });

  // Contract: check-without-rights
  test('without iam:GetRole the provider is told, and that the role was not read', async () => {
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iam:GetOpenIDConnectProvider', Resource: '*' }] };
    const { steps, code } = await stepsWith(credentials(policy), ...at());
    expect(steps.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'ok', 'unread', 'ok']);
    expect(steps[4]?.text).toContain('iam:GetRole');
    expect(code).toBe(2);
  });
});

describe('what makes no sense, or leads nowhere', () => {
  beforeAll(() => suite.testbed.expectRefusal('get deployments')); // with credentials of nobody
  const kubeconfigWith = (change: (text: string) => string): string => {
    const file = join(suite.testbed.folder, `odd-${randomUUID()}.kubeconfig`);
    writeFileSync(file, change(readFileSync(suite.testbed.kubeconfig, 'utf8')), { mode: 0o600 });
    return file;
  };
  const cases: Record<string, { args: () => string[]; says: RegExp }> = {
    'a kubeconfig that is not there': {
      args: () => ['deploy/app', '--kubeconfig', '/nowhere'],
      says: /"\/nowhere", and no such file exists/,
    },
    'a kubeconfig that is no YAML': {
      args: () => ['deploy/app', '--kubeconfig', kubeconfigWith(() => '{: ]')],
      says: /kubeconfig ".*" cannot be read: /,
    },
    'a context that does not exist': { args: () => ['deploy/app', '--context', 'blue'], says: /there is no context "blue"/ },
    'an API server that is not there': {
      args: () => ['deploy/app', '--kubeconfig', kubeconfigWith((text) => text.replaceAll(suite.testbed.server, 'https://127.0.0.1:1'))],
      says: /127\.0\.0\.1:1|ECONNREFUSED|not reach/,
    },
    'credentials that the API server does not take': {
      args: () => [
        'deploy/app',
        '--kubeconfig',
        kubeconfigWith((text) => {
          const config = JSON.parse(text) as { users: { user: object }[] };
          for (const entry of config.users) entry.user = { token: 'CANARY' };
          return JSON.stringify(config);
        }),
      ],
      says: /401|Unauthorized/,
    },
    'a workload that is not there': {
      args: () => ['-n', 'default', 'deploy/nowhere'],
      says: /there is no deployment "nowhere" in namespace "default"/,
    },
    'no target at all': { args: () => [], says: /name what to check, for example deploy\/aws-load-balancer-controller/ },
    'a kind that runs no pods': { args: () => ['configmap/app'], says: /"configmap" is no kind of object that runs pods/ },
    'a misspelt flag': {
      args: () => ['deploy/app', '--namespce', 'x'],
      says: /--namespce is no flag of this command\. Is --namespace meant\?/,
    },
    'a role that is no ARN': { args: () => ['deploy/app', '--role-arn', 'app'], says: /--role-arn: "app"/ },
    'an issuer that is no URL': { args: () => ['deploy/app', '--issuer', 'eks'], says: /--issuer: / },
    'one role for many ServiceAccounts': {
      args: () => ['-A', '--role-arn', `arn:aws:iam::${ACCOUNT}:role/app`],
      says: /--role-arn: ".*" is one role/,
    },
    'an ignore file that is not there': { args: () => ['deploy/app', '--ignore', '/nowhere'], says: /"\/nowhere" cannot be read/ },
    'a baseline that is no report': {
      args: () => ['deploy/app', '--baseline', 'package.json'],
      says: /--baseline: "package\.json": not a report/,
    },
    'a form of output that there is not': { args: () => ['deploy/app', '-o', 'xml'], says: /--output: "xml" is none of table, json, yaml/ },
  };
  // Contract: check-exit-codes
  for (const [sentence, { args, says }] of Object.entries(cases))
    test(`${sentence}: one sentence, exit code 2, and no stack`, async () => {
      const { stdout, stderr, code } = await run(...args());
      expect(stderr).toMatch(says);
      expect(stderr.split('\n')[0]).toMatch(/^irsa-operator check: /);
      expect(stderr).not.toMatch(/\n\s+at |CANARY|TypeError/);
      expect([stdout, code]).toEqual(['', 2]);
    });

  // Contract: check-one-engine
  test('a cluster without the webhook: that is what is wrong, and nothing else', async () => {
    const s = await suite.scene('no-webhook');
    s.role(right(s));
    await s.serviceAccount(annotated(s));
    const configuration = 'mutatingwebhookconfiguration/pod-identity-webhook';
    const standing = await suite.testbed.kubectl(['get', configuration, '-o', 'json']);
    await suite.testbed.kubectl(['delete', configuration]);
    await s.workload('deployments');
    await s.allReady();
    const found = await report('-n', s.namespace, 'deploy/app');
    expect([found.exitCode, codesOf(found)]).toEqual([1, ['PodCredentialsMissing', 'WebhookMissing']]);
    const { metadata: _, ...rest } = JSON.parse(standing) as { metadata: object };
    await suite.testbed.kubectl(['create', '-f', '-'], {
      input: JSON.stringify({ ...rest, metadata: { name: 'pod-identity-webhook' } }),
    });
  });
});

describe('what one check asks for', () => {
  const MOST_OF_AWS = 6;
  const MOST_OF_KUBERNETES = 12;
  let proxy: CountingProxy;
  let [admin, viewer] = ['', ''];
  beforeAll(async () => {
    proxy = await countingProxy(suite.testbed);
    const { kubectl } = suite.testbed;
    for (const name of ['counted', 'viewing']) await kubectl(['create', 'serviceaccount', '-n', 'default', name]);
    await kubectl(['create', 'clusterrolebinding', 'counted', '--clusterrole=cluster-admin', '--serviceaccount=default:counted']);
    await kubectl(['create', 'clusterrolebinding', 'viewing', '--clusterrole=view', '--serviceaccount=default:viewing']);
    admin = await suite.testbed.kubeconfigFor({ namespace: 'default', name: 'counted' }, proxy);
    viewer = await suite.testbed.kubeconfigFor({ namespace: 'default', name: 'viewing' }, proxy);
  });
  afterAll(() => proxy.stop());

  async function counted(name: string, kubeconfig: string, args: readonly string[], keys = true) {
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, AWS_SESSION_TOKEN: ___, ...rest } = credentials();
    const as = keys ? suite.testbed.aws.env({ roleName: 'reader', identityPolicy: IAM, sessionName: name }) : rest;
    const began = performance.now();
    const { stdout, code } = await runCommand(suite.testbed.aws, ['check', ...args], { kubeconfig, credentials: as });
    const ms = Math.round(performance.now() - began);
    const calls = suite.testbed.aws.journal.filter(({ caller }) => caller.endsWith(`/reader/${name}`)).map(({ operation }) => operation);
    const reads = proxy.asked();
    console.log(`check ${name}: ${reads.length} reads of Kubernetes, ${calls.length} calls of AWS (${calls.join(', ')}), ${ms} ms`);
    return { stdout, code, calls, reads };
  }

  const cases: Record<string, { given: () => Promise<Scene>; as: () => string; keys?: boolean; ends: number; says: string }> = {
    broken: {
      given: () => broken('counted-broken', { policy: (s) => policy(allow(s, { subject: `system:serviceaccount: ${s.namespace}:app` })) }),
      as: () => admin,
      ends: 1,
      says: 'TrustSubjectWhitespace',
    },
    unannotated: {
      given: () => broken('counted-unannotated', { annotation: () => ({}), policy: right, message: NO_CREDENTIALS }),
      as: () => admin,
      ends: 1,
      says: 'AnnotationMissing',
    },
    healthy: { given: () => works('counted-healthy'), as: () => admin, ends: 0, says: 'IRSA works' },
    'viewed-without-aws': { given: () => works('counted-view'), as: () => viewer, keys: false, ends: 2, says: 'Not known' },
  };
  // Contract: check-few-reads
  for (const [name, { given, as, keys, ends, says }] of Object.entries(cases))
    test(`of a cluster that is ${name.replaceAll('-', ' ')}: AWS ${MOST_OF_AWS} times and Kubernetes ${MOST_OF_KUBERNETES} times at most`, async () => {
      const s = await given();
      await eventually(`the API server knows who may read ${s.namespace}`, async () => {
        const { stdout } = await runCommand(suite.testbed.aws, ['check', '-n', s.namespace, 'deploy/app'], {
          kubeconfig: as(),
          credentials: credentials(),
        });
        return stdout.includes('Pods') && !stdout.includes('cannot list resource');
      });
      proxy.asked();
      const { stdout, code, calls, reads } = await counted(name, as(), ['-n', s.namespace, 'deploy/app'], keys);
      expect([code, stdout]).toEqual([ends, expect.stringContaining(says)]);
      expect(reads.length).toBeGreaterThan(6);
      expect(reads.length).toBeLessThanOrEqual(MOST_OF_KUBERNETES);
      expect(calls.length).toBeLessThanOrEqual(MOST_OF_AWS);
      expect(calls.length > 0).toBe(keys !== false);
      expect(reads.filter((read) => !read.startsWith('GET '))).toEqual([]);
      expect(reads).not.toContain('GET /api/v1/pods');
    });
});

// Contract: check-writes-nothing
test('nobody but the operator and those who made the scenes wrote anything', async () => {
  const written = (await suite.testbed.auditEvents()).filter(
    ({ user, verb }) => user.username === 'jane' && !['get', 'list'].includes(verb),
  );
  expect(written.filter(({ objectRef }) => objectRef?.resource !== 'tokenreviews')).toEqual([]);
  const calls = suite.testbed.aws.journal.filter(({ caller }) => caller.includes(':assumed-role/reader/'));
  expect(calls.length).toBeGreaterThan(0);
  expect(calls.filter(({ operation }) => !/^(Get|List)/.test(operation))).toEqual([]);
});
