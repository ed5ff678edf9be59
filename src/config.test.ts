import { describe, expect, test } from 'vitest';
import { isProblem } from './api/problem.ts';
import { EKS_WEBHOOK } from './api/webhook.ts';
import { parseFlags } from './cli/command.ts';
import { parseConfig, proxyFrom, RUN_FLAGS } from './config.ts';

function configOf(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const parsed = parseFlags(RUN_FLAGS, args);
  return isProblem(parsed) ? parsed : parseConfig(parsed.given, env, 'pod-1');
}

const DEFAULTS = {
  sweepIntervalMs: 60_000,
  ungrantedGraceMs: 86_400_000,
  iamWritesPerSecond: 5,
  iamReadsPerSecond: 10,
  createProviderWith: undefined,
  oidcIssuer: undefined,
  webhook: EKS_WEBHOOK,
  clusterIds: {},
  eksClusterName: undefined,
  dryRun: false,
  leaseNamespace: 'irsa-operator-system',
  leaseDurationMs: 15_000,
  hostname: 'pod-1',
  ownCredentials: { webIdentityRole: undefined, profile: 'default' },
  proxy: {},
  healthListen: { host: '::', port: 8081 },
  metricsListen: { host: '::', port: 8080 },
  metricsDetail: 'problems',
  logLevel: 'info',
  kube: { kubeconfig: undefined, serviceHost: undefined, servicePort: undefined, home: undefined },
};

test('without flags everything has its default', () => expect(configOf([])).toEqual(DEFAULTS));

