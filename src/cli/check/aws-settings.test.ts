import { describe, expect, test } from 'vitest';
import type { Given } from '../command.ts';
import { awsSettings, type ExecPlugin } from './aws-settings.ts';

const updateKubeconfig: ExecPlugin = {
  args: ['--region', 'eu-west-1', 'eks', 'get-token', '--cluster-name', 'blue', '--output', 'json'],
  env: { AWS_PROFILE: 'prod' },
};
const ENTRY = 'arn:aws-cn:eks:cn-north-1:111122223333:cluster/blue';
const SERVER = 'https://0123456789ABCDEF0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com';

interface From {
  readonly given?: Given;
  readonly exec?: ExecPlugin;
  readonly env?: Readonly<Record<string, string>>;
  readonly server?: string;
  readonly entry?: string;
}
const of = ({ given = {}, exec, env = {}, server = 'https://10.0.0.1', entry = 'kind' }: From) => {
  const { region, profile, clusterName } = awsSettings(given, exec, env, server, entry);
  return [region, profile, clusterName];
};

const everything = {
  given: { region: 'af-south-1', profile: 'flag' },
  exec: updateKubeconfig,
  env: { AWS_REGION: 'ap-east-1', AWS_DEFAULT_REGION: 'ap-east-2', AWS_PROFILE: 'env' },
  server: SERVER,
  entry: ENTRY,
};
const rows: Record<string, [from: From, settings: readonly (string | undefined)[]]> = {
  'nothing is known': [{}, [undefined, undefined, undefined]],
  'the flags come first': [everything, ['af-south-1', 'flag', 'blue']],
  "then the kubeconfig's own command": [{ ...everything, given: {} }, ['eu-west-1', 'prod', 'blue']],
  'its flags may have an equals sign': [
    { exec: { args: ['--region=eu-west-1', 'eks', 'get-token', '--cluster-name=blue', '--profile=prod'], env: {} } },
    ['eu-west-1', 'prod', 'blue'],
  ],
  'a profile as an argument is above one in its environment': [
    { exec: { args: ['--profile', 'args'], env: { AWS_PROFILE: 'env' } } },
    [undefined, 'args', undefined],
  ],
  'its environment may have the region': [{ exec: { args: [], env: { AWS_REGION: 'eu-west-1' } } }, ['eu-west-1', undefined, undefined]],
  'aws-iam-authenticator names the cluster with -i': [{ exec: { args: ['token', '-i', 'blue'], env: {} } }, [undefined, undefined, 'blue']],
  'a flag without a value names nothing': [{ exec: { args: ['--cluster-name'], env: {} } }, [undefined, undefined, undefined]],
  'then the environment': [{ env: everything.env, server: SERVER, entry: ENTRY }, ['ap-east-1', 'env', 'blue']],
  'AWS_DEFAULT_REGION counts too': [{ env: { AWS_DEFAULT_REGION: 'ap-east-2' } }, ['ap-east-2', undefined, undefined]],
  'then the entry of the cluster': [{ server: SERVER, entry: ENTRY }, ['cn-north-1', undefined, 'blue']],
  'then the address of the API server': [{ server: SERVER }, ['us-east-1', undefined, undefined]],
  'then the address of the issuer': [
    { given: { issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF' } },
    ['eu-west-1', undefined, undefined],
  ],
  'what is empty is not set': [
    { given: { region: '', profile: '' }, env: { AWS_REGION: '', AWS_DEFAULT_REGION: 'ap-east-2', AWS_PROFILE: '' } },
    ['ap-east-2', undefined, undefined],
  ],
};

describe('region, profile and name of the cluster:', () => {
  for (const [sentence, [from, settings]] of Object.entries(rows)) test(sentence, () => expect(of(from)).toEqual(settings));
});
