import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandsIn } from '../harness/command.ts';
import { statementsIn } from '../harness/policies.ts';
import { ASKS_STS, type Scene, type Workload } from '../harness/scene.ts';
import { type Meant, SLIPS } from '../harness/slips.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ROLE_ARN } from '../harness/views.ts';
import { type Ailment, type Patient, patientWith, right } from './patient.ts';

/** What else pods are made by, what a shell would read otherwise than it is meant, and what no command fixes. */
const suite = integrationSuite({ operator: false });

let accounts = 310_000_000_000;
const patient = (name: string, ailment: Ailment): Promise<Patient> => patientWith(suite, `${accounts++}`, name, ailment);

/** Pods that were made before the annotation. */
const early = (runner: Ailment['runner']): Ailment => ({
  annotations: () => ({}),
  later: (role) => ({ [ROLE_ARN]: role }),
  ...(runner === undefined ? {} : { runner }),
});
const made = (kind: Parameters<Scene['workload']>[0], part: Workload = {}) => {
  return (scene: Scene) => scene.workload(kind, { labels: ASKS_STS, ...part });
};
/** Otherwise the second pod comes when the first one is ready. */
const sideBySide = { spec: { podManagementPolicy: 'Parallel' } };
/** The node of the testbed has a taint. */
const onEveryNode = { pod: { tolerations: [{ operator: 'Exists' }] } };
const onDelete = { spec: { updateStrategy: { type: 'OnDelete' } } };

// Contract: check-commands-work
describe.concurrent('pods that were made before the annotation become Ready,', () => {
  const runners: Record<string, NonNullable<Ailment['runner']>> = {
    'of a StatefulSet': { target: 'sts/app', pods: 2, make: made('statefulsets', sideBySide) },
    'of a StatefulSet that waits for its pod before it replaces it': {
      target: 'sts/app',
      pods: 1,
      make: made('statefulsets', { replicas: 1 }),
    },
    'of a StatefulSet that holds its rollout with a partition': {
      target: 'sts/app',
      pods: 2,
      make: made('statefulsets', {
        spec: { ...sideBySide.spec, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 5 } } },
      }),
    },
    'of a StatefulSet that is updated by deletion': {
      target: 'sts/app',
      pods: 2,
      make: made('statefulsets', { spec: { ...sideBySide.spec, ...onDelete.spec } }),
    },
    'of a DaemonSet': { target: 'ds/app', pods: 1, make: made('daemonsets', onEveryNode) },
    'of a DaemonSet that is updated by deletion': { target: 'ds/app', pods: 1, make: made('daemonsets', { ...onDelete, ...onEveryNode }) },
    'of a ReplicaSet that stands alone': { target: 'rs/app', pods: 2, make: made('replicasets') },
  };
  for (const [at, [sentence, runner]] of Object.entries(runners).entries())
    test(sentence, async () => {
      const one = await patient(`kind-${at}`, early(runner));
      await one.cured(await one.says('PodCredentialsMissing'));
    });

  test('of a Deployment that is paused', async () => {
    const one = await patient('paused', early(undefined));
    await one.scene.patch('deployments', 'app', { spec: { paused: true } });
    await one.cured(await one.says('PodCredentialsMissing'));
  });
});

const wrong = (of: Meant) => [{ ...right(of), Sid: 'Apps', Action: 'sts:AssumeRole' }];