test('the environment tells where the API server is', () => {
  const env = { KUBECONFIG: '/k', KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443', HOME: '/h' };
  expect(configOf([], env)).toEqual({
    ...DEFAULTS,
    kube: { kubeconfig: '/k', serviceHost: '10.0.0.1', servicePort: '443', home: '/h' },
  });
});

describe('the environment tells where our own credentials come from', () => {
  const hop = 'arn:aws:iam::111122223333:role/hop';
  const keys = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
  const cases: Record<string, [NodeJS.ProcessEnv, object]> = {
    'a token for a role': [{ AWS_ROLE_ARN: hop }, { webIdentityRole: hop, profile: 'default' }],
    'a profile': [{ AWS_PROFILE: 'hub' }, { webIdentityRole: undefined, profile: 'hub' }],
    'a profile, which counts for more than keys': [
      { ...keys, AWS_PROFILE: 'hub' },
      { webIdentityRole: undefined, profile: 'hub' },
    ],
    'keys alone': [
      { ...keys, AWS_PROFILE: '' },
      { webIdentityRole: undefined, profile: undefined },
    ],
    'half of them, which are none': [{ AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE' }, { webIdentityRole: undefined, profile: 'default' }],
  };
  for (const [how, [env, ownCredentials]] of Object.entries(cases))
    test(how, () => expect(configOf([], env)).toEqual({ ...DEFAULTS, ownCredentials }));
});

test('the environment tells the proxy on the way to AWS, and hosts that need none', () => {
  const proxy = { HTTPS_PROXY: 'http://proxy.example:3128', https_proxy: 'https://me:secret@[::1]:3128', NO_PROXY: '.internal,10.0.0.1' };
  expect(configOf([], { ...proxy, HTTP_PROXY: '', PATH: '/bin' })).toEqual({ ...DEFAULTS, proxy });
});

test('a proxy that Node would pass over is refused, and not quoted', () => {
  for (const wrong of ['proxy:3128', 'socks5://me:secret@proxy:1080', 'http://', 'https://me:secret@'])
    expect(configOf([], { https_proxy: wrong })).toEqual({
      problem: 'https_proxy is not the URL of a proxy. Wanted: http://HOST:PORT, or https://HOST:PORT',
    });
});

test('on a Node that reads no proxies one is refused, and what concerns none is not', () => {
  const ignores = ` names a proxy, and Node ${process.versions.node} ignores it. Use Node 22.21, 24.5 or newer`;
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY'])
    expect(proxyFrom({ [name]: 'http://me:secret@proxy:3128' }, false)).toEqual({ problem: `${name}${ignores}` });
  expect(proxyFrom({ HTTPS_PROXY: '', NO_PROXY: '.internal' }, false)).toEqual({ NO_PROXY: '.internal' });
});

const accepted: Record<string, [string[], object]> = {
  'a grace for what no grant covers': [['--ungranted-grace', '90m'], { ungrantedGraceMs: 5_400_000 }],
  'that what no grant covers stays': [['--ungranted-grace', 'never'], { ungrantedGraceMs: Number.POSITIVE_INFINITY }],
  'a sweep interval in minutes': [['--sweep-interval', '5m'], { sweepIntervalMs: 300_000 }],
  'a rate of writes below one': [['--iam-writes-per-second', '0.5'], { iamWritesPerSecond: 0.5 }],
  'a rate of reads': [['--iam-reads-per-second=20'], { iamReadsPerSecond: 20 }],
  'to create a provider, with the usual audience': [['--manage-oidc-provider'], { createProviderWith: ['sts.amazonaws.com'] }],
  'audiences of a provider': [
    ['--manage-oidc-provider', '--provider-audiences', 'sts.amazonaws.com,sts.amazonaws.com.cn'],
    { createProviderWith: ['sts.amazonaws.com', 'sts.amazonaws.com.cn'] },
  ],
  'audiences alone, which create nothing': [['--provider-audiences', 'other'], {}],
  'a short lease': [['--lease-duration', '2s'], { leaseDurationMs: 2_000 }],
  'a port alone': [['--metrics-listen', ':9090'], { metricsListen: { host: '::', port: 9090 } }],
  'a port for probes': [['--health-listen', ':9090'], { healthListen: { host: '::', port: 9090 } }],
  'no address in brackets, which is every address': [['--health-listen', '[]:9090'], { healthListen: { host: '::', port: 9090 } }],
  'IPv4 alone': [['--metrics-listen', '0.0.0.0:8080'], { metricsListen: { host: '0.0.0.0', port: 8080 } }],
  'an address of IPv6': [['--health-listen', '[::1]:0'], { healthListen: { host: '::1', port: 0 } }],
  'series of all bindings': [['--metrics-detail=full'], { metricsDetail: 'full' }],
  'an issuer': [['--oidc-issuer', 'https://example.org/id'], { oidcIssuer: 'https://example.org/id' }],
  'the prefix of the annotations that the webhook reads': [
    ['--webhook-annotation-prefix', 'irsa.example.org'],
    { webhook: { ...EKS_WEBHOOK, annotationPrefix: 'irsa.example.org' } },
  ],
  'the audience that the webhook gives by itself': [
    ['--webhook-token-audience', 'amazonaws.com'],
    { webhook: { ...EKS_WEBHOOK, tokenAudience: 'amazonaws.com' } },
  ],
  'the path on which the webhook mounts tokens': [
    ['--webhook-token-mount-path', '/var/run/secrets/sts.amazonaws.com'],
    { webhook: { ...EKS_WEBHOOK, tokenMountPath: '/var/run/secrets/sts.amazonaws.com' } },
  ],
  'an issuer with a slash at its end, which is part of it': [
    ['--oidc-issuer', 'https://example.org/id/'],
    { oidcIssuer: 'https://example.org/id/' },
  ],
  'a name of the cluster': [['--cluster-id', 'blue'], { clusterIds: { clusterId: 'blue' } }],
  'that it had none before': [
    ['--cluster-id', 'blue', '--previous-cluster-id', ''],
    { clusterIds: { clusterId: 'blue', previousClusterId: '' } },
  ],
  'that it has none any more': [['--previous-cluster-id', 'blue'], { clusterIds: { previousClusterId: 'blue' } }],
  'a dry run': [['--dry-run'], { dryRun: true }],
  'a level': [['--log-level=debug'], { logLevel: 'debug' }],
};
for (const [sentence, [args, part]] of Object.entries(accepted)) {
  test(`it takes ${sentence}`, () => expect(configOf(args)).toEqual({ ...DEFAULTS, ...part }));
}

const refused: Record<string, [string[], string]> = {
  'a cluster ID that is no name': [
    ['--cluster-id', 'Blue!'],
    '--cluster-id: "Blue!" is not a name. Wanted: 1 to 63 lower-case letters, digits and "-"',
  ],
  'a cluster ID that is too long': [
    ['--cluster-id', 'b'.repeat(64)],
    `--cluster-id: "${'b'.repeat(64)}" is not a name. Wanted: 1 to 63 lower-case letters, digits and "-"`,
  ],
  'a previous ID that is the one of now': [
    ['--cluster-id', 'blue', '--previous-cluster-id', 'blue'],
    '--previous-cluster-id: "blue" is what --cluster-id says now. Leave it out',
  ],
  'a sweep that never ends': [['--sweep-interval', '0s'], '--sweep-interval: "0s" is not a duration from 1s to 1h, such as 60s'],
  'a number without a unit': [['--sweep-interval', '60'], '--sweep-interval: "60" is not a duration from 1s to 1h, such as 60s'],
  'a lease that one slow answer would cost': [
    ['--lease-duration', '1999ms'],
    '--lease-duration: "1999ms" is not a duration from 2s to 5m, such as 15s',
  ],
  'a lease of an hour': [['--lease-duration', '1h'], '--lease-duration: "1h" is not a duration from 2s to 5m, such as 15s'],
  'a rate of nothing': [
    ['--iam-writes-per-second', '0'],
    '--iam-writes-per-second: "0" is not a number of calls from 0.1 to 1000, such as 5',
  ],
  'a rate that is no number': [
    ['--iam-reads-per-second', '1e3'],
    '--iam-reads-per-second: "1e3" is not a number of calls from 0.1 to 1000, such as 5',
  ],
  'a blank in an audience': [
    ['--provider-audiences', 'sts.amazonaws.com, other'],
    '--provider-audiences: " other" in "sts.amazonaws.com, other" is not a client ID. Wanted: 1 to 255 characters without blanks',
  ],
  'no audience': [
    ['--provider-audiences', ''],
    '--provider-audiences: "" in "" is not a client ID. Wanted: 1 to 255 characters without blanks',
  ],
  'an audience twice': [['--provider-audiences', 'a,a'], '--provider-audiences: "a,a" names a client ID twice'],
  'a prefix with a slash, which is not part of it': [
    ['--webhook-annotation-prefix', 'irsa.example.org/'],
    '--webhook-annotation-prefix: "irsa.example.org/" is not a DNS name such as eks.amazonaws.com',
  ],
  'a prefix that is our own': [
    ['--webhook-annotation-prefix', 'irsa-operator.dev'],
    '--webhook-annotation-prefix: "irsa-operator.dev" is the prefix of irsa-operator itself',
  ],
  'no prefix': [['--webhook-annotation-prefix', ''], '--webhook-annotation-prefix: "" is not a DNS name such as eks.amazonaws.com'],
  'two audiences of the webhook, which has one': [
    ['--webhook-token-audience', 'a,b'],
    '--webhook-token-audience: "a,b" is not an audience. Wanted: 1 to 255 characters without blanks and commas',
  ],
  'a path that is not absolute': [
    ['--webhook-token-mount-path', 'var/run'],
    '--webhook-token-mount-path: "var/run" is not an absolute path without a slash at its end',
  ],
  'a path with a slash at its end': [
    ['--webhook-token-mount-path', '/var/run/'],
    '--webhook-token-mount-path: "/var/run/" is not an absolute path without a slash at its end',
  ],
  'a path that has to be followed first': [
    ['--webhook-token-mount-path', '/var/../run'],
    '--webhook-token-mount-path: "/var/../run" is not an absolute path without a slash at its end',
  ],
  'an issuer without TLS': [
    ['--oidc-issuer', 'http://x'],
    '--oidc-issuer: AWS cannot use the issuer "http://x": it does not begin with "https://"',
  ],
  'an issuer of the cluster alone': [
    ['--oidc-issuer', 'https://kubernetes.default.svc.cluster.local'],
    '--oidc-issuer: AWS cannot use the issuer "https://kubernetes.default.svc.cluster.local": names under ".local" are not public',
  ],
  'a port that is none': [['--metrics-listen', ':70000'], '--metrics-listen: ":70000" is not an address such as [::]:8080'],
  'a port for probes that is none': [['--health-listen', 'x'], '--health-listen: "x" is not an address such as [::]:8080'],
  'a detail that is none': [['--metrics-detail', 'all'], '--metrics-detail: "all" is none of problems, full'],
  'a level that is none': [['--log-level', 'loud'], '--log-level: "loud" is none of debug, info, warn, error'],
};
for (const [sentence, [args, problem]] of Object.entries(refused)) {
  test(`it refuses ${sentence}, and quotes it`, () => expect(configOf(args)).toEqual({ problem }));
}

test('an unknown flag is refused by its name', () => {
  expect(configOf(['--sweep'])).toEqual({ problem: expect.stringContaining("'--sweep'") });
});
