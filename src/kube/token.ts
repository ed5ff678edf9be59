import type { ObjectName } from '../api/cluster.ts';
import { Fault } from '../api/fault.ts';
import { object, text } from './objects.ts';
import { objectPath } from './paths.ts';
import { SERVICE_ACCOUNT } from './resource-types.ts';
import type { Requests } from './transport.ts';

/** The shortest that the API server grants, and the longest that config/verification lets us ask for. */
const TOKEN_SECONDS = 600;

/** A token of a ServiceAccount, as the kubelet gets one for a pod. Whoever asks must not keep it. Throws `Fault`, which never quotes it. */
export async function requestToken(requests: Requests, of: ObjectName, audience: string, signal: AbortSignal): Promise<string> {
  const path = objectPath(SERVICE_ACCOUNT, of, 'token');
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: [audience], expirationSeconds: TOKEN_SECONDS },
  };
  const token = text(object(object(await requests.request({ method: 'POST', path, body }, signal))['status'])['token']);
  if (token === undefined) throw new Fault('transient', `the API server answered to POST ${path} without a token`);
  return token;
}
