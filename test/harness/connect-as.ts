import { readFileSync, writeFileSync } from 'node:fs';
import { type Api, connect, type Testbed, tokenFileOf } from '@irsa-operator/testbed';

/** With the rights of a ServiceAccount, for as long as its token lives. */
export async function connectAs(testbed: Testbed, serviceAccount: { readonly namespace: string; readonly name: string }): Promise<Api> {
  const path = await testbed.kubeconfigFor(serviceAccount);
  // `connect` reads no token from a file.
  const config = JSON.parse(readFileSync(path, 'utf8')) as { users: [{ user: object }] };
  config.users[0].user = { token: readFileSync(tokenFileOf(path), 'utf8') };
  writeFileSync(`${path}.token`, JSON.stringify(config), { mode: 0o600 });
  return connect(`${path}.token`);
}
