import { arnOf } from '../arn.ts';
import { alreadyExists, invalidInput, limitExceeded, noSuchEntity, notReached, validationError } from '../aws-error.ts';
import { accountOfCaller, type Call, type Operation } from '../operation.ts';
import { bounded, list, required, tagsOf } from '../params.ts';
import type { OidcProvider } from '../world.ts';
import { tagList } from './role-tags.ts';

/** Defaults of the quotas "OpenID Connect providers in an account" and "client IDs in a provider" (IAM user guide). */
const MAX_PROVIDERS = 100;
const MAX_CLIENT_IDS = 100;
const MAX_THUMBPRINTS = 5;

/** IAM fetches one itself when none is given; which one it is does not matter to anybody for an EKS issuer. */
const FETCHED_THUMBPRINT = '9e99a48a9960b14926bb7f3b02e22da2b0ab7280';

export const createProvider: Operation = (call) => {
  const account = accountOfCaller(call);
  const issuer = required(call.params, 'Url');
  const url = hostAndPath(issuer);
  const arn = arnOf(account, 'iam', `oidc-provider/${url}`);
  const clientIds = list(call.params, 'ClientIDList').map(clientId);
  const thumbprints = list(call.params, 'ThumbprintList');
  if (thumbprints.length > MAX_THUMBPRINTS) throw invalidInput('Thumbprint list must contain fewer than 5 entries.');
  if (clientIds.length > MAX_CLIENT_IDS) throw limitExceeded('ClientIdsPerOpenIdConnectProvider', MAX_CLIENT_IDS);
  if (account.providers.has(arn)) throw alreadyExists(`Provider with url ${issuer} already exists.`);
  if (thumbprints.length === 0 && isOutOfReach(url)) throw notReached(issuer);
  if (account.providers.size >= MAX_PROVIDERS) throw limitExceeded('OpenIdConnectProvidersPerAccount', MAX_PROVIDERS);
  const tags = tagsOf(call.params);
  account.providers.set(arn, {
    arn,
    url,
    clientIds: [...new Set(clientIds)],
    thumbprints: thumbprints.length > 0 ? thumbprints : [FETCHED_THUMBPRINT],
    created: call.at,
    tags,
  });
  return { OpenIDConnectProviderArn: arn, ...(tags.size === 0 ? {} : { Tags: tagList(tags) }) };
};

export const getProvider: Operation = (call) => {
  const provider = providerByArn(call);
  return {
    Url: provider.url,
    ClientIDList: provider.clientIds,
    ThumbprintList: provider.thumbprints,
    CreateDate: provider.created,
    Tags: tagList(provider.tags),
  };
};

/** All of them: this list has no pages. */
export const listProviders: Operation = (call) => ({
  OpenIDConnectProviderList: [...accountOfCaller(call).providers.keys()].map((Arn) => ({ Arn })),
});

/** "This operation is idempotent; it does not fail or return an error if you add an existing client ID" (IAM API reference). */
export const addClientId: Operation = (call) => {
  const provider = providerByArn(call);
  const id = clientId(required(call.params, 'ClientID'));
  if (provider.clientIds.includes(id)) return undefined;
  if (provider.clientIds.length >= MAX_CLIENT_IDS) throw limitExceeded('ClientIdsPerOpenIdConnectProvider', MAX_CLIENT_IDS);
  provider.clientIds.push(id);
  return undefined;
};

/** Idempotent too: no error for a provider that does not exist. Trust policies that name it stay as they are. */
export const deleteProvider: Operation = (call) => {
  accountOfCaller(call).providers.delete(required(call.params, 'OpenIDConnectProviderArn'));
  return undefined;
};

function providerByArn(call: Call): OidcProvider {
  const arn = required(call.params, 'OpenIDConnectProviderArn');
  const provider = accountOfCaller(call).providers.get(arn);
  if (provider === undefined) throw noSuchEntity(`OpenIDConnect Provider not found for arn ${arn}`);
  return provider;
}

/** The issuer as IAM keeps it, which takes no port; nothing but the scheme is taken off, so a trailing slash or another case makes another provider. */
export function hostAndPath(issuer: string): string {
  const url = /^https:\/\/([^\s?#:]+)$/.exec(issuer)?.[1];
  if (url === undefined) throw validationError('Invalid Open ID Connect Provider URL');
  return url;
}

/** Whether IAM could not fetch the certificate, which it does where no thumbprint is given: an address, a name without a domain, a name of a cluster. */
function isOutOfReach(url: string): boolean {
  const [host = ''] = url.split('/');
  return !host.includes('.') || /^[0-9.]+$/.test(host) || /\.(?:svc|local|internal)$/.test(host);
}

function clientId(id: string): string {
  return bounded(id, 'ClientIDList', { min: 1, max: 255 });
}
