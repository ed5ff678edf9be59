import {
  CreateOpenIDConnectProviderCommand,
  GetOpenIDConnectProviderCommand,
  type IAMClient,
  ListOpenIDConnectProvidersCommand,
} from '@aws-sdk/client-iam';
import { isFault } from '../api/fault.ts';
import type { OidcProviders } from '../ports/oidc-providers.ts';
import type { IamCalls } from './iam-calls.ts';

/** The OIDC providers of the account that our credentials reach; `writing` is the client that writes go through. Throws `Fault` and nothing else. */
export function iamProviders(iam: IAMClient, calls: IamCalls, writing = iam): OidcProviders {
  return {
    async clientIds(arn, signal, urgency) {
      try {
        const provider = await calls.read({ operation: 'GetOpenIDConnectProvider', of: `provider "${arn}"`, signal, urgency }, (options) =>
          iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }), options),
        );
        return provider.ClientIDList ?? [];
      } catch (error) {
        if (isFault(error, 'notFound')) return undefined;
        throw error;
      }
    },
    async list(signal, urgency) {
      const { OpenIDConnectProviderList } = await calls.read(
        { operation: 'ListOpenIDConnectProviders', of: 'the account', signal, urgency },
        (options) => iam.send(new ListOpenIDConnectProvidersCommand({}), options),
      );
      return (OpenIDConnectProviderList ?? []).flatMap(({ Arn }) => Arn ?? []);
    },
    async create(issuer, audiences, signal, urgency) {
      // Without a thumbprint IAM finds out by itself, and trusts the host's public CA (API reference, CreateOpenIDConnectProvider).
      const command = new CreateOpenIDConnectProviderCommand({ Url: issuer, ClientIDList: [...audiences] });
      await calls.write({ operation: 'CreateOpenIDConnectProvider', of: `the provider for "${issuer}"`, signal, urgency }, (write) =>
        write((options) => writing.send(command, options)),
      );
    },
  };
}
