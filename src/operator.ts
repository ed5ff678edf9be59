import { randomUUID } from 'node:crypto';
import { type AccountId, roleArnParts } from './api/arn.ts';
import { Fault, isFault, LEASE_UNCERTAIN } from './api/fault.ts';
import { GROUP } from './api/names.ts';
import { AwsAccounts } from './aws/accounts.ts';
import { awsCalls, CALL_DEADLINE_MS } from './aws/calls.ts';
import { awsClients } from './aws/clients.ts';
import { eksIssuer } from './aws/clusters.ts';
import { callerIdentity } from './aws/identity.ts';
import { Members } from './aws/members.ts';
import { stsProof } from './aws/proof.ts';
import type { Config } from './config.ts';
import { accountController } from './controllers/account/index.ts';
import { auditController } from './controllers/audit/index.ts';
import { bindingController } from './controllers/binding/index.ts';
import { clusterController } from './controllers/cluster/index.ts';
import { collector } from './controllers/collector.ts';
import { confinementController } from './controllers/confinement/index.ts';
import { refuseSecond } from './controllers/confinement/installation.ts';
import { grantController } from './controllers/grant/index.ts';
import { inEachAccount } from './controllers/in-each-account.ts';
import { oidcProviderController } from './controllers/oidc-provider/index.ts';
import { revocationController } from './controllers/revocation/index.ts';
import { Ledger } from './controllers/revocation/ledger.ts';
import { roleController } from './controllers/role/index.ts';
import { SharedReadBacks } from './controllers/role/shared-read-backs.ts';
import { sweepRoles } from './controllers/role/sweep.ts';
import { createStores } from './controllers/stores.ts';
import { namespacesOf } from './controllers/tenants.ts';
import { PROOFS, verificationController } from './controllers/verification/index.ts';
import { POD_LABELS, podAnnotations } from './domain/pods/pod-state.ts';
import { onlyLookedAt } from './dry-run.ts';
import { reportAccount } from './kube/account-writes.ts';
import { apiReader } from './kube/api-reader.ts';
import { apiAudiences } from './kube/audiences.ts';
import { bindingWrites } from './kube/binding-writes.ts';
import { connect } from './kube/config.ts';
import { confinementRequests } from './kube/confinement.ts';
import { EventRecorder } from './kube/events.ts';
import { fenced } from './kube/fence.ts';
import { readInstallations } from './kube/installations.ts';
import { readIssuer } from './kube/issuer.ts';
import { leaseLock } from './kube/lease.ts';
import { listWatch, type Resource } from './kube/list-watch.ts';
import { IRSA_BINDING, LEASE } from './kube/resource-types.ts';
import {
  bindings,
  bindingsCrd,
  cronJobs,
  daemonSets,
  deployments,
  grants,
  grantsCrd,
  accounts as irsaAccounts,
  jobs,
  namespaces,
  pods,
  serviceAccounts,
  statefulSets,
} from './kube/resources.ts';
import { revocationRecord } from './kube/revocation-record.ts';
import { requestToken } from './kube/token.ts';
import { Transport } from './kube/transport.ts';
import { metrics as makeMetrics } from './observability/metrics.ts';
import { serveHealth, serveMetrics } from './observability/server.ts';
import type { BindingEvents, OwnEvents } from './ports/events.ts';

import { systemClock } from './runtime/clock.ts';
import { type Controller, ControllerLoop } from './runtime/controller.ts';
import { Elector, electionTimes } from './runtime/elector.ts';
import { closeInOrder, DRAIN_MS } from './runtime/lifecycle.ts';
import { Limiter, type LimiterOptions } from './runtime/limiter.ts';
import type { Log } from './runtime/log.ts';
import { Reflector } from './runtime/reflector.ts';
import { afterAbort } from './runtime/signals.ts';
import type { Store } from './runtime/store.ts';

