import type { Container, PodSpec } from './pod.ts';

/** What a container was given to get AWS credentials with. */
export type Injection =
  | { kind: 'none' }
  | { kind: 'webIdentity'; roleArn: string; token: ProjectedToken }
  /** The environment names a file that no projected token puts there. */
  | { kind: 'fileMissing'; file: string };

export interface ProjectedToken {
  volume: string;
  /** Absent: a token for the API server. */
  audience: string | undefined;
  expirationSeconds: number;
}

/** What Kubernetes takes when the volume does not say. */
const DEFAULT_EXPIRATION_SECONDS = 3600;

/** As the AWS SDKs: both variables, or nothing. */
export function injectionOf(container: Container, { volumes = [] }: PodSpec): Injection {
  const roleArn = variableOf('AWS_ROLE_ARN', container);
  const file = variableOf('AWS_WEB_IDENTITY_TOKEN_FILE', container);
  if (roleArn === undefined || file === undefined) return { kind: 'none' };

  const mount = container.volumeMounts?.find(({ mountPath }) => file.startsWith(`${mountPath}/`));
  const volume = volumes.find(({ name }) => name === mount?.name);
  const path = file.slice((mount?.mountPath.length ?? 0) + 1);
  const source = volume?.projected?.sources?.find(({ serviceAccountToken }) => serviceAccountToken?.path === path)?.serviceAccountToken;
  if (volume === undefined || source === undefined) return { kind: 'fileMissing', file };
  const { audience, expirationSeconds = DEFAULT_EXPIRATION_SECONDS } = source;
  return { kind: 'webIdentity', roleArn, token: { volume: volume.name, audience, expirationSeconds } };
}

function variableOf(variable: string, { env = [] }: Container): string | undefined {
  return env.find(({ name }) => name === variable)?.value || undefined; // empty counts as unset, as in the SDKs
}
