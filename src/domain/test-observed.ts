import { type AccountId, parseRoleArn, providerArnFor, type RoleArn } from '../api/arn.ts';
import { type BindingMetadata, type BindingSpec, type BindingStatus, type IrsaBinding, parseBindingSpec } from '../api/binding.ts';
import type { Pod, ServiceAccount } from '../api/cluster.ts';
import { type IrsaGrant, parseGrantSpec } from '../api/grant.ts';
import { type Issuer, parseIssuer } from '../api/issuer.ts';
import { EKS_ANNOTATIONS, FIELD_MANAGER, FINALIZER, INJECTED, STS_AUDIENCE } from '../api/names.ts';
import { isProblem, type Problem } from '../api/problem.ts';
import { subjectOf } from '../api/subject.ts';
import { EKS_WEBHOOK } from '../api/webhook.ts';
import { sidFor, writeOwn } from '../trust/document/own-statement.ts';
import { type AuthorizationInput, authorize, contendersOf, winnerOf } from './authorization/authorize.ts';
import { GrantIndex } from './authorization/grant-index.ts';
import type { DueLoss } from './authorization/loss.ts';
import type { Observed } from './binding/observed.ts';
import type { BindingAuthorization } from './role/desired-trust.ts';
import type { RoleObserved } from './role/plan.ts';
import { reachedAs } from './state/account.ts';
import { NO_CONTENTION } from './state/contention.ts';
import type { CallerView, ClusterView } from './state/identity.ts';
import type { ProviderView } from './state/oidc-provider.ts';
import type { Question } from './state/question.ts';
import { type Reach, reachOf } from './state/reach.ts';
import { NO_WRITES, type PresentState, type RoleRecord, type WriteState } from './state/role-record.ts';
import type { Verdict } from './state/verdict.ts';

/** Builders for tests: without arguments each gives a healthy whole, so that a test says only what is wrong in it. */
export const NOW = Date.UTC(2026, 0, 1, 12);
export const ACCOUNT = '111122223333' as AccountId;
export const ARN = arn('arn:aws:iam::111122223333:role/team/app');
export const OTHER_ARN = arn('arn:aws:iam::111122223333:role/team/former');
export const ROLE_ID = 'AROAAPP';
export const ISSUER: Issuer = parsed(parseIssuer('https://oidc.eks.eu-west-1.amazonaws.com/id/ABCD'));
export const SUBJECT = subjectOf('shop', 'app');
export const SERVICE = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };

export function parsed<T>(value: T | Problem): T {
  if (isProblem(value)) throw new Error(value.problem);
  return value;
}

export function arn(text: string): RoleArn {
  return parsed(parseRoleArn(text));
}

interface BindingPart {
  readonly spec?: object;
  readonly metadata?: Partial<BindingMetadata>;
  readonly status?: Partial<BindingStatus>;
}

export function spec(part: object = {}): BindingSpec {
  return parsed(parseBindingSpec({ serviceAccountName: 'app', roleArn: ARN, ...part }));
}

export function entry(role: RoleArn = ARN, roleId = ROLE_ID, audience = STS_AUDIENCE): NonNullable<BindingStatus['roles']>[number] {
  return { arn: role, roleId, audience, sid: sidFor(ISSUER, audience) };
}

export function binding({ spec: specPart = {}, metadata = {}, status = {} }: BindingPart = {}): IrsaBinding {
  return {
    metadata: {
      namespace: 'shop',
      name: 'app',
      uid: 'binding-app',
      resourceVersion: '1',
      generation: 1,
      createdAt: NOW - 86_400_000,
      deleting: false,
      finalizers: [FINALIZER],
      annotations: {},
      ...metadata,
    },
    spec: spec(specPart),
    status: { conditions: [], roles: [entry()], ...status },
  };
}

export function grant(part: object = {}): IrsaGrant {
  const whole = {
    roleArns: ['arn:aws:iam::111122223333:role/team/*'],
    namespaces: { names: ['shop'] },
    serviceAccountNames: ['*'],
    ...part,
  };
  return { name: 'platform', uid: 'grant-platform', generation: 1, spec: parsed(parseGrantSpec(whole)), revocationConfirmedAt: undefined };
}

export function serviceAccount(
  annotations: Record<string, string> = { [EKS_ANNOTATIONS.roleArn]: ARN },
  by = FIELD_MANAGER,
): ServiceAccount {
  const writers = Object.fromEntries(Object.keys(annotations).map((key) => [key, [{ manager: by, at: NOW - 3_600_000 }]]));
  return { namespace: 'shop', name: 'app', uid: 'service-account', resourceVersion: '1', annotations, misspelt: [], writers };
}

export function pod(part: Partial<Pod> = {}, env: Record<string, string> = injected()): Pod {
  return {
    namespace: 'shop',
    name: 'app-1',
    uid: 'pod-1',
    resourceVersion: '1',
    serviceAccountName: 'app',
    createdAt: NOW - 1_800_000,
    deleting: false,
    finished: false,
    ready: true,
    mirror: false,
    owner: { kind: 'ReplicaSet', name: 'app', uid: 'replica-set' },
    labels: {},
    annotations: {},
    containers: [{ name: 'app', env, mountsToken: true }],
    tokenAudience: STS_AUDIENCE,
    tokenExpirationSeconds: 86_400,
    windows: false,
    ...part,
  };
}

