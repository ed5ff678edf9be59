import { existsSync, readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
// The whole package costs the same memory at run time, but the bundle that ships can leave out what this file does not reach.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { parse } from 'yaml';
import { Fault } from '../api/fault.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Connection, Endpoint, Tls } from './connection.ts';

export interface ConnectionOptions {
  /** `KUBECONFIG`: one or more files, separated as in `PATH`. */
  readonly kubeconfig?: string | undefined;
  /** `--context`. */
  readonly context?: string | undefined;
  /** `KUBERNETES_SERVICE_HOST` and `_PORT`: set in every pod. */
  readonly serviceHost?: string | undefined;
  readonly servicePort?: string | undefined;
  /** Where a pod finds its token and CA, if not where the kubelet puts them. */
  readonly serviceAccountFolder?: string;
  /** Where `.kube/config` is looked for when nothing else is said. */
  readonly home?: string | undefined;
  readonly clock: Clock;
}

const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** How old what was read from files may be: client-go's period too. The kubelet renews a projected token at 80 % of its life. */
const REREAD_MS = 60_000;

/** Credentials as client-node understands them, and the token file, which it reads but once (and under a name that kubectl does not use). */
interface Loaded {
  readonly config: KubeConfig;
  readonly tokenFile: string | undefined;
}

/**
 * An explicit KUBECONFIG first, then the pod's own service account, then ~/.kube/config. Throws a `notFound` when there is none of them
 * (client-node would go on with http://localhost:8080), and a sentence when one is wrong.
 */
export function connect(options: ConnectionOptions): Connection {
  const load = loader(options);
  let loaded = load(); // a wrong configuration is said at the start, not at the first request
  let last: { readonly endpoint: Promise<Endpoint>; readonly readAt: number } | undefined;
  let known: Endpoint | undefined;
  let stale = false;

  const read = async (): Promise<Endpoint> => {
    if (stale) loaded = load();
    known = await endpointOf(loaded);
    stale = false;
    return known;
  };
  return {
    async endpoint() {
      const now = options.clock.monotonic();
      if (last === undefined || now - last.readAt >= REREAD_MS) last = { endpoint: read(), readAt: now };
      try {
        return await last.endpoint;
      } catch (error) {
        last = undefined;
        // A file that is just being replaced is no reason to stop: what was read last may still be good, and a 401 will tell.
        if (known !== undefined && !stale) return known;
        throw error;
      }
    },
    refresh() {
      stale = true;
      last = undefined;
    },
  };
}

/** What the current context of a kubeconfig names; undefined in a pod, which has none. Throws as `connect` does. */
export interface ContextView {
  /** The entry of the cluster. */
  readonly cluster: string;
  readonly namespace: string;
  readonly server: string;
  /** The command that gets the tokens, where there is one. */
  readonly exec: { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } | undefined;
}

export function contextOf(options: ConnectionOptions): ContextView {
  const { config } = loader(options)();
  const context = config.getContextObject(config.getCurrentContext());
  const exec = config.getCurrentUser()?.exec as { args?: readonly string[]; env?: readonly { name: string; value: string }[] } | undefined;
  return {
    cluster: context?.cluster ?? '',
    namespace: context?.namespace ?? 'default',
    server: config.getCurrentCluster()?.server ?? '',
    exec: exec && { args: exec.args ?? [], env: Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])) },
  };
}

/** Of a kubeconfig. */
export function contextNames(options: ConnectionOptions): string[] {
  return loader(options)()
    .config.getContexts()
    .map(({ name }) => name);
}

/** The same way to the API server, as another user: `--as` and `--as-group` of kubectl. */
export function impersonating(connection: Connection, user: string, groups: readonly string[]): Connection {
  const as = { 'Impersonate-User': user, ...(groups.length === 0 ? {} : { 'Impersonate-Group': groups }) };
  return {
    endpoint: async () => {
      const endpoint = await connection.endpoint();
      return { ...endpoint, headers: { ...endpoint.headers, ...as } };
    },
    refresh: () => connection.refresh(),
  };
}

