import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, ApiError, type Testbed, until } from '@irsa-operator/testbed';
import { ACCOUNT } from '../../harness/scene.ts';
import type { Kind, Spec } from './values.ts';

const API = '/apis/irsa-operator.dev/v1alpha1';
/** Bindings of a role gather for 2 s before they are written. */
const STILL_MS = 2_500;
/** A role is left when the new one works: two writes with their read-backs, on a busy machine; a role that is gone is gone after a minute. */
const PATIENCE = { timeoutMs: 120_000 };
const OUR_FOREIGN = {
  Version: '2012-10-17',
  Statement: [{ Sid: 'Ec2', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}
interface Status {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly roles?: readonly { readonly arn: string; readonly audience: string }[];
  readonly [name: string]: unknown;
}
export interface BindingSeen {
  readonly metadata: { readonly generation: number; readonly resourceVersion: string };
  readonly spec: Spec & { readonly roleArn: string; readonly audience: string };
  readonly status?: Status;
}

/** Everything that one binding stands for, without times. */
export interface State {
  /** The trust policies of the roles of the lane, by ARN. */
  readonly documents: Readonly<Record<string, unknown>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly status: unknown;
}

/** One field is swept here and nothing else: a namespace, a role, a grant, a ServiceAccount, a binding. */
export class Lane {
  readonly name: string;
  readonly roleArn: string;
  readonly #testbed: Testbed;
  readonly #api: Api;

  constructor(testbed: Testbed, api: Api, name: string) {
    this.name = name;
    this.roleArn = `arn:aws:iam::${ACCOUNT}:role/${name}`;
    this.#testbed = testbed;
    this.#api = api;
  }

  base(kind: Kind): Spec {
    if (kind === 'IrsaBinding') return { serviceAccountName: 'app', roleArn: this.roleArn };
    return {
      roleArns: [this.roleArn],
      namespaces: { names: [this.name], selector: { matchLabels: { lane: this.name } } },
      serviceAccountNames: ['*'],
    };
  }

  /** `audiences` are those that a binding here may come to ask for. */
  async setUp(audiences: readonly string[]): Promise<void> {
    this.role(this.roleArn);
    await this.#api.call('POST', '/api/v1/namespaces', { body: { metadata: { name: this.name, labels: { lane: this.name } } } });
    await this.#api.call('POST', `/api/v1/namespaces/${this.name}/serviceaccounts`, { body: { metadata: { name: 'app' } } });
    const grant = {
      ...this.base('IrsaGrant'),
      ...(audiences.length === 0 ? {} : { audiences, roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`] }),
    };
    await this.create('IrsaGrant', grant);
    await this.create('IrsaBinding', this.base('IrsaBinding'));
  }

  /** Makes the role, where it can be one of our account. */
  role(arn: string): void {
    const [, path = '', name = ''] = /^arn:aws:iam::111122223333:role(\/.*?)([^/]+)$/.exec(arn) ?? [];
    if (name === '' || this.#testbed.aws.account().role.get(name) !== undefined) return;
    this.#testbed.aws.account().role.put({ name, path, trustPolicy: OUR_FOREIGN });
  }

  path(kind: Kind): string {
    return kind === 'IrsaBinding' ? `${API}/namespaces/${this.name}/irsabindings/app` : `${API}/irsagrants/${this.name}`;
  }

  async create(kind: Kind, spec: Spec): Promise<void> {
    const path = this.path(kind);
    const name = path.slice(path.lastIndexOf('/') + 1);
    await this.#api.call('POST', path.slice(0, path.lastIndexOf('/')), {
      body: { apiVersion: 'irsa-operator.dev/v1alpha1', kind, metadata: { name }, spec },
    });
  }

  /** Puts this spec in place of the present one. The refusal of the API server where it refuses it. */
  async put(kind: Kind, spec: Spec): Promise<string | undefined> {
    const path = this.path(kind);
    const attempt = async (): Promise<string | undefined> => {
      const found = await this.#api.call<object>('GET', path);
      try {
        await this.#api.call('PUT', path, { body: { ...found, spec } });
        return undefined;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 409) return attempt(); // the status was written meanwhile
        if (error.status !== 422 && error.status !== 400) throw error;
        return error.message;
      }
    };
    return attempt();
  }

  binding(): Promise<BindingSeen> {
    return this.#api.call<BindingSeen>('GET', this.path('IrsaBinding'));
  }

  async remove(): Promise<void> {
    await this.#api.call('DELETE', this.path('IrsaBinding'));
    const gone = () =>
      this.binding().then(
        () => false,
        (error: unknown) => error instanceof ApiError && error.status === 404,
      );
    await until(`the binding of ${this.name} is gone`, gone, PATIENCE);
  }

  /** When the operator has nothing more to do for the spec as it is: the same a while later. */
  async settled(): Promise<State> {
    return until(
      `the binding of ${this.name} is settled`,
      async () => {
        const open = unsettled(await this.binding());
        if (open !== undefined) throw new Error(open);
        const before = await this.state();
        await sleep(STILL_MS);
        const after = await this.state();
        return JSON.stringify(before) === JSON.stringify(after) && unsettled(await this.binding()) === undefined && after;
      },
      PATIENCE,
    );
  }

  async state(): Promise<State> {
    const { spec, status = {} } = await this.binding();
    const { observedGeneration: _, conditions = [], ...rest } = status;
    const account = await this.#api.call<{ metadata: { annotations?: Record<string, string> } }>(
      'GET',
      `/api/v1/namespaces/${this.name}/serviceaccounts/app`,
    );
    const arns = new Set([this.roleArn, spec.roleArn]);
    const documents = [...arns].flatMap((arn) => {
      const role = this.#testbed.aws.account().role.get(arn.slice(arn.lastIndexOf('/') + 1));
      return role === undefined ? [] : [[arn, JSON.parse(role.trustPolicy) as unknown] as const];
    });
    return {
      documents: Object.fromEntries(documents),
      annotations: account.metadata.annotations ?? {},
      status: { ...rest, conditions: conditions.map(({ type, status: is, reason, message }) => ({ type, status: is, reason, message })) },
    };
  }
}

/** What the operator is still at; undefined where it waits for somebody else. */
function unsettled({ metadata, spec, status }: BindingSeen): string | undefined {
  const conditions = status?.conditions ?? [];
  if (conditions.length === 0) return 'no status yet';
  const old = conditions.find(({ observedGeneration }) => observedGeneration !== metadata.generation);
  if (old !== undefined) return `${old.type} is of generation ${old.observedGeneration}, the spec of ${metadata.generation}`;
  const busy = conditions.find(({ type }) => type === 'Reconciling');
  if (busy !== undefined) return busy.message;
  const ready = conditions.find(({ type }) => type === 'Ready');
  const left = (status?.roles ?? []).find(({ arn, audience }) => arn !== spec.roleArn || audience !== spec.audience);
  const acts = spec['mode'] === 'Enforce' && spec['suspend'] !== true;
  return acts && ready?.status === 'True' && left !== undefined ? `still on ${JSON.stringify(left)}` : undefined;
}
