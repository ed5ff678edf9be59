import { type Api, type AuditEvent, type JournalEntry, type Testbed, until, WORKLOAD_LABEL } from '@irsa-operator/testbed';
import { binding, grant, type Kind, OPERATOR_USER, pathOf, unless, type WorkloadKind } from './objects.ts';
import { FOREIGN, policy, statementsIn } from './policies.ts';
import {
  ACCOUNT,
  type Binding,
  type Condition,
  conditionOf,
  type Event,
  isReady,
  type Pod,
  type ServiceAccount,
  type Statement,
} from './views.ts';

/** The longest waits of the contract on a scene's way: a lost grant acts after 60 s, a refusal is believed after 60 s; on a busy machine. */
const PATIENCE = { timeoutMs: 120_000 };
const REQUESTED_AT = 'irsa-operator.dev/reconcile-requested-at';
/** The age of a write at which it is read back for the last time, and believed. */
const LAST_READ_BACK_MS = 8_000;
/** By then an answer was there, also on a busy machine. */
const ANSWER_MS = 3_000;
/** Of pods that are Ready only if STS lets them in. */
export const ASKS_STS = { [WORKLOAD_LABEL]: 'aws' };

export interface Workload {
  readonly name?: string;
  readonly replicas?: number;
  readonly serviceAccountName?: string;
  /** Further labels of the pods. */
  readonly labels?: object;
  readonly annotations?: object;
  readonly container?: object;
  readonly pod?: object;
  readonly spec?: object;
}

/** The namespace may be there already: the operator's own is. */
export async function openScene(testbed: Testbed, api: Api, namespace: string, labels: object = {}): Promise<Scene> {
  const scene = new Scene(testbed, api, namespace);
  const made = await unless([409], api.call('POST', pathOf('namespaces'), { body: { metadata: { name: namespace, labels } } }));
  if (made === undefined) await scene.label(labels);
  return scene;
}

/** One namespace with a workload that needs a role: its ServiceAccount, its pods, its binding, all called `app`, its grant, its role. */
export class Scene {
  readonly namespace: string;
  readonly roleName: string;
  readonly roleArn: string;
  /** Of the ServiceAccount `app`. */
  readonly subject: string;
  /** Names of the roles that were made here. */
  readonly roles = new Set<string>();
  readonly #testbed: Testbed;
  readonly #api: Api;
  #looks = 0;

  constructor(testbed: Testbed, api: Api, namespace: string) {
    this.#testbed = testbed;
    this.#api = api;
    this.namespace = namespace;
    this.roleName = `role-of-${namespace}`;
    this.roleArn = `arn:aws:iam::${ACCOUNT}:role/${this.roleName}`;
    this.subject = this.subjectOf('app');
  }

  /** Of the cluster. */
  get issuer(): string {
    return this.#testbed.issuer;
  }

  subjectOf(account: string): string {
    return `system:serviceaccount:${this.namespace}:${account}`;
  }

  // Whatever is in the namespace, by kind.

  path(kind: Kind, name?: string): string {
    return pathOf(kind, { namespace: this.namespace, ...(name === undefined ? {} : { name }) });
  }

  async put(kind: Kind, name: string, body: object): Promise<void> {
    await this.#api.call('POST', this.path(kind), { body: { metadata: { name }, ...body } });
  }

  async patch(kind: Kind, name: string, body: object): Promise<void> {
    await this.#api.call('PATCH', this.path(kind, name), { patch: 'merge', body });
  }

  async remove(kind: Kind, name: string): Promise<void> {
    await this.#api.call('DELETE', this.path(kind, name));
  }

  async get<T>(kind: Kind, name: string): Promise<T> {
    return await this.#api.call<T>('GET', this.path(kind, name));
  }

  /** Undefined: there is none. */
  async find<T>(kind: Kind, name: string): Promise<T | undefined> {
    return await unless([404], this.get<T>(kind, name));
  }

  async list<T>(kind: Kind): Promise<T[]> {
    return (await this.#api.call<{ items: T[] }>('GET', this.path(kind))).items;
  }

  async label(labels: object): Promise<void> {
    await this.#api.call('PATCH', pathOf('namespaces', { name: this.namespace }), { patch: 'merge', body: { metadata: { labels } } });
  }

  async labels(): Promise<Readonly<Record<string, string>>> {
    const { metadata } = await this.#api.call<{ metadata: { labels: Record<string, string> } }>(
      'GET',
      pathOf('namespaces', { name: this.namespace }),
    );
    return metadata.labels;
  }

  // What a user makes.

  /** Where it has annotations the webhook knows them, too: a pod that is made sooner never gets the role. */
  async serviceAccount(annotations: Readonly<Record<string, string>> = {}, name = 'app'): Promise<void> {
    await this.put('serviceaccounts', name, { metadata: { name, annotations } });
    if (Object.keys(annotations).length > 0) await this.#testbed.webhookCaughtUp();
  }

