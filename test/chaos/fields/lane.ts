import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, ApiError, type Testbed, until } from '@irsa-operator/testbed';
import { pathOf } from '../../harness/objects.ts';
import { FOREIGN } from '../../harness/policies.ts';
import { openScene, type Scene } from '../../harness/scene.ts';
import { ACCOUNT, type Binding, conditionOf } from '../../harness/views.ts';
import type { Kind, Spec } from './values.ts';

/** Bindings of a role gather for 2 s before they are written. */
const STILL_MS = 2_500;
/** A role is left when the new one works: two writes with their read-backs, on a busy machine; a role that is gone is gone after a minute. */
const PATIENCE = { timeoutMs: 120_000 };

/** Everything that one binding stands for, without times. */
export interface State {
  /** The trust policies of the roles of the lane, by ARN. */
  readonly documents: Readonly<Record<string, unknown>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly status: unknown;
}

/** One field is swept here and nothing else: a namespace, a role, a grant, a ServiceAccount, a binding. `audiences` are those that the binding may come to ask for. */
export async function openLane(testbed: Testbed, api: Api, name: string, audiences: readonly string[]): Promise<Lane> {
  const lane = new Lane(testbed, api, await openScene(testbed, api, name, { lane: name }));
  const { scene } = lane;
  scene.role();
  await scene.serviceAccount();
  await scene.grant({
    ...lane.base('IrsaGrant'),
    ...(audiences.length === 0 ? {} : { audiences, roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`] }),
  });
  await scene.bind();
  return lane;
}

export class Lane {
  readonly scene: Scene;
  readonly #testbed: Testbed;
  readonly #api: Api;

  constructor(testbed: Testbed, api: Api, scene: Scene) {
    this.scene = scene;
    this.#testbed = testbed;
    this.#api = api;
  }

  base(kind: Kind): Spec {
    const { roleArn, namespace } = this.scene;
    if (kind === 'IrsaBinding') return { serviceAccountName: 'app', roleArn };
    return {
      roleArns: [roleArn],
      namespaces: { names: [namespace], selector: { matchLabels: { lane: namespace } } },
      serviceAccountNames: ['*'],
    };
  }

  /** Makes the role, where it can be one of our account. */
  role(arn: string): void {
    const [, path = '', name = ''] = /^arn:aws:iam::111122223333:role(\/.*?)([^/]+)$/.exec(arn) ?? [];
    const { role } = this.#testbed.aws.account();
    if (name !== '' && role.get(name) === undefined) role.put({ name, path, trustPolicy: FOREIGN });
  }

  #path(kind: Kind): string {
    const { scene } = this;
    return kind === 'IrsaBinding' ? scene.path('irsabindings', 'app') : pathOf('irsagrants', { name: scene.namespace });
  }

  /** Puts this spec in place of the present one. The refusal of the API server where it refuses it. */
  async put(kind: Kind, spec: Spec): Promise<string | undefined> {
    const path = this.#path(kind);
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

  /** When the operator has nothing more to do for the spec as it is: the same a while later. */
  async settled(): Promise<State> {
    return until(
      `the binding of ${this.scene.namespace} is settled`,
      async () => {
        const open = unsettled(await this.scene.binding());
        if (open !== undefined) throw new Error(open);
        const before = await this.state();
        await sleep(STILL_MS);
        const after = await this.state();
        return JSON.stringify(before) === JSON.stringify(after) && unsettled(await this.scene.binding()) === undefined && after;
      },
      PATIENCE,
    );
  }

  async state(): Promise<State> {
    const { spec, status = {} } = await this.scene.binding();
    const { observedGeneration: _, conditions = [], ...rest } = status;
    const arns = new Set([this.scene.roleArn, spec.roleArn]);
    const documents = [...arns].flatMap((arn) => {
      const role = this.#testbed.aws.account().role.get(arn.slice(arn.lastIndexOf('/') + 1));
      return role === undefined ? [] : [[arn, JSON.parse(role.trustPolicy) as unknown] as const];
    });
    return {
      documents: Object.fromEntries(documents),
      annotations: (await this.scene.annotations()) ?? {},
      status: { ...rest, conditions: conditions.map(({ type, status: is, reason, message }) => ({ type, status: is, reason, message })) },
    };
  }
}

/** What the operator is still at; undefined where it waits for somebody else. */
function unsettled(seen: Binding): string | undefined {
  const { metadata, spec, status } = seen;
  const conditions = status?.conditions ?? [];
  if (conditions.length === 0) return 'no status yet';
  const old = conditions.find(({ observedGeneration }) => observedGeneration !== metadata.generation);
  if (old !== undefined) return `${old.type} is of generation ${old.observedGeneration}, the spec of ${metadata.generation}`;
  const busy = conditionOf(seen, 'Reconciling');
  if (busy !== undefined) return busy.message;
  const left = (status?.roles ?? []).find(({ arn, audience }) => arn !== spec.roleArn || audience !== spec.audience);
  const acts = spec.mode === 'Enforce' && !spec.suspend;
  return acts && conditionOf(seen, 'Ready')?.status === 'True' && left !== undefined ? `still on ${JSON.stringify(left)}` : undefined;
}
