import { Fault } from '../api/fault.ts';
import { object, text } from './objects.ts';
import type { Requests } from './transport.ts';

const PATH = '/.well-known/openid-configuration';

/** What the API server calls itself in the tokens that it signs, unchecked. */
export async function readIssuer(transport: Requests, signal: AbortSignal): Promise<string> {
  const issuer = text(object(await transport.request({ method: 'GET', path: PATH }, signal))['issuer']);
  if (issuer === undefined) throw new Fault('invalid', `the API server's ${PATH} names no issuer`);
  return issuer;
}
