import { type Issuer, parseIssuer } from './api/issuer.ts';
import { isProblem, type Problem, problem } from './api/problem.ts';
import { LEAST_RATE, MOST_RATE } from './api/rate.ts';
import type { Webhook } from './api/webhook.ts';
import { PROXY_VARIABLES, type ProxyVariables } from './aws/agents.ts';
import type { OwnCredentials } from './aws/identity.ts';
import { clusterIdsFrom } from './cli/cluster-id.ts';
import type { Flag, Given } from './cli/command.ts';
import { duration } from './cli/duration.ts';
import { CLIENT_ID, WEBHOOK_FLAGS, webhookFrom } from './cli/webhook-flags.ts';
import type { ClusterIds } from './domain/state/identity.ts';
import type { Address } from './observability/listen.ts';
import { LOG_LEVELS, type LogLevel } from './observability/log-levels.ts';
import { DETAILS, type Detail } from './observability/object-metrics.ts';

/** Flags and environment as one object; nobody else reads `process.env`. */
export interface Config {
  /** How often all roles of the account are read. */
  readonly sweepIntervalMs: number;
  /** At most so many calls of IAM, per account: others use it too. */
  readonly iamWritesPerSecond: number;
  readonly iamReadsPerSecond: number;
  /** The client IDs of an OIDC provider that may be created where it is missing; undefined: none may be. */
  readonly createProviderWith: readonly string[] | undefined;
  /** How long a subject may stand that no grant was ever seen to cover; `Infinity`: for ever. */
  readonly ungrantedGraceMs: number;
  /** Overrides what the API server says. */
  readonly oidcIssuer: Issuer | undefined;
  /** As the webhook of the cluster was started. */
  readonly webhook: Webhook;
  readonly clusterIds: ClusterIds;
  /** Cross-checks the issuer with `eks:DescribeCluster`. */
  readonly eksClusterName: string | undefined;
  /** Nothing is written but the status of bindings, Events and the Lease. */
  readonly dryRun: boolean;
  readonly leaseNamespace: string;
  /** How long nobody else leads after the leader was last heard of. */
  readonly leaseDurationMs: number;
  readonly hostname: string;
  /** What tells of the roles that we are, or assume on the way: never a target. */
  readonly ownCredentials: OwnCredentials;
  /** On the way to AWS. */
  readonly proxy: ProxyVariables;
  /** Of probes, and of metrics: who reads the metrics has no part in the life of the process. */
  readonly healthListen: Address;
  readonly metricsListen: Address;
  readonly metricsDetail: Detail;
  readonly logLevel: LogLevel;
  /** Where the API server may be found; `connect` in src/kube says in which order. */
  readonly kube: {
    readonly kubeconfig: string | undefined;
    readonly serviceHost: string | undefined;
    readonly servicePort: string | undefined;
    readonly home: string | undefined;
  };
}

/** The flags of `irsa-operator run`. */
export const RUN_FLAGS = {
  'sweep-interval': { type: 'string', default: '60s', help: 'how often all roles of the account are read, from 1s to 1h' },
  'iam-writes-per-second': {
    type: 'string',
    default: '5',
    help: 'writes to IAM per account, halved when AWS throttles and slowly restored',
  },
  'iam-reads-per-second': { type: 'string', default: '10', help: 'reads of IAM per account, likewise. A list counts once for 200 roles' },
  'manage-oidc-provider': { type: 'boolean', help: "create the OIDC provider of this cluster's issuer where it is missing" },
  'provider-audiences': {
    type: 'string',
    default: 'sts.amazonaws.com',
    help: 'client IDs of a provider that is created, separated by commas',
  },
  'ungranted-grace': {
    type: 'string',
    default: '24h',
    help: 'how long trust stays that no grant was ever seen to cover, from 1m to 720h, or never to keep it',
  },
  'oidc-issuer': { type: 'string', default: '', help: "this cluster's issuer URL, in place of what the API server says" },
  'cluster-id': { type: 'string', value: 'NAME', default: '', help: 'the name of this cluster, where others have the same issuer' },
  'previous-cluster-id': {
    type: 'string',
    value: 'NAME',
    help: 'what --cluster-id said before, empty where it was not there: statements under it are moved',
  },
  'eks-cluster-name': {
    type: 'string',
    default: '',
    help: 'name of this EKS cluster: the issuer must then be the one that eks:DescribeCluster reports',
  },
  ...WEBHOOK_FLAGS,
  'dry-run': { type: 'boolean', help: 'treat every binding as if its mode were Observe: the status says what would be done' },
  'lease-namespace': {
    type: 'string',
    default: 'irsa-operator-system',
    help: 'namespace of the Lease by which replicas elect their leader',
  },
  'lease-duration': {
    type: 'string',
    default: '15s',
    help: 'how long a standby waits before it replaces a silent leader, from 2s to 5m',
  },
  'health-listen': { type: 'string', default: '[::]:8081', help: 'address of /livez and /readyz' },
  'metrics-listen': { type: 'string', default: '[::]:8080', help: 'address of /metrics' },
  'metrics-detail': {
    type: 'string',
    default: 'problems',
    help: 'bindings that have series of their own: those of which something is not True (problems), or all (full)',
  },
  'log-level': { type: 'string', default: 'info', help: LOG_LEVELS.join(' | ') },
} as const satisfies Readonly<Record<string, Flag>>;