  /** As this field manager; null takes an annotation away. */
  async annotate(annotations: Readonly<Record<string, string | null>>, manager = 'kubectl-edit'): Promise<void> {
    await this.patch('serviceaccounts', `app?fieldManager=${manager}`, { metadata: { annotations } });
  }

  async bind(spec: object = {}, name = 'app'): Promise<void> {
    await this.put('irsabindings', name, binding({ serviceAccountName: 'app', roleArn: this.roleArn, ...spec }));
  }

  /** Changes the spec of a binding. */
  async change(spec: object, name = 'app'): Promise<void> {
    await this.patch('irsabindings', name, { spec });
  }

  async unbind(name = 'app'): Promise<void> {
    await this.remove('irsabindings', name);
  }

  async requestLook(value: string): Promise<void> {
    await this.patch('irsabindings', 'app', { metadata: { annotations: { [REQUESTED_AT]: value } } });
  }

  /** Comes back when the operator has looked at the binding once more, with fresh reads of the role and the provider, and done what it had to. */
  async lookAgain(): Promise<void> {
    const value = `look-${++this.#looks}`;
    await this.requestLook(value);
    const handled = async () => (await this.binding()).status?.lastHandledReconcileAt === value;
    await until(`the binding in ${this.namespace} was looked at again`, handled, PATIENCE);
  }

  /** Without a part: for every ServiceAccount here, and this scene's role. */
  async grant(part: object = {}, name = this.namespace): Promise<void> {
    const spec = { roleArns: [this.roleArn], namespaces: { names: [this.namespace] }, serviceAccountNames: ['*'], ...part };
    await this.#api.call('POST', pathOf('irsagrants'), { body: { ...grant(spec), metadata: { name } } });
  }

  async loseGrant(name = this.namespace): Promise<void> {
    await this.#api.call('DELETE', pathOf('irsagrants', { name }));
  }

  /** Its pods are Ready whatever they carry, unless `labels` say `ASKS_STS`. */
  async workload(kind: WorkloadKind, part: Workload = {}): Promise<void> {
    const {
      name = 'app',
      replicas = 2,
      serviceAccountName = 'app',
      labels = {},
      annotations = {},
      container = {},
      pod = {},
      spec = {},
    } = part;
    const app = { app: name };
    const containers = [{ name: 'app', image: 'app', ...container }];
    const template = { metadata: { labels: { ...app, ...labels }, annotations }, spec: { serviceAccountName, containers, ...pod } };
    const count = kind === 'daemonsets' ? {} : { replicas };
    const service = kind === 'statefulsets' ? { serviceName: name } : {};
    await this.put(kind, name, { spec: { ...count, ...service, selector: { matchLabels: app }, template, ...spec } });
  }

  /** Its pods are Ready only if STS lets them in. */
  async deployment(part: Workload = {}): Promise<void> {
    await this.workload('deployments', { labels: ASKS_STS, ...part });
  }

  // What the owner of the role makes.

  /** A role that lets no token in, unless it is said otherwise; a new one where it was there already. Returns its ARN. */
  role(
    trustPolicy: object | string = FOREIGN,
    { name = this.roleName, tags = {} }: { name?: string; tags?: Record<string, string> } = {},
  ): string {
    this.roles.add(name);
    return this.#roles.put({ name, trustPolicy, tags }).arn;
  }

  setTags(tags: Record<string, string>): void {
    this.#roles.setTags(this.roleName, tags);
  }

  setTrust(...statements: readonly object[]): void {
    this.#roles.setTrustPolicy(this.roleName, policy(...statements));
  }

  /** The document as IAM has it; empty where there is no such role. */
  trust(name = this.roleName): string {
    return this.#roles.get(name)?.trustPolicy ?? '';
  }

  statements(name = this.roleName): Statement[] {
    return this.#roles.get(name) === undefined ? [] : statementsIn(this.trust(name));
  }

  /** Whether a statement has the subject of `app`. */
  stands(): boolean {
    return this.trust().includes(this.subject);
  }

