import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Api, connect } from '../api.ts';
import type { Binaries } from '../binaries/index.ts';
import { writeKubeconfig } from '../kubeconfig.ts';
import { makeClientIdentity, type Subject } from '../pki/certificate.ts';
import { makePki, type Pki } from '../pki/index.ts';
import { makeScratch } from '../scratch.ts';
import { startTcpProxy, type TcpProxy } from '../tcp-proxy.ts';
import { until } from '../until.ts';
import { API_SERVER_HOSTS, type ApiServerSettings, apiServer } from './api-server.ts';
import { writeAuditPolicy } from './audit.ts';
import { atPorts, type Component, type Launch, startComponent } from './component.ts';
import { controllerManager } from './controller-manager.ts';
import { compactEtcd, etcd } from './etcd.ts';
import { httpsStatus } from './https-status.ts';
import { kwok, kwokConfig } from './kwok.ts';
import { READY_DEADLINE_MS, untilInjected, untilNodeReady, untilReadyz } from './readiness.ts';
import { annotationPrefixOf, podIdentityWebhook, webhookConfiguration } from './webhook.ts';

export interface ControlPlaneOptions {
  /** Of the service account tokens. Default: one of EKS's form in us-east-1, with a random ID. */
  issuer?: string;
  /** Given to kube-apiserver after our own flags: faults such as `--goaway-chance=0.02`. */
  apiServerArgs?: readonly string[];
  /** Given to the webhook after our own flags: defaults of other installations, such as `--token-audience=amazonaws.com`. */
  webhookArgs?: readonly string[];
}

/** Milliseconds since 1970. */
export interface Comeback {
  readonly from: number;
  readonly to: number;
}

