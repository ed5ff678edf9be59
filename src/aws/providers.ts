import { GetOpenIDConnectProviderCommand, type IAMClient, ListOpenIDConnectProvidersCommand } from '@aws-sdk/client-iam';
import { isFault } from '../api/fault.ts';
import type { Providers } from '../controllers/provider/ports.ts';
import type { AwsCalls } from './calls.ts';

/** The OIDC providers of the account that our credentials reach. Throws `Fault` and nothing else. */
export function iamProviders(iam: IAMClient, call: AwsCalls): Providers {
  return {
    async clientIds(arn, signal) {
      try {
        const provider = await call({
          service: 'iam',
          operation: 'GetOpenIDConnectProvider',
          of: `provider "${arn}"`,
          signal,
          send: (options) => iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }), options),
        });
        return provider.ClientIDList ?? [];
      } catch (error) {
        if (isFault(error, 'notFound')) return undefined;
        throw error;
      }
    },
    async list(signal) {
      const { OpenIDConnectProviderList } = await call({
        service: 'iam',
        operation: 'ListOpenIDConnectProviders',
        of: 'the account',
        signal,
        send: (options) => iam.send(new ListOpenIDConnectProvidersCommand({}), options),
      });
      return (OpenIDConnectProviderList ?? []).flatMap(({ Arn }) => Arn ?? []);
    },
  };
}
