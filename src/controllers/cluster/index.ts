import { isDeepStrictEqual } from 'node:util';
import { Fault, isFault, NO_CREDENTIALS } from '../../api/fault.ts';
import type { Issuer } from '../../api/issuer.ts';
import { STS_AUDIENCE } from '../../api/names.ts';
import { type AccountView, reachedIn } from '../../domain/state/account.ts';
import { callerFrom, clusterFrom, mayPass, quotaFrom } from '../../domain/state/identify.ts';
import type { CallerView, ClusterIds, ClusterView, Identity } from '../../domain/state/identity.ts';
import type { OwnEvents } from '../../ports/events.ts';
import { type Controller, recheck, type Wake } from '../../runtime/controller.ts';
import type { Urgency } from '../../runtime/queue.ts';
import { identityOf } from '../observe.ts';
import { HERE, type OwnedStores, type Stores } from '../stores.ts';
import type { IdentityPorts } from './ports.ts';

/** Issuer, identity and audiences change seldom: by a flag of the API server, or because a cluster was made again under one kubeconfig. */
const RECHECK_MS = 300_000;
/** Until the API server was mended no binding gets anything, and somebody waits for it. */
const FORBIDDEN_RECHECK_MS = 30_000;

/** So often (half a minute or less) a source that does not answer at the start is asked again before that is news: what each binding's status says stands. */
const PATIENT_ATTEMPTS = 4;

export interface ClusterOptions {
  readonly stores: Stores;
  readonly owned: Pick<OwnedStores, 'identity' | 'accounts'>;
  readonly ports: IdentityPorts;
  /** What the user says of the issuer, above every other source. */
  readonly oidcIssuer: Issuer | undefined;
  readonly ids: ClusterIds;
  readonly events: OwnEvents;
}

/** Finds out whom tokens of this cluster come from and who we are. Nothing is written anywhere while that is not known. */
export function clusterController({ stores, owned, ports, oidcIssuer, ids, events }: ClusterOptions): Controller<typeof HERE> {
  async function issuer(before: ClusterView, signal: AbortSignal): Promise<{ view: ClusterView; failure?: unknown }> {
    if (oidcIssuer !== undefined) return { view: { kind: 'known', issuer: oidcIssuer } };
    const [apiServer, eks] = await Promise.allSettled([ports.issuer(signal), ports.eksIssuer?.(signal)]);
    const view = clusterFrom({ apiServer, eks: ports.eksIssuer && eks }, before);
    const failed = [apiServer, eks].find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') return { view, failure: failed.reason };
    return view.kind === 'known' ? { view } : { view, failure: new Fault('invalid', view.why) };
  }

  /** Who we are, and then what our account allows. */
  async function ownAccount(before: CallerView, signal: AbortSignal, urgency: Urgency) {
    const [caller] = await Promise.allSettled([ports.caller(signal)]);
    const view = callerFrom(caller, before);
    if (view.kind === 'unknown') return { caller, view, quota: undefined };
    const [quota] = await Promise.allSettled([ports.policyQuota(view.account, signal, urgency)]);
    return { caller, view, quota };
  }

  /** Before the identity: who is woken by that finds both. */
  function putOwnAccount(caller: CallerView, answer: PromiseSettledResult<number> | undefined): number | undefined {
    const { caller: before } = identityOf(stores);
    if (before.kind === 'known' && (caller.kind === 'unknown' || caller.account !== before.account)) owned.accounts.delete(before.account);
    if (caller.kind === 'unknown' || answer === undefined) return undefined;
    const { account, arn: callerArn } = caller;
    const policyQuota = quotaFrom(answer, reachedIn(stores.accounts.get(account))?.policyQuota);
    const view: AccountView = { account, access: { kind: 'reached', callerArn, policyQuota } };
    if (!isDeepStrictEqual(stores.accounts.get(account), view)) owned.accounts.put(view);
    return policyQuota;
  }

  return {
    name: 'cluster',
    wakes: [once],
    async reconcile(_, signal, { log, urgency, failures }) {
      const before = identityOf(stores);
      const [cluster, apiAudiences, { caller, view, quota }] = await Promise.all([
        issuer(before.cluster, signal),
        ports.apiAudiences(signal),
        ownAccount(before.caller, signal, urgency),
      ]);
      signal.throwIfAborted();
      const found: Identity = {
        cluster: cluster.view.kind === 'known' ? { ...cluster.view, ...ids } : cluster.view,
        caller: view,
        apiAudiences,
      };
      const mayNotAsk = quota?.status === 'rejected' && isFault(quota.reason, 'denied');
      const failed = [
        ...(cluster.failure === undefined ? [] : [cluster.failure]),
        ...(caller.status === 'rejected' ? [caller.reason] : []),
        ...(quota?.status === 'rejected' && !mayNotAsk ? [quota.reason] : []),
      ];
      if (failures === 0 && caller.status === 'rejected' && isFault(caller.reason) && caller.reason.code === NO_CREDENTIALS) {
        log.warn({ err: caller.reason, page: CREDENTIALS_PAGE }, 'no AWS credentials');
        events.record({ type: 'Warning', reason: 'NoCredentials', action: 'GetCallerIdentity', note: WITHOUT_CREDENTIALS });
      }
      const patient = !stores.identity.hasSynced && failures < PATIENT_ATTEMPTS;
      if (failed.length > 0 && patient && failed.every(mayPass)) throw failed[0];
      const policyQuota = putOwnAccount(view, quota);
      if (!isDeepStrictEqual(stores.identity.get(HERE), found)) owned.identity.put(found);
      owned.accounts.markSynced();
      owned.identity.markSynced();
      if (takesSts(found) && !takesSts(before)) {
        log.warn({ apiAudiences }, 'audience of STS forbidden by API server');
        events.record({ type: 'Warning', reason: 'AudienceForbidden', action: 'CheckApiServer', note: STS_FORBIDDEN });
      }
      if (failed.length > 0) throw failed[0];
      if (mayNotAsk) log.info({ err: quota.reason, policyQuota }, 'trust policy quota unknown, using the default');
      return recheck(takesSts(found) ? FORBIDDEN_RECHECK_MS : RECHECK_MS, 'whether issuer, audiences and caller identity are unchanged');
    },
  };
}

/** Once for the cluster: each binding says it too, and only its API server can be changed. */
const STS_FORBIDDEN = `the API server accepts tokens for "${STS_AUDIENCE}" (--api-audiences), so a token that a pod sends to AWS also opens this cluster. No binding with this audience gets anything. Remove "${STS_AUDIENCE}" from --api-audiences of the API server`;

const CREDENTIALS_PAGE = 'docs/iam.md#who-may-be-the-operator';
const WITHOUT_CREDENTIALS = `irsa-operator has no AWS credentials. Give its ServiceAccount a role, for example by EKS Pod Identity: ${CREDENTIALS_PAGE}`;

function takesSts({ apiAudiences = [] }: Identity): boolean {
  return apiAudiences.includes(STS_AUDIENCE);
}

/** There is one key and nothing outside changes it: the controller looks by itself. */
const once: Wake<typeof HERE> = {
  all: () => [HERE],
  subscribe: () => () => {},
  synced: async () => {},
};
