import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { STSClient } from '@aws-sdk/client-sts';
import { type Api, connect } from './api.ts';
import { type AwsDouble, startAwsDouble } from './aws/index.ts';
import { BINARY_NAMES, type Binaries, ensureBinaries } from './binaries/index.ts';
import { type AuditEvent, readAuditLog } from './control-plane/audit.ts';
import { AUDIT_LOG_FILE, type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane/index.ts';
import { untilInjected, untilNodeReady } from './control-plane/readiness.ts';
import { tokenFileOf, writeKubeconfig } from './kubeconfig.ts';
import { type KubectlOptions, kubectlOf } from './kubectl.ts';
import { becomeGuest, runUnlessGuest } from './kubelet/guest.ts';
import { runKubelet } from './kubelet/index.ts';
import { keepRecord } from './record.ts';
import { runScheduler } from './scheduler.ts';
import { makeScratch, sweepScratch } from './scratch.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export { type Api, ApiError, connect, type WatchEvent } from './api.ts';
export type { AwsDouble } from './aws/index.ts';
export type { JournalEntry } from './aws/journal.ts';
export { ensureBinaries, ensureTool } from './binaries/index.ts';
export { kubernetesVersions } from './binaries/modules.ts';
export type { AuditEvent } from './control-plane/audit.ts';
export { AUDIT_LOG_FILE, type ControlPlane } from './control-plane/index.ts';
export { WORKLOAD_LABEL } from './control-plane/kwok.ts';
export { follow } from './follow.ts';
export { tokenFileOf } from './kubeconfig.ts';
export type { KubectlOptions } from './kubectl.ts';
export { moduleFolder } from './module-folder.ts';
export { type Authority, type Identity, makeAuthority, makeServerIdentity } from './pki/certificate.ts';
export { prometheusOperatorCrds } from './prometheus-operator.ts';
export { isRefusal, type KubeRequest, RECORDS_FOLDER, requestOf, type TestbedRecord } from './record.ts';
export type { TcpProxy } from './tcp-proxy.ts';
export { type Patience, until } from './until.ts';

export type TestbedOptions = ControlPlaneOptions;

/** A Kubernetes cluster, an AWS beside it, and pods that become Ready only if STS lets them in. */
export interface Testbed {
  /** Files of this testbed only; gone after `stop`. */
  readonly folder: string;
  /** Path of the admin's kubeconfig. */
  readonly kubeconfig: string;
  readonly issuer: string;
  /** URL of the API server. */
  readonly server: string;
  /** Trusts this cluster's issuer, and knows it as the EKS cluster `testbed`. */
  readonly aws: AwsDouble;
  /** Path of this testbed's own kubectl. */
  readonly kubectlPath: string;
  /** Runs kubectl, as the admin by default, and returns what it wrote; throws with its complaint. Two minutes at most. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<string>;
  /**
   * Path of a kubeconfig with a token of its own, good for a day, of a ServiceAccount that exists. It may do what RBAC allows, and no more.
   * `through` a proxy, or straight to the API server.
   */
  kubeconfigFor(serviceAccount: { namespace: string; name: string }, through?: { readonly port: number }): Promise<string>;
  /** A way to the API server that breaks when it is told to; stopped with the testbed. */
  proxy(): Promise<TcpProxy>;
  /** Comes back when the webhook knows every ServiceAccount as it is now: it answers from a cache. */
  webhookCaughtUp(): Promise<void>;
  /** Faults of the control plane itself; of a testbed's own cluster only. */
  readonly controlPlane: ControlPlane | undefined;
  /** Every write that ended up to now, refused ones too. An answer may reach its client a moment before it is in here. */
  auditEvents(): Promise<AuditEvent[]>;
  /** Said by a test that provokes one: `create serviceaccounts/token`, `iam:GetRole`, or `*` for all. Every other refusal of the operator fails the run of all suites. */
  expectRefusal(call: string): void;
  stop(): Promise<void>;
}

/** EKS caps a token at a day as well. */
const TOKEN_SECONDS = 24 * 60 * 60;

/** The first start builds Kubernetes, behind somebody else's build perhaps. */
const START_DEADLINE_MS = 60 * 60_000;

/**
 * Starts a cluster of its own and comes back when it is ready: seconds, but minutes the first time, when it builds programs (it says so).
 * With `TESTBED_KUBECONFIG=PATH` in the environment, that running cluster is used, and left running; it needs the EKS webhook, and kwok.
 * `interrupt` ends the start, not the testbed.
 */
export async function startTestbed(options: TestbedOptions = {}, interrupt: AbortSignal = new AbortController().signal): Promise<Testbed> {
  const signal = AbortSignal.any([interrupt, AbortSignal.timeout(START_DEADLINE_MS)]);
  const binaries = await ensureBinaries(signal);
  await sweepScratch(BINARY_NAMES);
  const given = process.env['TESTBED_KUBECONFIG'];
  const cluster =
    given === undefined || given === '' ? await ownCluster(binaries, options, signal) : await givenCluster(given, options, signal);
  try {
    return await furnish(cluster, binaries);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** A cluster whose pods somebody runs. */
interface Cluster {
  folder: string;
  kubeconfig: string;
  issuer: string;
  api: Api;
  auditLog: string;
  controlPlane?: ControlPlane;
  webhookCaughtUp(): Promise<void>;
  /** What goes on in the cluster until the signal, given a way to ask STS. */
  run(sts: STSClient, signal: AbortSignal): Promise<unknown>;
  stop(): Promise<void>;
}

async function ownCluster(binaries: Binaries, options: TestbedOptions, signal: AbortSignal): Promise<Cluster> {
  const controlPlane = await startControlPlane(binaries, options, signal);
  const { api, folder } = controlPlane;
  return {
    ...controlPlane,
    controlPlane,
    auditLog: join(folder, AUDIT_LOG_FILE),
    run: (sts, until) =>
      Promise.all([runScheduler(api, until), runUnlessGuest(api, (unlessGuest) => runKubelet(api, sts, unlessGuest), until)]),
  };
}

async function givenCluster(kubeconfig: string, options: TestbedOptions, signal: AbortSignal): Promise<Cluster> {
  if (Object.keys(options).length > 0) {
    throw new Error(
      `the cluster of TESTBED_KUBECONFIG runs already, so it cannot be started with ${JSON.stringify(options)}: unset it for this test`,
    );
  }
  const api = connect(kubeconfig);
  const { issuer } = await api.call<{ issuer: string }>('GET', '/.well-known/openid-configuration', { signal });
  const webhookCaughtUp = () => untilInjected(api, signal);
  await Promise.all([untilNodeReady(api, signal), webhookCaughtUp()]);
  const guest = await becomeGuest(api, signal);
  const folder = makeScratch();
  return {
    folder,
    kubeconfig,
    issuer,
    api,
    auditLog: join(dirname(kubeconfig), AUDIT_LOG_FILE), // there when it is another testbed's
    webhookCaughtUp,
    run: (sts, until) => runKubelet(api, sts, until),
    async stop() {
      await guest.leave();
      api.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function furnish(cluster: Cluster, binaries: Binaries): Promise<Testbed> {
  const { folder, kubeconfig, issuer, api } = cluster;
  const aws = await startAwsDouble();
  aws.trustIssuer(issuer, () => api.call('GET', '/openid/v1/jwks'));
  aws.cluster({ name: 'testbed', issuer });
  // Whoever calls AssumeRoleWithWebIdentity is nobody yet: the token speaks for him.
  const sts = new STSClient({ endpoint: aws.endpoint, region: 'us-east-1' });
  const expectedRefusals: string[] = [];
  const over = new AbortController();
  const running = cluster.run(sts, over.signal);
  const proxies: TcpProxy[] = [];
  let tokens = 0;

  return {
    folder,
    kubeconfig,
    issuer,
    server: api.server,
    aws,
    kubectlPath: binaries.kubectl,
    kubectl: kubectlOf(binaries.kubectl, kubeconfig, folder),
    async kubeconfigFor({ namespace, name }, through) {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
      const { status } = await api.call<{ status: { token: string } }>('POST', path, {
        body: { spec: { expirationSeconds: TOKEN_SECONDS } },
      });
      const home = join(folder, 'service-accounts');
      mkdirSync(home, { recursive: true });
      const file = join(home, `${namespace}.${name}.${++tokens}.kubeconfig`);
      const tokenFile = tokenFileOf(file);
      writeFileSync(tokenFile, status.token, { mode: 0o600 });
      const server = through === undefined ? api.server : `https://127.0.0.1:${through.port}`;
      writeKubeconfig(file, { server, authority: api.authority }, { tokenFile });
      return file;
    },
    async proxy() {
      const { controlPlane } = cluster;
      if (controlPlane === undefined)
        throw new Error('a proxy shows the certificate of the API server, which only a cluster of our own lends');
      const { port, pki } = controlPlane;
      const proxy = await startTcpProxy(port, { ...pki.apiServer, authority: pki.authorityFile });
      proxies.push(proxy);
      return proxy;
    },
    webhookCaughtUp: () => cluster.webhookCaughtUp(),
    controlPlane: cluster.controlPlane,
    async auditEvents() {
      if (!existsSync(cluster.auditLog))
        throw new Error(`there is no "${cluster.auditLog}": only a testbed's own cluster has an audit log to read`);
      return readAuditLog(cluster.auditLog);
    },
    expectRefusal: (call) => void expectedRefusals.push(call),
    async stop() {
      over.abort();
      await running;
      sts.destroy();
      await Promise.all(proxies.map((proxy) => proxy.stop()));
      await keepRecord({ auditLog: cluster.auditLog, comebacks: cluster.controlPlane?.comebacks ?? [] }, aws.journal, expectedRefusals);
      await aws.stop();
      await cluster.stop();
    },
  };
}