const SWEEP = { least: 1_000, most: 3_600_000, words: 'from 1s to 1h, such as 60s' };
/** Shorter, and one slow answer costs the lease; longer, and nobody works for minutes after a crash. */
const LEASE = { least: 2_000, most: 300_000, words: 'from 2s to 5m, such as 15s' };
const UNGRANTED = { least: 60_000, most: 720 * 3_600_000, words: 'from 1m to 720h, such as 24h, or "never"' };
/**
 * IAM's limits for the client IDs of a provider (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html and
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html).
 */
const MOST_CLIENT_IDS = 100;

export function parseConfig(flags: Given, env: NodeJS.ProcessEnv, hostname: string): Config | Problem {
  const text = (name: keyof typeof RUN_FLAGS) => String(flags[name] ?? '');
  const sweepIntervalMs = duration(text('sweep-interval'), SWEEP);
  if (isProblem(sweepIntervalMs)) return problem(`--sweep-interval: ${sweepIntervalMs.problem}`);
  const leaseDurationMs = duration(text('lease-duration'), LEASE);
  if (isProblem(leaseDurationMs)) return problem(`--lease-duration: ${leaseDurationMs.problem}`);
  const ungrantedGraceMs = text('ungranted-grace') === 'never' ? Number.POSITIVE_INFINITY : duration(text('ungranted-grace'), UNGRANTED);
  if (isProblem(ungrantedGraceMs)) return problem(`--ungranted-grace: ${ungrantedGraceMs.problem}`);
  const iamWritesPerSecond = rate(text('iam-writes-per-second'));
  if (isProblem(iamWritesPerSecond)) return problem(`--iam-writes-per-second: ${iamWritesPerSecond.problem}`);
  const iamReadsPerSecond = rate(text('iam-reads-per-second'));
  if (isProblem(iamReadsPerSecond)) return problem(`--iam-reads-per-second: ${iamReadsPerSecond.problem}`);
  const audiences = clientIds(text('provider-audiences'));
  if (isProblem(audiences)) return problem(`--provider-audiences: ${audiences.problem}`);
  const issuer = text('oidc-issuer') === '' ? undefined : parseIssuer(text('oidc-issuer'));
  if (isProblem(issuer)) return problem(`--oidc-issuer: ${issuer.problem}`);
  const webhook = webhookFrom(flags);
  if (isProblem(webhook)) return webhook;
  const clusterIds = clusterIdsFrom(flags);
  if (isProblem(clusterIds)) return clusterIds;
  const proxy = proxyFrom(env);
  if (isProblem(proxy)) return proxy;
  const healthListen = address(text('health-listen'));
  if (isProblem(healthListen)) return problem(`--health-listen: ${healthListen.problem}`);
  const metricsListen = address(text('metrics-listen'));
  if (isProblem(metricsListen)) return problem(`--metrics-listen: ${metricsListen.problem}`);
  const metricsDetail = oneOf(DETAILS, text('metrics-detail'));
  if (isProblem(metricsDetail)) return problem(`--metrics-detail: ${metricsDetail.problem}`);
  const logLevel = oneOf(LOG_LEVELS, text('log-level'));
  if (isProblem(logLevel)) return problem(`--log-level: ${logLevel.problem}`);
  return Object.freeze({
    sweepIntervalMs,
    ungrantedGraceMs,
    iamWritesPerSecond,
    iamReadsPerSecond,
    createProviderWith: flags['manage-oidc-provider'] === true ? audiences : undefined,
    oidcIssuer: issuer,
    webhook,
    clusterIds,
    eksClusterName: text('eks-cluster-name') || undefined,
    dryRun: flags['dry-run'] === true,
    leaseNamespace: text('lease-namespace'),
    leaseDurationMs,
    hostname,
    ownCredentials: ownCredentialsFrom(env),
    proxy,
    healthListen,
    metricsListen,
    metricsDetail,
    logLevel,
    kube: kubeFrom(env),
  });
}