// Contract: check-commands-work
describe.concurrent('the commands work', () => {
  test('where all of it is wrong at once', async () => {
    const one = await patient('all', {
      trust: (of) => [{ ...right(of), Action: 'sts:AssumeRole' }],
      provider: 'none',
      annotations: () => ({ 'eks.amazon.com/role-arn': 'app' }),
      args: (role) => ['--role-arn', role],
      workload: (role) => ({ container: { env: [{ name: 'AWS_ROLE_ARN', value: role }] } }),
    });
    const page = await one.says('TrustWrongAction');
    for (const code of ['AnnotationKeyMisspelt', 'OidcProviderMissing', 'PodPartialInjection']) expect(page).toContain(code);
    await one.cured(page);
  });

  test('where a shell would read the path of the role as commands', async () => {
    const path = "/it's/$(exit)/`exit`/;exit/";
    const one = await patient('quoted', { path, annotations: (role) => ({ [ROLE_ARN]: role.replace(path, '/') }) });
    await one.cured(await one.says('RoleArnMismatch'));
  });

  test('where the context has blanks, and is not the one that is in force', async () => {
    const config = JSON.parse(readFileSync(suite.testbed.kubeconfig, 'utf8')) as { contexts: { name: string }[] };
    const [context] = config.contexts;
    const file = join(suite.testbed.folder, "jane's cluster.kubeconfig");
    const contexts = [{ ...context, name: 'my cluster' }];
    writeFileSync(file, JSON.stringify({ ...config, contexts, 'current-context': 'elsewhere' }), { mode: 0o600 });
    const args = (role: string) => ['--role-arn', role, '--context', 'my cluster', '--kubeconfig', file];
    // The shell has no other way to the cluster.
    const one = await patient('context', { trust: wrong, annotations: () => ({}), args, kubeconfig: '/nonexistent' });
    const page = await one.says('TrustWrongAction');
    expect(page).toContain(`--context 'my cluster'`);
    await one.cured(page);
  });

  test('and keep the statements of others as they are, with their Sids', async () => {
    const ec2 = { Sid: 'Ec2', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
    const one = await patient('sids', { trust: (of) => [ec2, ...wrong(of)], path: '/team/a/' });
    const before = statementsIn(one.trust());
    await one.cured(await one.says('TrustWrongAction'));
    const after = statementsIn(one.trust());
    expect([after.slice(0, 2), after.length]).toEqual([before, 3]);
  });
});

// Contract: check-commands-work
describe.concurrent('there is no command, and the page says why:', () => {
  const none: Record<string, { ailment: Ailment; code: string; says: RegExp }> = {
    'a trust policy without room': {
      ailment: { trust: wrong },
      code: 'TrustPolicyTooLarge',
      says: /it would have \d+ characters, but the account's quota is 400/,
    },
    'a Deny of the owner': { ailment: { trust: slip('TrustExplicitDeny') }, code: 'TrustExplicitDeny', says: /only the owner/ },
    'a restriction by the owner, which is not known before the call': {
      ailment: { trust: slip('TrustRestrictedByOwner') },
      code: 'TrustRestrictedByOwner',
      says: /the decision of its owner/,
    },
    'a deleted principal': {
      ailment: { trust: slip('TrustOrphanedPrincipal') },
      code: 'TrustOrphanedPrincipal',
      says: /removes this ID/,
    },
    'a shared provider': { ailment: { trust: slip('TrustThirdPartyGuard') }, code: 'TrustThirdPartyGuard', says: /adds this condition/ },
    'a pod that nothing makes again': {
      ailment: early({ target: 'pod/app', pods: 1, make: (scene) => scene.put('pods', 'app', pod) }),
      code: 'PodNotRestartable',
      says: /no controller owns it/,
    },
    'a pod of a Job': {
      ailment: early({ target: 'job/app', pods: 1, make: (scene) => scene.put('jobs', 'app', job) }),
      code: 'PodNotRestartable',
      says: /Wait for its end, or delete the pod/,
    },
  };
  for (const [at, [sentence, { ailment, code, says }]] of Object.entries(none).entries())
    test(sentence, async () => {
      if (code === 'TrustPolicyTooLarge') suite.testbed.aws.account(`${accounts}`).setQuota(400);
      const one = await patient(`none-${at}`, ailment);
      const before = one.trust();
      const page = await one.says(code);
      expect(page.replaceAll(/\s+/g, ' ')).toMatch(says);
      expect(commandsIn(page)).toEqual([]);
      const { stdout, code: ended } = await one.check('--print', 'trust');
      expect([stdout, ended, one.trust()]).toEqual(['', 2, before]);
    });
});

// Contract: check-commands-work
describe('a namespace that the webhook leaves out', () => {
  const configuration = 'mutatingwebhookconfiguration/pod-identity-webhook';
  beforeAll(async () => {
    const matchExpressions = [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['left-out'] }];
    const patch = [{ op: 'add', path: '/webhooks/0/namespaceSelector', value: { matchExpressions } }];
    await suite.testbed.kubectl(['patch', configuration, '--type', 'json', '-p', JSON.stringify(patch)]);
    await suite.testbed.webhookCaughtUp();
  });
  test('is said, and no command changes what the administrator decides', async () => {
    const one = await patient('left-out', {});
    const page = await one.says('WebhookNotSelecting');
    expect(page.replaceAll(/\s+/g, ' ')).toContain('Change the labels of the namespace, or the selector');
    expect(commandsIn(page)).toEqual([]);
  });
});

function slip(code: keyof typeof SLIPS): NonNullable<Ailment['trust']> {
  const trust = SLIPS[code];
  if (trust === undefined) throw new Error(`the trust policy of ${code} is missing`);
  return trust;
}

const spec = { serviceAccountName: 'app', containers: [{ name: 'app', image: 'app' }] };
const pod = { metadata: { name: 'app', labels: ASKS_STS }, spec };
const job = { spec: { template: { metadata: { labels: ASKS_STS }, spec: { ...spec, restartPolicy: 'OnFailure' } } } };
