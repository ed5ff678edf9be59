import type { Given } from '../command.ts';

/** How the kubeconfig gets its tokens: the command of `aws eks update-kubeconfig`, or another one. */
export interface ExecPlugin {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface AwsSettings {
  readonly region: string | undefined;
  readonly profile: string | undefined;
  /** As EKS has it. */
  readonly clusterName: string | undefined;
}

/**
 * Profile, region and name of the cluster, as a person means them: what the flags say, else what the kubeconfig's own command says
 * (`update-kubeconfig` puts `AWS_PROFILE` there), else the environment, else the address of the API server or of the issuer. `AWS_DEFAULT_REGION` counts for
 * every AWS tool but the SDK.
 */
export function awsSettings(
  given: Given,
  exec: ExecPlugin | undefined,
  env: Readonly<Record<string, string | undefined>>,
  server: string,
  clusterEntry: string,
): AwsSettings {
  const flag = (name: string) => (typeof given[name] === 'string' ? given[name] : undefined);
  const after = (word: string) => {
    const args = exec?.args ?? [];
    const at = args.indexOf(word);
    return at < 0 ? args.find((arg) => arg.startsWith(`${word}=`))?.slice(word.length + 1) : args[at + 1];
  };
  // `arn:aws:eks:REGION:ACCOUNT:cluster/NAME`, as update-kubeconfig names the entry.
  const [, arnRegion, arnName] = /^arn:[a-z-]+:eks:([a-z0-9-]+):\d{12}:cluster\/(.+)$/.exec(clusterEntry) ?? [];
  const [, serverRegion] = /\.([a-z0-9-]+)\.eks\.amazonaws\.com/.exec(server) ?? [];
  const [, issuerRegion] = /^https:\/\/oidc[.-]eks\.([a-z0-9-]+)\./.exec(flag('issuer') ?? '') ?? [];
  // An empty variable is none to AWS tools, and as a flag none of a shell.
  return {
    region:
      flag('region') ||
      after('--region') ||
      exec?.env['AWS_REGION'] ||
      env['AWS_REGION'] ||
      env['AWS_DEFAULT_REGION'] ||
      arnRegion ||
      serverRegion ||
      issuerRegion,
    profile: flag('profile') || after('--profile') || exec?.env['AWS_PROFILE'] || env['AWS_PROFILE'] || undefined,
    clusterName: after('--cluster-name') || after('-i') || arnName,
  };
}
