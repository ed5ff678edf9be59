import { compactVerify, createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload } from 'jose';
import { AwsError } from '../aws-error.ts';
import type { Account, KeySet, OidcProvider, World } from '../world.ts';

/** What a token proves once it was verified. */
export interface WebIdentity {
  readonly provider: OidcProvider;
  readonly subject: string;
  /** The one of the token's audiences that is a client ID of the provider. */
  readonly audience: string;
}

/** Signature algorithms that IAM takes of an OIDC provider (IAM user guide, "Create an OpenID Connect identity provider"). */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];

/**
 * Verifies a web identity token for a role of `account`. Throws InvalidIdentityToken, IDPCommunicationError or ExpiredTokenException.
 *
 * Assumed order when several of them apply: claims that must be there, provider, audience, signature, expiry. That the claims come before
 * the provider is seen from old service account tokens, which have neither `aud` nor a registered issuer and get "Missing a required claim:
 * aud" (aws-sdk-ruby#2698). The rest is the order in which each step can be done.
 */
export async function verifyToken(world: World, account: Account | undefined, token: string, at: Date): Promise<WebIdentity> {
  const { issuer, subject, audiences, expires } = readClaims(token);
  const provider = providerOf(account, issuer);
  const audience = audiences.find((one) => provider.clientIds.includes(one));
  if (audience === undefined) throw invalidToken('Incorrect token audience');
  await verifySignature(token, await fetchKeys(world, issuer));
  const now = Math.floor(at.getTime() / 1_000);
  if (now >= expires)
    throw new AwsError(
      'ExpiredTokenException',
      400,
      `Token expired: current date/time ${now} must be before the expiration date/time ${expires}`,
    );
  return { provider, subject, audience };
}

const invalidToken = (message: string): AwsError => new AwsError('InvalidIdentityToken', 400, message);

function readClaims(token: string): { issuer: string; subject: string; audiences: string[]; expires: number } {
  let claims: JWTPayload;
  try {
    claims = decodeJwt(token);
  } catch {
    throw invalidToken('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)');
  }
  const { iss, sub, aud, exp } = claims;
  const missing = (claim: string): AwsError => invalidToken(`Missing a required claim: ${claim}`);
  if (iss === undefined) throw missing('iss');
  if (aud === undefined) throw missing('aud');
  if (sub === undefined) throw missing('sub');
  if (exp === undefined) throw missing('exp');
  return { issuer: iss, subject: sub, audiences: typeof aud === 'string' ? [aud] : aud, expires: exp };
}

/** The provider must stand in the account of the role, whatever account the cluster is in, and for exactly this issuer. */
function providerOf(account: Account | undefined, issuer: string): OidcProvider {
  const provider = [...(account?.providers.values() ?? [])].find(({ url }) => `https://${url}` === issuer);
  if (provider === undefined) throw invalidToken(`No OpenIDConnect provider found in your account for ${issuer}`);
  return provider;
}

/** The two blanks are in the real sentence. */
const NO_KEY =
  "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";

async function fetchKeys(world: World, issuer: string): Promise<KeySet> {
  const keys = world.issuers.get(issuer);
  if (keys === undefined) throw invalidToken(NO_KEY);
  try {
    return await keys();
  } catch {
    throw new AwsError('IDPCommunicationError', 400, 'An error occurred while communicating with the identity provider');
  }
}

async function verifySignature(token: string, keys: KeySet): Promise<void> {
  try {
    await compactVerify(token, createLocalJWKSet(keys as JSONWebKeySet), { algorithms: ALGORITHMS });
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) throw invalidToken(NO_KEY);
    throw invalidToken('The web identity token provided could not be validated');
  }
}