function injected(): Record<string, string> {
  return { [INJECTED.roleArn]: ARN, [INJECTED.tokenFile]: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token' };
}

export const cluster: ClusterView = { kind: 'known', issuer: ISSUER };
export const OWN_ROLES = [{ account: ACCOUNT, name: 'irsa-operator' }] as const;
export const caller: Extract<CallerView, { kind: 'known' }> = {
  kind: 'known',
  account: ACCOUNT,
  arn: 'arn:aws:sts::111122223333:assumed-role/irsa-operator/session',
  ownRoles: OWN_ROLES,
};

export const REACHED: Reach = { kind: 'reached', quota: 2048 };
/** Whether a role is reached by these credentials. */
export const reachWith =
  (by: CallerView = caller): ((role: RoleArn) => Reach) =>
  (role) =>
    reachOf(role, {
      caller: by,
      account: (id) => (by.kind === 'known' && by.account === id ? reachedAs(by, id, 2048) : undefined),
    });
/** AWS did not say yet who we are, and for this reason. */
export const unreached = (why = 'x') => reachWith({ kind: 'unknown', why });
/** The account did not say yet how long a trust policy may be. */
export const withoutQuota = (role: RoleArn): Reach => reachOf(role, { caller, account: () => undefined });

export const provider: ProviderView = { kind: 'registered', arn: providerArnFor(ARN, ISSUER), clientIds: [STS_AUDIENCE] };

const SIZE = { characters: 400, quota: 2048 };

export const allowed: Extract<Verdict, { kind: 'allowed' }> = {
  kind: 'allowed',
  managedBy: 'Operator',
  mayStand: true,
  message: `the statement of irsa-operator lets "${SUBJECT}" assume the role`,
  size: SIZE,
  findings: [],
};

/** A trust policy as IAM gives it. */
export function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

export function own(subjects: readonly string[] = [SUBJECT], audience: string = STS_AUDIENCE): object {
  return JSON.parse(writeOwn({ issuer: ISSUER, provider: providerArnFor(ARN, ISSUER) }, audience, subjects));
}

/** A role that is there; `writes` are what is remembered of our own. */
export function present(part: Partial<Omit<PresentState, 'writes'>> = {}, asOf = NOW, writes: Partial<WriteState> = {}): RoleRecord {
  const state: PresentState = {
    kind: 'present',
    roleId: ROLE_ID,
    policy: policy(SERVICE, own()),
    hold: undefined,
    tags: undefined,
    ...part,
    writes: { ...NO_WRITES, ...writes },
  };
  return { arn: ARN, asOf, state };
}

/** `verdicts` are those for the binding's subject and audience, by the ARN of the role. */
export type ObservedPart = Partial<Omit<Observed, 'competingBindings' | 'winner'>> &
  Partial<Pick<AuthorizationInput, 'namespace' | 'apiAudiences' | 'ownRoles'>> & {
    readonly verdicts?: ReadonlyMap<string, Verdict>;
    readonly grants?: readonly IrsaGrant[];
    readonly competingBindings?: readonly IrsaBinding[];
  };

/** A binding in order: granted, trusted by the statement of irsa-operator, annotated by us, its one pod current. */
export function observed({
  verdicts = new Map([[ARN, allowed]]),
  grants = [grant()],
  competingBindings,
  namespace = { name: 'shop', labels: {} },
  apiAudiences = [],
  ...part
}: ObservedPart = {}): Observed {
  const one = part.binding ?? binding();
  const competing = competingBindings ?? [one];
  const input = {
    ownRoles: OWN_ROLES,
    ...part,
    namespace,
    apiAudiences,
    grants: new GrantIndex(grants),
    contenders: contendersOf(competing),
  };
  return {
    now: NOW,
    binding: one,
    authorization: authorize(one, input),
    cluster,
    role: present(),
    provider,
    verdict: isProblem(one.spec) ? undefined : verdicts.get(one.spec.roleArn),
    verdictOn: ({ arn }) => verdicts.get(arn),
    failureOf: () => undefined,
    lossOf: () => undefined,
    isCovered: () => true,
    crdDeleting: false,
    serviceAccount: serviceAccount(),
    contention: NO_CONTENTION,
    request: undefined,
    pods: [pod()],
    workloads: [],
    batchWorkloads: () => [],
    serviceAccountExists: () => true,
    blocked: new Map(),
    webhook: EKS_WEBHOOK,
    proof: undefined,
    reachOf: reachWith(),
    competingBindings: () => competing,
    winner: () => winnerOf(input),
    ...part,
  };
}

export function authorizationFor(one: IrsaBinding = binding(), grants: readonly IrsaGrant[] = [grant()]): BindingAuthorization {
  const namespace = { name: 'shop', labels: {} };
  const input = { grants: new GrantIndex(grants), namespace, contenders: [one], ownRoles: OWN_ROLES, apiAudiences: [] };
  return { binding: one, authorization: authorize(one, input) };
}

/** What stands of the binding, and no grant covers since a minute ago: it is due now. */
export function loss(part: Partial<DueLoss> = {}): DueLoss {
  const entry = { role: ARN, subject: SUBJECT, audience: STS_AUDIENCE };
  const seen = { since: NOW - 60_000, cause: 'grant', by: [], definition: 'definition', revokedAt: undefined, returns: 0 } as const;
  return { ...entry, ...seen, dueAt: NOW, paused: undefined, ...part };
}

/** A role whose one binding stands in the statement of irsa-operator, read back long ago. */
export function roleObserved(part: Partial<RoleObserved> = {}): RoleObserved {
  return {
    now: NOW,
    arn: ARN,
    bindings: [authorizationFor()],
    record: present(),
    cluster,
    reach: reachWith()(part.arn ?? ARN),
    provider,
    losses: [],
    ...part,
  };
}

export function question(part: Partial<Question> = {}): Question {
  return { role: ARN, issuer: ISSUER, subject: SUBJECT, audience: STS_AUDIENCE, ...part };
}
