import type { RoleArn } from '../../api/arn.ts';
import type { Namespace, Pod, ServiceAccount, Workload } from '../../api/cluster.ts';
import { Fault } from '../../api/fault.ts';
import { EKS_ANNOTATIONS } from '../../api/names.ts';
import { EKS_WEBHOOK, type InjectingWebhook } from '../../api/webhook.ts';
import { app, appPod, jane, statement, webhook } from '../../domain/check/test-seen.ts';
import { namespace } from '../../domain/test-cluster.ts';
import { ARN, ISSUER, NOW, policy, provider, SERVICE, serviceAccount } from '../../domain/test-observed.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { noProgress } from '../progress.ts';
import { Account } from '../test-account.ts';
import type { CheckPorts, Where } from './ports.ts';

export const where: Where = {
  what: 'cluster',
  cluster: 'blue',
  namespace: 'shop',
  server: 'https://10.0.0.1',
  region: undefined,
  profile: undefined,
};

export const accountNamed = (name: string, role: string | undefined = ARN): ServiceAccount => ({
  ...serviceAccount(role === undefined ? {} : { [EKS_ANNOTATIONS.roleArn]: role }, 'kubectl'),
  name,
});

export interface Around {
  readonly accounts: readonly ServiceAccount[];
  readonly namespace: Namespace | undefined;
  readonly pods: readonly Pod[];
  readonly workloads: readonly Workload[];
  readonly webhooks: readonly InjectingWebhook[];
  readonly runs: string | undefined;
  readonly roles: ConstructorParameters<typeof Account>[0];
  readonly clientIds: readonly string[] | undefined;
  readonly issuer: string;
  readonly eksIssuer: string | undefined;
  readonly words: string;
  /** Reads that end in a fault, by their names in `calls`. */
  readonly faults: Readonly<Record<string, Fault>>;
}

/** A cluster and an account in memory, all right unless it is said otherwise, which count what they are asked. */
export function world(part: Partial<Around> = {}) {
  const around: Around = {
    accounts: [accountNamed('app')],
    namespace: namespace(),
    pods: [appPod()],
    workloads: [app],
    webhooks: [webhook()],
    runs: 'app',
    roles: { [ARN]: policy(SERVICE, statement()) },
    clientIds: provider.kind === 'registered' ? provider.clientIds : [],
    issuer: ISSUER,
    eksIssuer: undefined,
    words: '',
    faults: {},
    ...part,
  };
  const calls: string[] = [];
  /** The fault of one object, or of all that are read so. */
  const asked = async <T>(call: string, answer: T): Promise<T> => {
    calls.push(call);
    const fault = around.faults[call] ?? around.faults[call.split(' ')[0] ?? ''];
    if (fault !== undefined) throw fault;
    return answer;
  };
  const account = new Account(around.roles);
  const ports: CheckPorts = {
    clock: new ManualClock(NOW),
    webhook: EKS_WEBHOOK,
    files: undefined,
    progress: noProgress,
    cluster: {
      namespace: (name) => asked(`namespace ${name}`, around.namespace),
      serviceAccount: ({ name }) =>
        asked(
          `serviceAccount ${name}`,
          around.accounts.find((one) => one.name === name),
        ),
      serviceAccounts: (of) => asked(`serviceAccounts ${of ?? 'everywhere'}`, around.accounts),
      serviceAccountNameOf: (kind, { name }) => asked(`${kind} ${name}`, around.runs),
      pods: ({ namespace: of, name }, labels) => asked(`pods ${[name ?? `of ${of}`, ...labels].join(' ')}`, around.pods),
      workloads: (of) => asked(`workloads ${of}`, around.workloads),
      batchWorkloads: (of) => asked(`batchWorkloads ${of}`, []),
      webhooks: () => asked('webhooks', around.webhooks),
      issuer: () => asked('issuer', around.issuer),
      apiAudiences: () => asked('apiAudiences', ['https://kubernetes.default.svc']),
      lastWords: ({ name }, container) => asked(`lastWords ${name} ${container}`, around.words),
    },
    aws: {
      caller: () => asked('caller', jane),
      roles: {
        read: async (arn: RoleArn) => {
          await asked(`role ${arn}`, undefined);
          return account.read(arn);
        },
        async *list() {
          await asked('roles', undefined);
          yield* account.list();
        },
        policyQuota: () => asked('quota', 2048),
      },
      providers: {
        clientIds: (arn) => asked(`provider ${arn}`, around.clientIds),
        list: () => asked('providers', [`arn:aws:iam::111122223333:oidc-provider/${ISSUER.slice('https://'.length)}/`]),
      },
      eksIssuer: around.eksIssuer === undefined ? undefined : () => asked('eksIssuer', around.eksIssuer),
    },
  };
  return { ports, calls };
}

export const denied = (what: string) => new Fault('denied', `${what} is forbidden`);
