import { Fault, isFault } from '../api/fault.ts';
import { object, text } from './objects.ts';
import type { Requests } from './transport.ts';

const PATH = '/.well-known/openid-configuration';

/** What the API server calls itself in the tokens that it signs, unchecked. */
export async function readIssuer(transport: Requests, signal: AbortSignal): Promise<string> {
  const document = await transport.request({ method: 'GET', path: PATH }, signal).catch((error: unknown) => {
    // kube-apiserver serves none for an issuer that is no https URL, such as the old `kubernetes/serviceaccount`.
    if (!isFault(error, 'notFound')) throw error;
    const why = 'its --service-account-issuer may not be an https URL';
    throw new Fault('notFound', `the API server has no ${PATH}: ${why}. Set --oidc-issuer if the keys are published`, { cause: error });
  });
  const issuer = text(object(document)['issuer']);
  if (issuer === undefined) throw new Fault('invalid', `the API server's ${PATH} names no issuer`);
  return issuer;
}
