import { AssumeRoleWithWebIdentityCommand, type STSClient, STSServiceException } from '@aws-sdk/client-sts';
import { type Api, ApiError } from '../api.ts';
import type { Injection, ProjectedToken } from './injection.ts';
import type { Pod } from './pod.ts';
import type { Outcome } from './status.ts';

/** The double answers in milliseconds, and the SDK retries what is worth it. */
const STS_DEADLINE_MS = 15_000;

/** aws-sdk-go v1, with which most controllers of the years of IRSA were built; its sentences are the ones that people search for. */
const NO_PROVIDERS =
  'NoCredentialProviders: no valid providers in chain. Deprecated.\n\tFor verbose messaging see aws.Config.CredentialsChainVerboseErrors';

/** Why a container's program would end, or nothing if it got its credentials. */
type Refusal = Pick<Extract<Outcome, { kind: 'crashed' | 'notMounted' }>, 'kind' | 'message'>;

/** Does what a program that needs AWS does first: it gets credentials, as it was told to by what was injected. */
export async function refusalOf(
  injection: Injection,
  pod: Pod,
  api: Api,
  sts: STSClient,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  switch (injection.kind) {
    case 'none':
      return { kind: 'crashed', message: NO_PROVIDERS };
    case 'fileMissing':
      return { kind: 'crashed', message: unreadable(injection.file) };
    case 'webIdentity': {
      const token = await requestToken(injection.token, pod, api, signal);
      return 'refused' in token
        ? { kind: 'notMounted', message: token.refused }
        : await assume(injection.roleArn, token.token, sts, signal);
    }
  }
}

/** As the kubelet does for a projected volume: the token is bound to the pod, and dies with it. */
async function requestToken(
  projected: ProjectedToken,
  pod: Pod,
  api: Api,
  signal: AbortSignal,
): Promise<{ token: string } | { refused: string }> {
  const { namespace, name, uid } = pod.metadata;
  const { volume, audience, expirationSeconds } = projected;
  const body = {
    spec: {
      audiences: audience === undefined ? [] : [audience],
      expirationSeconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
    },
  };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${pod.spec.serviceAccountName ?? 'default'}/token`;
  try {
    const { status } = await api.call<{ status: { token: string } }>('POST', path, { body, signal });
    return { token: status.token };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { refused: `MountVolume.SetUp failed for volume "${volume}" : failed to fetch token: ${error.message}` };
  }
}

async function assume(RoleArn: string, WebIdentityToken: string, sts: STSClient, signal: AbortSignal): Promise<Refusal | undefined> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(STS_DEADLINE_MS)]);
  const RoleSessionName = `${Date.now()}000000`; // nanoseconds, as aws-sdk-go does when it is not told a name
  try {
    await sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName, WebIdentityToken }), { abortSignal: deadline });
    return undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    return { kind: 'crashed', message: lastWords(error) };
  }
}

/** What the program writes before it ends: STS's code, sentence, status and request ID in the form of aws-sdk-go. */
export function lastWords(error: unknown): string {
  const cause =
    error instanceof STSServiceException
      ? `${codeOf(error)}: ${error.message}\n\tstatus code: ${error.$metadata.httpStatusCode}, request id: ${error.$metadata.requestId}`
      : `RequestError: send request failed\ncaused by: ${error instanceof Error ? error.message : String(error)}`;
  return `WebIdentityErr: failed to retrieve credentials\ncaused by: ${cause}`;
}

/** As it came from STS: the SDK for JavaScript calls some errors differently ("InvalidIdentityTokenException"). */
function codeOf(error: STSServiceException): string {
  return 'Code' in error && typeof error.Code === 'string' ? error.Code : error.name;
}

function unreadable(file: string): string {
  return `WebIdentityErr: failed fetching WebIdentity token: \ncaused by: WebIdentityErr: unable to read file at ${file}\ncaused by: open ${file}: no such file or directory`;
}