/** As the SDK chooses: a profile that is named, else keys of the environment, else the default profile. */
export function ownCredentialsFrom(env: NodeJS.ProcessEnv): OwnCredentials {
  const hasKeys = env['AWS_ACCESS_KEY_ID'] !== undefined && env['AWS_SECRET_ACCESS_KEY'] !== undefined;
  return { webIdentityRole: env['AWS_ROLE_ARN'], profile: env['AWS_PROFILE'] || (hasKeys ? undefined : 'default') };
}

/** The agents read proxies since the version that has this flag (https://nodejs.org/api/http.html#built-in-proxy-support). */
const NODE_READS_PROXIES = process.allowedNodeEnvironmentFlags.has('--use-env-proxy');

/**
 * Node passes over what is no such URL, and an old one over all of it. Then calls would go the way that the proxy was to close. The value is not
 * quoted: it may hold a password.
 */
export function proxyFrom(env: NodeJS.ProcessEnv, nodeReadsProxies = NODE_READS_PROXIES): ProxyVariables | Problem {
  const found = PROXY_VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  const proxies = found.filter(([name]) => !name.toLowerCase().startsWith('no'));
  const wrong = proxies.find(([, value]) => !(/^https?:\/\//.test(value) && URL.canParse(value)));
  if (wrong !== undefined) return problem(`${wrong[0]} is not the URL of a proxy. Wanted: http://HOST:PORT, or https://HOST:PORT`);
  if (proxies[0] !== undefined && !nodeReadsProxies)
    return problem(`${proxies[0][0]} names a proxy, and Node ${process.versions.node} ignores it. Use Node 22.21, 24.5 or newer`);
  return Object.fromEntries(found);
}

export function kubeFrom(env: NodeJS.ProcessEnv): Config['kube'] {
  return {
    kubeconfig: env['KUBECONFIG'],
    serviceHost: env['KUBERNETES_SERVICE_HOST'],
    servicePort: env['KUBERNETES_SERVICE_PORT'],
    home: env['HOME'],
  };
}

function rate(text: string): number | Problem {
  const perSecond = /^[0-9]{1,4}(\.[0-9]{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (perSecond >= LEAST_RATE && perSecond <= MOST_RATE) return perSecond;
  return problem(`"${text}" is not a number of calls from ${LEAST_RATE} to ${MOST_RATE}, such as 5`);
}

function clientIds(text: string): readonly string[] | Problem {
  const ids = text.split(',');
  const wrong = ids.find((id) => !CLIENT_ID.test(id));
  if (wrong !== undefined) return problem(`"${wrong}" in "${text}" is not a client ID. Wanted: 1 to 255 characters without blanks`);
  if (new Set(ids).size !== ids.length) return problem(`"${text}" names a client ID twice`);
  if (ids.length > MOST_CLIENT_IDS)
    return problem(`${ids.length} client IDs are more than the ${MOST_CLIENT_IDS} that a provider can have`);
  return ids;
}

function oneOf<T extends string>(all: readonly T[], text: string): T | Problem {
  return all.find((one) => one === text) ?? problem(`"${text}" is none of ${all.join(', ')}`);
}

function address(text: string): Address | Problem {
  const found = /^\[?([^\]]*?)\]?:([0-9]{1,5})$/.exec(text);
  const port = Number(found?.[2]);
  if (!(port <= 65_535)) return problem(`"${text}" is not an address such as [::]:8080`);
  return { host: found?.[1] || '::', port };
}