/** A Kubernetes cluster without containers: the real API server, controllers and EKS webhook, and nodes played by kwok. */
export interface ControlPlane {
  /** All its files; gone after `stop`. The components' logs are `NAME.log` in it. */
  readonly folder: string;
  readonly issuer: string;
  /** Path; user `admin`, group `system:masters`. */
  readonly kubeconfig: string;
  /** As user `testbed`, so that the audit log tells what the testbed does itself. */
  readonly api: Api;
  readonly pki: Pki;
  /** Of the API server. */
  readonly port: number;
  /** While an API server that was stopped came back: it answers before it has read its rules, and refuses everybody. */
  readonly comebacks: readonly Comeback[];
  /** Ends the API server as a crash would. What it returns starts it again on the same port, with other `apiServerArgs` if there are any, and comes back when it is ready. */
  stopApiServer(): Promise<(apiServerArgs?: readonly string[]) => Promise<void>>;
  /** Another API server on the same etcd. While its way to etcd is frozen, what it knows is the past. */
  secondApiServer(): Promise<{ readonly port: number; readonly wayToEtcd: TcpProxy }>;
  /** Comes back when the webhook knows every ServiceAccount as it is now. */
  webhookCaughtUp(): Promise<void>;
  /** Makes etcd forget every state but the present one: a watch from an older version is answered 410 from then on. */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

/** In the folder of a testbed. */
export const KUBECONFIG_FILE = 'admin.kubeconfig';
export const AUDIT_LOG_FILE = 'audit.log';

const MASTERS = 'system:masters';

/** Ready when it comes back: a pod made in the next moment is injected, gets a node and a service account. */
export async function startControlPlane(binaries: Binaries, options: ControlPlaneOptions, signal: AbortSignal): Promise<ControlPlane> {
  const issuer = options.issuer ?? `https://oidc.eks.us-east-1.amazonaws.com/id/${randomBytes(16).toString('hex').toUpperCase()}`;
  const webhookArgs = options.webhookArgs ?? [];
  const folder = makeScratch();
  const over = new AbortController();
  const running = AbortSignal.any([signal, over.signal]);
  const starts: Promise<Component>[] = [];
  const proxies: TcpProxy[] = [];
  const comebacks: Comeback[] = [];

  function start<Port extends string>(launch: Launch<Port>): Promise<Component<Port>> {
    const component = startComponent(launch, folder, running);
    starts.push(component);
    return component;
  }
  async function stop(): Promise<void> {
    over.abort(); // whatever is being started now ends, and nothing starts any more
    const started = await Promise.allSettled(starts);
    await Promise.all(started.map((each) => (each.status === 'fulfilled' ? each.value.stop() : undefined)));
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    return await assemble();
  } catch (error) {
    await stop();
    throw error;
  }

  async function assemble(): Promise<ControlPlane> {
    const [pki, store] = await Promise.all([makePki(join(folder, 'pki'), API_SERVER_HOSTS), start(etcd(binaries.etcd, folder))]);
    const auditPolicy = join(folder, 'audit-policy.json');
    writeAuditPolicy(auditPolicy);
    const settings: ApiServerSettings = {
      etcdPort: store.ports.client,
      issuer,
      pki,
      auditPolicy,
      auditLog: join(folder, AUDIT_LOG_FILE),
      extraArgs: options.apiServerArgs ?? [],
    };
    const launch = apiServer(binaries['kube-apiserver'], folder, settings);
    const server = await start(launch);
    let present: Component = server;
    const kubeconfigOf = async (file: string, subject: Subject): Promise<string> => {
      const path = join(folder, file);
      const address = { server: `https://127.0.0.1:${server.ports.secure}`, authority: pki.authority.certificate };
      writeKubeconfig(path, address, await makeClientIdentity(pki.authority, subject));
      return path;
    };
    const kubeconfig = await kubeconfigOf(KUBECONFIG_FILE, { commonName: 'admin', organization: MASTERS });
    const api = connect(await kubeconfigOf('testbed.kubeconfig', { commonName: 'testbed', organization: MASTERS }));
    const webhookCaughtUp = () => untilInjected(api, running, annotationPrefixOf(webhookArgs));
    const kwokFile = join(folder, 'kwok.yaml');
    writeFileSync(kwokFile, kwokConfig());

    const webhookUser = { commonName: 'pod-identity-webhook', organization: MASTERS };
    const kwokUser = { commonName: 'kwok', organization: MASTERS };
    const managerUser = { commonName: 'system:kube-controller-manager' };
    // The webhook and kwok wait for the API server themselves, and start while it is getting ready.
    const [webhookConfig, kwokConfigFile, managerConfig] = await Promise.all([
      kubeconfigOf('webhook.kubeconfig', webhookUser),
      kubeconfigOf('kwok.kubeconfig', kwokUser),
      kubeconfigOf('manager.kubeconfig', managerUser),
    ]);
    const webhook = start(podIdentityWebhook(binaries['amazon-eks-pod-identity-webhook'], webhookConfig, pki, webhookArgs));
    const nodes = start(kwok(binaries.kwok, kwokConfigFile, kwokFile));
    const ready = untilReadyz(api, running);
    await Promise.all([
      // This one gives up after ten seconds, which may be too soon for a busy machine.
      ready.then(() => start(controllerManager(binaries['kube-controller-manager'], managerConfig, pki, api))),
      Promise.all([nodes, ready]).then(() => untilNodeReady(api, running)),
      Promise.all([webhook, ready]).then(async ([{ ports }]) => {
        const body = webhookConfiguration(ports.secure, pki);
        await api.call('POST', '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', { body, signal: running });
        await webhookCaughtUp();
      }),
    ]);
    return {
      folder,
      issuer,
      kubeconfig,
      api,
      pki,
      port: server.ports.secure,
      comebacks,
      async stopApiServer() {
        await present.stop();
        return async (extraArgs = settings.extraArgs) => {
          const from = Date.now();
          const again = apiServer(binaries['kube-apiserver'], folder, { ...settings, extraArgs });
          present = await start(atPorts(again, server.ports));
          await untilReadyz(api, running);
          comebacks.push({ from, to: Date.now() });
        };
      },
      async secondApiServer() {
        const wayToEtcd = await startTcpProxy(store.ports.client);
        proxies.push(wayToEtcd);
        const auditLog = join(folder, 'second-audit.log');
        const second = apiServer(binaries['kube-apiserver'], folder, { ...settings, etcdPort: wayToEtcd.port, auditLog });
        const { ports } = await start({ ...second, name: 'second-kube-apiserver' });
        const status = () => httpsStatus(`https://127.0.0.1:${ports.secure}/readyz`, pki.authority.certificate, running);
        await until('the second API server is ready', async () => (await status()) === 200, {
          timeoutMs: READY_DEADLINE_MS,
          signal: running,
        });
        return { port: ports.secure, wayToEtcd };
      },
      webhookCaughtUp,
      compact: () => compactEtcd(store.ports.client, running),
      async stop() {
        api.close();
        await stop();
        await Promise.all(proxies.map((proxy) => proxy.stop()));
      },
    };
  }
}
