import type { IAMClient } from '@aws-sdk/client-iam';
import type { Aws, AwsInProcess } from '@irsa-operator/testbed/aws';
import { type AccountId, providerArnFor, type RoleArn } from '../../src/api/arn.ts';
import { isFault } from '../../src/api/fault.ts';
import { type Issuer, parseIssuer } from '../../src/api/issuer.ts';
import { STS_AUDIENCE } from '../../src/api/names.ts';
import { subjectOf } from '../../src/api/subject.ts';
import { awsCalls } from '../../src/aws/calls.ts';
import { iamCalls } from '../../src/aws/iam-calls.ts';
import { iamRoles } from '../../src/aws/roles.ts';
import { roleController } from '../../src/controllers/role/index.ts';
import { sweepRoles } from '../../src/controllers/role/sweep.ts';
import { createStores } from '../../src/controllers/stores.ts';
import { putIdentity } from '../../src/controllers/test-identity.ts';
import { questionKey } from '../../src/domain/state/question.ts';
import type { Verdict } from '../../src/domain/state/verdict.ts';
import { arn, binding, caller, entry, grant, parsed, serviceAccount } from '../../src/domain/test-observed.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { ControllerLoop } from '../../src/runtime/controller.ts';
import { Limiter } from '../../src/runtime/limiter.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { noMetrics } from '../../src/runtime/metrics.ts';
import { sidFor } from '../../src/trust/document/own-statement.ts';
import { inProcessIam } from '../harness/in-process-iam.ts';

export const ROLE: RoleArn = arn('arn:aws:iam::111122223333:role/team/app');
/** Of all statements together; the account's default would hold four. */
export const QUOTA = 40_000;

export const issuerOf = (index: number): Issuer =>
  parsed(parseIssuer(`https://oidc.eks.eu-west-1.amazonaws.com/id/${index.toString(16).toUpperCase().padStart(32, '0')}`));
export const sidOf = (index: number): string => sidFor(issuerOf(index), STS_AUDIENCE);

/** A generator of its own, so that a seed tells everything (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Writer {
  readonly events: readonly string[];
  /** The binding becomes another: what its API server would show. */
  rebind(part: Parameters<typeof binding>[0]): void;
  /** What it says of its binding's trust. */
  verdict(): Verdict | undefined;
  stop(): Promise<void>;
}

/** The role controller of one cluster, on the double's IAM and in virtual time. Its binding's intent is on its API server, its provider registered. */
export function startWriter(index: number, aws: AwsInProcess, clock: Clock, random: () => number): Writer {
  const roleId = aws.account().role.get('app')?.id ?? '';
  return runWriter({ index, roleId, iam: inProcessIam(aws.as({ roleName: 'irsa-operator' })), clock, random });
}

export interface WriterOptions {
  readonly index: number;
  readonly roleId: string;
  readonly iam: IAMClient;
  readonly clock: Clock;
  readonly random: () => number;
}

export function runWriter({ index, roleId, iam, clock, random }: WriterOptions): Writer {
  const seen = createStores(silentLog);
  const issuer = issuerOf(index);
  putIdentity(seen, { cluster: { kind: 'known', issuer }, caller, policyQuota: QUOTA });
  const roles = [{ ...entry(ROLE, roleId), sid: sidFor(issuer, STS_AUDIENCE) }];
  const rebind: Writer['rebind'] = ({ spec, ...part } = {}) =>
    seen.bindings.put(binding({ status: { roles }, ...part, spec: { roleArn: ROLE, ...spec } }));
  rebind({});
  seen.grants.put(grant());
  seen.namespaces.put({ name: 'shop', labels: {} });
  seen.serviceAccounts.put(serviceAccount());
  const provider = { kind: 'registered', arn: providerArnFor(ROLE, issuer), clientIds: [STS_AUDIENCE] } as const;
  seen.providers.put({ account: '111122223333' as AccountId, view: provider });
  const { bindings, grants, namespaces, serviceAccounts, identity, definitions } = seen;
  for (const store of [bindings, grants, namespaces, serviceAccounts, identity, definitions]) store.markSynced();

  const call = awsCalls({ requested: () => {} }, clock);
  const limiter = (perSecond: number) => new Limiter({ perSecond, clock, waited: () => {} });
  const calls = iamCalls({ call, reads: limiter(10), writes: limiter(5), fence: () => {}, clock, random });
  const adapter = iamRoles(iam, calls);
  const events: string[] = [];
  const controller = roleController({
    readBacks: { leaves: () => false },
    isUnderway: () => false,
    stores: seen,
    owned: seen,
    roles: adapter,
    apiReader: { grants: async () => [grant()], namespace: async () => undefined, definition: async () => 'definition' },
    events: { record: (_, { reason }) => events.push(reason) },
    ownEvents: { record: () => {} },
    metrics: { wrote: () => {}, drifted: () => {}, repaired: () => {} },
    clock,
    random,
  });
  const end = new AbortController();
  const classify = (error: unknown) => (isFault(error) ? { kind: error.kind } : undefined);
  const loop = new ControllerLoop(controller, { workers: 2, clock, random, log: silentLog, metrics: noMetrics, classify });
  const running = [
    loop.run(end.signal, end.signal),
    sweepRoles(
      {
        stores: seen,
        owned: seen,
        rolesIn: () => adapter,
        intervalMs: 60_000,
        clock,
        random,
        log: silentLog,
        swept: () => {},
        unswept: () => {},
      },
      end.signal,
    ),
  ];
  const question = questionKey({ role: ROLE, issuer, subject: subjectOf('shop', 'app'), audience: STS_AUDIENCE });
  return {
    events,
    rebind,
    verdict: () => seen.verdicts.get(question)?.verdict,
    async stop() {
      end.abort();
      await Promise.all(running);
    },
  };
}

interface Statement {
  readonly Sid?: string;
}
/** As the newest state has it. */
export const statementsOf = (aws: Aws): Statement[] =>
  (JSON.parse(aws.account().role.get('app')?.trustPolicy ?? '{}') as { Statement: Statement[] }).Statement;
export const isOurs = ({ Sid }: Statement): boolean => Sid?.startsWith('Irsa') === true;
/** Trust policy writes that IAM took. */
export const writesOf = (aws: Aws): number =>
  aws.journal.filter(({ operation, code }) => operation === 'UpdateAssumeRolePolicy' && code === 'OK').length;
