import { type Testbed, until } from '@irsa-operator/testbed';
import { commandsIn, type Ended, runCommand } from '../harness/command.ts';
import { allowing } from '../harness/policies.ts';
import type { Scene, Workload } from '../harness/scene.ts';
import { shellOf } from '../harness/shell.ts';
import type { Meant } from '../harness/slips.ts';
import type { Suite } from '../harness/suite.ts';
import { ROLE_ARN } from '../harness/views.ts';

/** Time for a rollout on a busy machine. */
const PATIENCE = { timeoutMs: 120_000 };
/** Of a role that exists, and is not the one that is meant. */
export const OTHER_ROLE = 'somebody-elses';

/** What is wrong in one namespace and one account; all the rest is right. */
export interface Ailment {
  /** Statements of the trust policy, or all of it. */
  readonly trust?: (of: Meant) => readonly object[] | string;
  readonly path?: string;
  /** Client IDs of the cluster's OIDC provider, the URL of another one, or none at all. */
  readonly provider?: { readonly clientIds: readonly string[] } | { readonly similar: (issuer: string) => string } | 'none';
  /** Of the ServiceAccount while its pods are made. Undefined: there is no ServiceAccount. */
  readonly annotations?: ((role: string) => Readonly<Record<string, string>>) | 'noServiceAccount';
  /** What becomes of them then. */
  readonly later?: (role: string) => Readonly<Record<string, string | null>>;
  readonly workload?: (role: string) => Workload;
  /** In place of a Deployment of two pods. */
  readonly runner?: { readonly target: string; readonly pods: number; readonly make: (scene: Scene, role: string) => Promise<void> };
  readonly args?: (role: string) => readonly string[];
  /** In the environment of the person. */
  readonly kubeconfig?: string;
}

/** A pod without its role, the person who checks it, and the shell that person has. */
export interface Patient {
  readonly scene: Scene;
  readonly role: string;
  /** The trust policy as IAM has it. */
  readonly trust: () => string;
  check(...args: readonly string[]): Promise<Ended>;
  /** The page that says this of the pods as they are. */
  says(what: string): Promise<string>;
  /** Runs the commands of a page, and comes back when the pods are Ready and a check finds nothing wrong. */
  cured(page: string): Promise<void>;
}

/** The subject that a right trust policy lets in. */
export const right = ({ account, issuer, namespace }: Meant): object => {
  const Federated = `arn:aws:iam::${account}:oidc-provider/${issuer.replace('https://', '')}`;
  return allowing(issuer, `system:serviceaccount:${namespace}:app`, { Principal: { Federated } });
};

export async function patientWith(suite: Suite, accountId: string, name: string, ailment: Ailment): Promise<Patient> {
  const { testbed } = suite;
  const scene = await suite.scene(name, { granted: false });
  const aws = testbed.aws.account(accountId);
  const { provider = { clientIds: ['sts.amazonaws.com'] }, path = '/' } = ailment;
  if (provider !== 'none')
    aws.provider.put('similar' in provider ? { issuer: provider.similar(testbed.issuer) } : { issuer: testbed.issuer, ...provider });
  const { trust = (of: Meant) => [right(of)], annotations = annotated } = ailment;
  const document = trust({ account: accountId, issuer: testbed.issuer, namespace: name });
  const trustPolicy = typeof document === 'string' ? document : { Version: '2012-10-17', Statement: document };
  const roleName = `role-of-${name}`;
  const { arn: role } = aws.role.put({ name: roleName, path, trustPolicy });
  aws.role.put({
    name: OTHER_ROLE,
    trustPolicy: { Version: '2012-10-17', Statement: [right({ account: accountId, issuer: testbed.issuer, namespace: name })] },
  });

  if (annotations !== 'noServiceAccount') await scene.serviceAccount(annotations(role));
  const { runner, workload, later } = ailment;
  const { target, pods } = runner ?? { target: 'deploy/app', pods: 2 };
  await (runner === undefined ? scene.deployment(workload?.(role) ?? {}) : runner.make(scene, role));
  if (annotations !== 'noServiceAccount') await until('the pods are there', async () => (await scene.pods()).length === pods, PATIENCE);
  if (later !== undefined) {
    await scene.annotate(later(role));
    await testbed.webhookCaughtUp();
  }
  return examined({ testbed, scene, role, accountId, roleName, target, pods, ailment });
}

const annotated = (role: string) => ({ [ROLE_ARN]: role });

interface Examined {
  readonly testbed: Testbed;
  readonly scene: Scene;
  readonly role: string;
  readonly roleName: string;
  readonly accountId: string;
  readonly target: string;
  readonly pods: number;
  readonly ailment: Ailment;
}

function examined({ testbed, scene, role, roleName, accountId, target, pods, ailment }: Examined): Patient {
  const { kubeconfig = testbed.kubeconfig, args = () => [] } = ailment;
  // As npx starts it.
  const credentials = { ...testbed.aws.env({ accountId, roleName: 'reader', sessionName: 'jane' }), npm_command: 'exec' };
  const examine = (by: string, ...more: readonly string[]) =>
    runCommand(testbed.aws, ['check', '-n', scene.namespace, target, ...more], { kubeconfig: by, credentials });
  return {
    scene,
    role,
    trust: () => testbed.aws.account(accountId).role.get(roleName)?.trustPolicy ?? '',
    check: (...more) => examine(kubeconfig, ...more),
    says: (what) =>
      until(
        `check says ${what} of ${scene.namespace}`,
        async () => {
          const { code, stdout, stderr } = await examine(kubeconfig, ...args(role));
          if (code === 0 || !stdout.includes(what)) throw new Error(`${stdout}${stderr}`);
          return stdout;
        },
        PATIENCE,
      ),
    async cured(page) {
      const shell = await shellOf(testbed, { accountId, kubeconfig });
      await shell(commandsIn(page));
      await scene.allReady(pods);
      await until(
        `check says that IRSA works in ${scene.namespace}`,
        async () => {
          // What was said in place of the annotation is in the annotation now.
          const { code, stdout, stderr } = await examine(testbed.kubeconfig);
          if (code !== 0 || !stdout.includes('IRSA works')) throw new Error(`${stdout}${stderr}`);
          return true;
        },
        PATIENCE,
      );
      // A pod that was Ready without the role may have gone meanwhile.
      await scene.allReady(pods);
    },
  };
}