  get #roles() {
    return this.#testbed.aws.account().role;
  }

  // What is seen.

  async binding(name = 'app'): Promise<Binding> {
    return await this.get<Binding>('irsabindings', name);
  }

  async condition(type: string, name = 'app'): Promise<Condition | undefined> {
    return conditionOf(await this.binding(name), type);
  }

  async conditionIs(type: string, status: string, reason?: string, name = 'app'): Promise<Condition> {
    return await until(
      `${type} of the binding ${this.namespace}/${name} is ${status}${reason === undefined ? '' : ` for ${reason}`}`,
      async () => {
        const seen = await this.binding(name);
        const condition = conditionOf(seen, type);
        const found = condition?.status === status && (reason === undefined || condition.reason === reason);
        if (!found) throw new Error(JSON.stringify(seen.status?.conditions ?? 'no status'));
        return condition;
      },
      PATIENCE,
    );
  }

  async findings(name = 'app'): Promise<string[] | undefined> {
    return (await this.binding(name)).status?.findings?.map(({ code }) => code);
  }

  async isGone(name = 'app'): Promise<boolean> {
    return (await this.find('irsabindings', name)) === undefined;
  }

  async gone(name = 'app'): Promise<void> {
    await until(`the binding ${this.namespace}/${name} is gone`, () => this.isGone(name), PATIENCE);
  }

  async account(name = 'app'): Promise<ServiceAccount> {
    return await this.get<ServiceAccount>('serviceaccounts', name);
  }

  async annotations(name = 'app'): Promise<Readonly<Record<string, string>> | undefined> {
    return (await this.account(name)).metadata.annotations;
  }

  async pods(): Promise<Pod[]> {
    return (await this.list<Pod>('pods')).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** All pods are there, and STS let none of them in: their message is the article's. */
  async refused(count = 2): Promise<string> {
    return await until(
      `${count} pods of ${this.namespace} are refused`,
      async () => {
        const pods = await this.pods();
        const messages = pods.map((pod) => pod.status.containerStatuses?.[0]?.lastState?.terminated?.message);
        return pods.length === count && !pods.some(isReady) && messages.every((message) => message !== undefined) && messages[0];
      },
      PATIENCE,
    );
  }

  async allReady(count = 2): Promise<Pod[]> {
    return await until(
      `${count} pods of ${this.namespace} are ready`,
      async () => {
        const pods = await this.pods();
        return pods.length === count && pods.every(isReady) && pods;
      },
      PATIENCE,
    );
  }

  /** Events that regard something here, of this reason or of any. */
  async events(reason?: string): Promise<Event[]> {
    return (await this.list<Event>('events')).filter((event) => reason === undefined || event.reason === reason);
  }

  async eventReasons(): Promise<string[]> {
    return (await this.events()).map(({ reason }) => reason);
  }

  /** Events are sent in the background: they may come after what they tell of. */
  async eventSays(reason: string): Promise<void> {
    await until(`an Event says ${reason}`, async () => (await this.events(reason)).length > 0, PATIENCE);
  }

  // What was done.

  /** Every call to AWS about the role, oldest first. */
  calls(...operations: readonly string[]): JournalEntry[] {
    return this.#testbed.aws.journal.filter(
      ({ operation, params }) => params['RoleName'] === this.roleName && (operations.length === 0 || operations.includes(operation)),
    );
  }

  /** Trust policy writes that IAM took, oldest first: the exact documents that were sent. */
  writes(): string[] {
    return this.calls('UpdateAssumeRolePolicy').flatMap(({ code, params }) => (code === 'OK' ? [params['PolicyDocument'] ?? ''] : []));
  }

  /** Before that a loss of the statement of irsa-operator is a lost update, and nobody's will. */
  async writeIsBelieved(): Promise<void> {
    const readBack = () => {
      const written = this.calls('UpdateAssumeRolePolicy').findLast(({ code }) => code === 'OK');
      const after =
        (ms: number) =>
        ({ at, code }: JournalEntry) =>
          written !== undefined && code === 'OK' && Number(at) - Number(written.at) >= ms;
      // By itself, when irsa-operator says that it is time. Or by a list of all, which comes at any time: the age that counts there begins with the
      // answer to the write.
      const lists = this.#testbed.aws.journal.filter(({ operation }) => operation === 'ListRoles');
      return this.calls('GetRole').some(after(LAST_READ_BACK_MS)) || lists.some(after(LAST_READ_BACK_MS + ANSWER_MS));
    };
    await until(`the write to ${this.roleName} was read back for the last time`, readBack, PATIENCE);
  }

  /** Every write of the operator here, Events apart, oldest first; of these kinds, or of any. */
  async requests(...kinds: readonly Kind[]): Promise<AuditEvent[]> {
    return (await this.#testbed.auditEvents()).filter(
      ({ user, objectRef }) =>
        user.username === OPERATOR_USER &&
        objectRef?.namespace === this.namespace &&
        objectRef.resource !== 'events' &&
        (kinds.length === 0 || kinds.some((kind) => kind === objectRef.resource)),
    );
  }
}

/** `201 create pods/eviction` */
export function inWords({ verb, objectRef, responseStatus }: AuditEvent): string {
  return `${responseStatus?.code} ${verb} ${[objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/')}`;
}