/** Most of a reconcile is waiting for AWS or the API server; per-key exclusion is the queue's. */
const WORKERS = 8;
/** Who may lead: one Lease for all replicas. */
const LEASE_NAME = 'irsa-operator';

/** Builds everything and runs it until `stop`: the one file that knows every concrete class. */
export async function runOperator(config: Config, version: string, log: Log, stop: AbortSignal): Promise<void> {
  const clock = systemClock;
  const random = Math.random;
  const metrics = makeMetrics(version, config.metricsDetail);
  const connection = connect({ ...config.kube, clock });
  const transport = new Transport({ connection, userAgent: `irsa-operator/${version}`, clock, random, metrics: metrics.kube });
  const stores = createStores(log, {
    namespace: config.leaseNamespace,
    ungrantedGraceMs: config.ungrantedGraceMs,
    revokes: !config.dryRun,
    webhook: config.webhook,
  });

  const identity = `${config.hostname}_${randomUUID()}`;
  const times = electionTimes(config.leaseDurationMs);
  const lock = leaseLock(transport, { namespace: config.leaseNamespace, name: LEASE_NAME }, times.renewDeadlineMs);
  // What a lease always outlasts: who could not renew it for so long lets it go.
  const writeMs = Math.min(CALL_DEADLINE_MS, times.renewDeadlineMs);
  const elector = new Elector({ name: LEASE_NAME, identity, lock, times, clock, random, log, metrics: metrics.runtime });
  const fence = (deadlineMs: number) => {
    if (!elector.mayWrite(deadlineMs))
      throw new Fault('transient', 'not written: the lease of this replica may end before the write would', { code: LEASE_UNCERTAIN });
  };

  // At the socket: what the call still takes was asked for before it, so it is enough that the lease is held.
  const aws = awsClients(version, config.eksClusterName, config.proxy, () => fence(0));
  const call = awsCalls(metrics.aws, clock);
  const limiter = (account: AccountId | '', action: 'read' | 'write' | 'proof', rate: Pick<LimiterOptions, 'perSecond' | 'burst'>) => {
    const waited = metrics.limiter(account, action, () => limit.perSecond);
    const limit: Limiter = new Limiter({ ...rate, clock, waited });
    return limit;
  };
  // Nothing asks for a write in a dry run; this is so that nothing can.
  const perSecond = { read: config.iamReadsPerSecond, write: config.iamWritesPerSecond };
  const accounts = new AwsAccounts({
    call,
    limiter: (account, action, rate) => limiter(account, action, { perSecond: rate }),
    tenantsOf: (role) => namespacesOf(stores, role),
    fence: config.dryRun ? neverWrites : fence,
    writeMs,
    clock,
    random,
  });
  const members = new Members({ sts: aws.sts, call, clientsWith: aws.with, clock, stop });
  const readBacks = new Map<AccountId, SharedReadBacks>();
  const writes = fenced(transport, fence, writeMs);
  const recorder = new EventRecorder({ transport, controller: `${GROUP}/irsa-operator`, instance: config.hostname, clock, random, log });
  const events: BindingEvents = {
    record: ({ metadata: { namespace, name, uid } }, event) =>
      recorder.record({ ...event, regarding: { type: IRSA_BINDING, namespace, name, uid } }),
  };

  // About the Lease, the one object of our own namespace that is certain to be there.
  const ownEvents: OwnEvents = {
    record: (event) =>
      recorder.record({ ...event, regarding: { type: LEASE, namespace: config.leaseNamespace, name: LEASE_NAME, uid: lock.uid } }),
  };

  const caches = new AbortController();
  const reflect = <T>(resource: Resource<T>, store: Store<T, string>) => {
    const reflector = new Reflector({ source: listWatch(transport, resource), store, clock, random, log, metrics: metrics.runtime });
    return { store, reflector, running: reflector.run(caches.signal) };
  };
  const reflectors = [
    reflect(config.dryRun ? { ...bindings, decode: (raw) => onlyLookedAt(bindings.decode(raw)) } : bindings, stores.bindings),
    reflect(grants, stores.grants),
    reflect(irsaAccounts, stores.irsaAccounts),
    reflect(bindingsCrd, stores.definitions),
    reflect(grantsCrd, stores.grantDefinitions),
    reflect(namespaces, stores.namespaces),
    reflect(serviceAccounts(config.webhook), stores.serviceAccounts),
    reflect(pods({ labels: POD_LABELS, annotations: podAnnotations(config.webhook), webhook: config.webhook }), stores.pods),
    reflect(deployments(config.webhook), stores.deployments),
    reflect(statefulSets(config.webhook), stores.statefulSets),
    reflect(daemonSets(config.webhook), stores.daemonSets),
    reflect(jobs, stores.jobs),
    reflect(cronJobs, stores.cronJobs),
  ];

  const asOurselves = confinementRequests(transport, config.webhook);
  const ledger = new Ledger({ owned: stores, record: revocationRecord(writes, config.leaseNamespace), log });
  const options = { workers: WORKERS, clock, random, log, metrics: metrics.runtime, classify: failureOf };
  const loop = <K extends string>(controller: Controller<K>) => new ControllerLoop(controller, options);
  const bindingLoop = loop(
    bindingController({
      stores,
      owned: stores,
      writes: bindingWrites(writes, config.webhook),
      events,
      metrics: metrics.binding,
      sweepIntervalMs: config.sweepIntervalMs,
      clock,
    }),
  );
  const loops = [
    loop(
      clusterController({
        stores,
        owned: stores,
        ports: {
          issuer: (signal) => readIssuer(transport, signal),
          eksIssuer:
            config.eksClusterName === undefined ? undefined : (signal) => eksIssuer(aws.eks, call, config.eksClusterName ?? '', signal),
          caller: (signal) => callerIdentity(aws.sts, call, config.ownCredentials, signal),
          policyQuota: (account, signal, urgency) => accounts.open(account, { clients: aws, perSecond }).roles.policyQuota(signal, urgency),
          apiAudiences: (signal) => apiAudiences(connection, transport, signal),
        },
        events: ownEvents,
        oidcIssuer: config.oidcIssuer,
        ids: config.clusterIds,
      }),
    ),
    loop(
      accountController({
        stores,
        owned: stores,
        ports: {
          async enter({ roleArn, externalId, readsPerSecond, writesPerSecond }, issuer, signal) {
            const { callerArn, ...way } = await members.enter({ roleArn, externalId }, issuer, signal);
            const rates = { read: readsPerSecond ?? perSecond.read, write: writesPerSecond ?? perSecond.write };
            accounts.open(roleArnParts(roleArn).account, { ...way, perSecond: rates });
            return callerArn;
          },
          leave(account) {
            members.leave(account);
            accounts.close(account);
            metrics.unlimited(account);
          },
          policyQuota: async (account, signal, urgency) => accounts.in(account).roles.policyQuota(signal, urgency),
          report: (account, status, signal) => reportAccount(writes, account, status, signal),
        },
        clock,
      }),
    ),
    loop(
      oidcProviderController({
        stores,
        owned: stores,
        providersIn: (account) => accounts.in(account).providers,
        events,
        sweepIntervalMs: config.sweepIntervalMs,
        createWith: config.createProviderWith,
        clock,
      }),
    ),
    loop(
      roleController({
        stores,
        owned: stores,
        roles: accounts.roles,
        readBacks: { leaves: (arn, dueAt) => readBacks.get(roleArnParts(arn).account)?.leaves(dueAt) === true },
        isUnderway: (binding) => bindingLoop.queue.has(binding),
        apiReader: apiReader(transport),
        events,
        ownEvents,
        metrics: metrics.role,
        clock,
        random,
      }),
    ),
    // What nobody may revoke needs no record.
    ...(config.dryRun
      ? []
      : [loop(revocationController({ stores, ledger, ungrantedGraceMs: config.ungrantedGraceMs, events: ownEvents, clock }))]),
    bindingLoop,
    loop(
      verificationController({
        stores,
        owned: stores,
        ask: stsProof(aws.sts, call, (of, audience, signal) => requestToken(writes, of, audience, signal)),
        limiter: limiter('', 'proof', PROOFS),
        clock,
      }),
    ),
    loop(auditController({ stores, owned: stores, events: ownEvents, clock })),
    loop(grantController({ stores, events: ownEvents, clock })),
    // Dry runs change nothing: they need no fence.
    loop(
      confinementController({
        stores,
        requests: asOurselves,
        events: ownEvents,
        metrics: metrics.confinement,
        clock,
      }),
    ),
  ];
  metrics.observe(collector(stores));
  metrics.sweepsEvery(config.sweepIntervalMs / 1_000);

  let alone = false;
  const checks = {
    livez: () => loops.flatMap((each) => each.wedged()),
    readyz: () => [
      ...(alone ? [] : ['other installations: not read yet']),
      ...reflectors.flatMap(({ store, reflector }) =>
        store.hasSynced ? [] : [`${store.kind}: ${reflector.problem ?? 'the first list is not complete'}`],
      ),
    ],
  };
  const health = await serveHealth(config.healthListen, checks, clock);
  const scrapes = await serveMetrics(config.metricsListen, metrics, clock);
  log.info({ healthPort: health.port, metricsPort: scrapes.port, identity }, 'serving health and metrics, waiting for the lease');

  try {
    await refuseSecond(
      { requests: { self: asOurselves.self, installations: (signal) => readInstallations(transport, signal) }, clock, random, log },
      stop,
    );
    alone = true;
    const end = await elector.lead(stop, async (lost) => {
      stores.leadership.put({ since: clock.now() });
      const done = AbortSignal.any([stop, lost]);
      const abort = AbortSignal.any([lost, afterAbort(stop, DRAIN_MS, clock)]);
      if (!config.dryRun)
        await ledger.load(done).catch((error) => log.warn({ err: error }, 'revocation record not read, nothing is revoked yet'));
      const sweeping = sweepRoles(
        {
          stores,
          owned: stores,
          rolesIn: (account) => accounts.in(account).roles,
          intervalMs: config.sweepIntervalMs,
          clock,
          random,
          log,
          swept: metrics.swept,
          unswept: metrics.unswept,
        },
        done,
      );
      const shared = inEachAccount(
        stores.accounts,
        async (account, ended) => {
          const one = new SharedReadBacks({ account, owned: stores, roles: accounts.in(account).roles, clock, log });
          readBacks.set(account, one);
          await one.run(ended);
        },
        done,
      );
      await Promise.all([...loops.map((each) => each.run(done, abort)), sweeping.catch(ignoreWhen(done)), shared]);
    });
    // Another leader may be at work already: what this process has in its memory is the past.
    if (end === 'lost') throw new Error('lease lost, exiting to restart as a standby');
  } finally {
    caches.abort();
    await closeInOrder(
      [
        { name: 'caches', close: async () => void (await Promise.all(reflectors.map(({ running }) => running))) },
        { name: 'events', close: (signal) => recorder.flush(signal) },
        { name: 'metrics', close: () => scrapes.close() },
        { name: 'health', close: () => health.close() },
        { name: 'connections', close: () => transport.close() },
      ],
      clock,
      log,
    );
  }
}

function neverWrites(): never {
  throw new Fault('invalid', 'not written: irsa-operator runs with --dry-run');
}

function failureOf(error: unknown): { kind: string; retryAfterMs?: number | undefined } | undefined {
  return isFault(error) ? { kind: error.kind, retryAfterMs: error.retryAfterMs } : undefined;
}

function ignoreWhen(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}