function loader(options: ConnectionOptions): () => Loaded {
  const { kubeconfig, context, serviceHost, servicePort, serviceAccountFolder, home } = options;
  if (kubeconfig !== undefined && kubeconfig !== '') {
    const files = kubeconfig.split(delimiter).filter((file) => file !== '');
    return () => fromFiles(files, context);
  }
  if (serviceHost !== undefined && serviceHost !== '') {
    return () => inCluster(serviceHost, servicePort ?? '443', serviceAccountFolder ?? SERVICE_ACCOUNT_FOLDER);
  }
  const file = home === undefined ? undefined : join(home, '.kube', 'config');
  if (file !== undefined && existsSync(file)) return () => fromFiles([file], context);
  throw new Fault(
    'notFound',
    `no cluster is configured: KUBECONFIG is not set, this is not a pod (KUBERNETES_SERVICE_HOST is not set), and "${file ?? '~/.kube/config'}" does not exist. Set KUBECONFIG`,
  );
}

function inCluster(host: string, port: string, folder: string): Loaded {
  const config = new KubeConfig();
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const cluster = { name: 'in-cluster', server, caFile: join(folder, 'ca.crt'), skipTLSVerify: false };
  config.loadFromClusterAndUser(cluster, { name: 'service-account' });
  return { config, tokenFile: join(folder, 'token') };
}

/** Merged as kubectl does: of two entries with one name the first file's counts, and files that do not exist are left out. */
function fromFiles(files: readonly string[], context: string | undefined): Loaded {
  const present = files.filter((file) => existsSync(file));
  if (present.length === 0) throw new Error(`KUBECONFIG names ${files.map((file) => `"${file}"`).join(', ')}, and no such file exists`);
  const config = new KubeConfig();
  const tokenFiles = new Map<string, string>();
  let current = context;
  for (const file of present) {
    const text = readFileSync(file, 'utf8');
    const one = new KubeConfig();
    try {
      one.loadFromString(text);
    } catch (error) {
      // Its first line: the others draw the place, with what stands there, which may be a credential.
      const [why] = (error instanceof Error ? error.message : String(error)).split('\n');
      throw new Error(`kubeconfig "${file}" cannot be read: ${why}`);
    }
    one.makePathsAbsolute(dirname(file));
    for (const cluster of one.clusters) if (!config.getCluster(cluster.name)) config.addCluster(cluster);
    for (const [name, tokenFile] of tokenFilesIn(text, dirname(file))) if (!config.getUser(name)) tokenFiles.set(name, tokenFile);
    for (const user of one.users) if (!config.getUser(user.name)) config.addUser(user);
    for (const entry of one.contexts) if (!config.getContextObject(entry.name)) config.addContext(entry);
    current ??= one.currentContext;
  }
  if (current === undefined || !config.getContextObject(current)) {
    throw new Error(`kubeconfig ${present.map((file) => `"${file}"`).join(', ')}: there is no context "${current ?? ''}"`);
  }
  config.setCurrentContext(current);
  const cluster = config.getCurrentCluster();
  if (!cluster?.server) throw new Error(`kubeconfig context "${current}" names a cluster that is not in ${present.join(', ')}`);
  return { config, tokenFile: tokenFiles.get(config.getCurrentUser()?.name ?? '') };
}

interface RawKubeconfig {
  readonly users?: readonly { readonly name?: string; readonly user?: { readonly tokenFile?: string } }[];
}

function* tokenFilesIn(text: string, folder: string): Iterable<[string, string]> {
  const raw = parse(text) as RawKubeconfig | null;
  for (const entry of raw?.users ?? []) {
    const file = entry.user?.tokenFile;
    if (entry.name !== undefined && file !== undefined) yield [entry.name, isAbsolute(file) ? file : join(folder, file)];
  }
}

async function endpointOf({ config, tokenFile }: Loaded): Promise<Endpoint> {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig has no current cluster');
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options); // certificates, exec plugins, impersonation; refuses plain http
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) if (value !== undefined) headers[name] = String(value);
  if (typeof options.auth === 'string') headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  if (tokenFile !== undefined) headers['Authorization'] = `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`;
  return {
    url: cluster.server.replace(/\/+$/, ''),
    headers,
    tls: tlsOf(options),
    ...(cluster.proxyUrl === undefined ? {} : { proxy: cluster.proxyUrl }),
  };
}

function tlsOf(options: RequestOptions): Tls {
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  return {
    ...(ca == null ? {} : { ca: String(ca) }),
    ...(cert == null ? {} : { cert: String(cert) }),
    ...(key == null ? {} : { key: String(key) }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}
