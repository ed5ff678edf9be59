import { expect, test } from 'vitest';
import type { Container } from '../api/cluster.ts';
import { EKS_WEBHOOK } from '../api/webhook.ts';
import { containersOf, tokenOf } from './containers.ts';

const ROLE = 'arn:aws:iam::111122223333:role/app';
const PATH = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const TOKEN = `${PATH}/token`;
const token = (path: string, audience?: string) => ({ serviceAccountToken: { path, ...(audience === undefined ? {} : { audience }) } });
const volume = (name: string, ...sources: object[]) => ({ name, projected: { sources } });
const mount = (name: string, mountPath: string, part: object = {}) => ({ name, mountPath, ...part });
const file = (value: string) => [{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value }];
const kops = volume('token-amazonaws-com', token('token', 'amazonaws.com'));

interface Case {
  readonly env?: readonly object[];
  readonly volumeMounts?: readonly object[];
  readonly volumes?: readonly object[];
}
function decoded({ volumes = [], ...container }: Case): Container | undefined {
  return containersOf(JSON.parse(JSON.stringify({ containers: [{ name: 'app', ...container }], volumes })), EKS_WEBHOOK)[0];
}

const environments: Record<string, { env: readonly object[]; wanted: Container['env'] }> = {
  'role and token file with their values': {
    env: [{ name: 'AWS_ROLE_ARN', value: ROLE }, ...file('/token')],
    wanted: { AWS_ROLE_ARN: ROLE, AWS_WEB_IDENTITY_TOKEN_FILE: '/token' },
  },
  'of access keys and a region the names': {
    env: [
      { name: 'AWS_ACCESS_KEY_ID', value: 'key' },
      { name: 'AWS_SECRET_ACCESS_KEY', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
      { name: 'AWS_REGION', value: 'eu-west-1' },
    ],
    wanted: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_REGION: undefined },
  },
  'that a variable is empty, written or left out': {
    env: [{ name: 'AWS_PROFILE', value: '' }, { name: 'AWS_ROLE_ARN' }],
    wanted: { AWS_PROFILE: '', AWS_ROLE_ARN: '' },
  },
  'the last one of two with the same name': {
    env: [
      { name: 'AWS_ROLE_ARN', value: 'first' },
      { name: 'AWS_PROFILE', value: 'x' },
      { name: 'AWS_ROLE_ARN', value: ROLE },
      { name: 'AWS_PROFILE', value: '' },
    ],
    wanted: { AWS_ROLE_ARN: ROLE, AWS_PROFILE: '' },
  },
  'of a role from another object the name': {
    env: [{ name: 'AWS_ROLE_ARN', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }],
    wanted: { AWS_ROLE_ARN: undefined },
  },
  'nothing that is not of AWS': { env: [{ name: 'HOME', value: '/' }, { name: 'MY_AWS_ROLE', value: 'x' }, { value: 'x' }], wanted: {} },
};
// Contract: pods-static-source
test('of a variable that a Secret has a container keeps the names of the Secret and of its key', () => {
  const secret = (name: string, ref: object) => ({ name, valueFrom: { secretKeyRef: ref } });
  const env = [
    secret('AWS_ACCESS_KEY_ID', { name: 'aws', key: 'id' }),
    secret('AWS_ROLE_ARN', { name: 'aws', key: 'role' }),
    secret('MY_PASSWORD', { name: 'db', key: 'password' }),
    secret('AWS_SESSION_TOKEN', { name: 'aws' }),
    secret('AWS_PROFILE', { name: 'aws', key: 'profile' }),
    { name: 'AWS_PROFILE', value: 'other' },
  ];
  expect(decoded({ env })?.secrets).toEqual({ AWS_ACCESS_KEY_ID: 'aws/id' });
});

for (const [sentence, { env, wanted }] of Object.entries(environments))
  test(`a container keeps ${sentence}`, () => expect(decoded({ env })).toEqual({ name: 'app', env: wanted, mountsToken: false }));

test('no value of a credential is kept anywhere', () => {
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN'];
  const env = names.map((name) => ({ name, value: 'very secret' }));
  expect(JSON.stringify(Object.entries(decoded({ env })?.env ?? {}))).not.toContain('very secret');
});

const mounts: Record<string, Case & { wanted: Partial<Container> }> = {
  'the mount of the webhook': {
    volumeMounts: [mount('data', '/data'), mount('aws-iam-token', PATH)],
    env: file(TOKEN),
    wanted: { mountsToken: true },
  },
  'nothing of other mounts': {
    volumeMounts: [mount('data', '/data'), mount('api', '/var/run/secrets')],
    wanted: { mountsToken: false },
  },
  'where the volume of the webhook is mounted instead': {
    volumeMounts: [mount('aws-iam-token', '/tokens/')],
    wanted: { mountsToken: false, own: { tokenMount: '/tokens' } },
  },
  'that it is mounted twice, once where the webhook mounts it': {
    volumeMounts: [mount('aws-iam-token', '/tokens'), mount('aws-iam-token', PATH)],
    wanted: { mountsToken: true },
  },
  'what else is mounted on the path of the webhook': {
    volumeMounts: [mount('data', PATH)],
    wanted: { mountsToken: false, own: { onWebhookPath: 'data' } },
  },
  'not what is mounted there in another spelling, which the API server takes': {
    volumeMounts: [mount('data', `${PATH}/`)],
    wanted: { mountsToken: false },
  },
  'the audience of a token of its own': {
    env: file('/var/run/secrets/amazonaws.com/token'),
    volumeMounts: [mount('token-amazonaws-com', '/var/run/secrets/amazonaws.com/')],
    volumes: [kops],
    wanted: { mountsToken: false, own: { tokenFile: { audience: 'amazonaws.com' } } },
  },
  'the audience of the token of the API server': {
    env: file('/var/run/secrets/kubernetes.io/serviceaccount/token'),
    volumeMounts: [mount('kube-api-access', '/var/run/secrets/kubernetes.io/serviceaccount')],
    volumes: [volume('kube-api-access', token('token'), { configMap: { name: 'kube-root-ca.crt' } })],
    wanted: { mountsToken: false, own: { tokenFile: { audience: '' } } },
  },
  'the audience of a token that is mounted as a single file': {
    env: file('/token'),
    volumeMounts: [mount('token-amazonaws-com', '/token', { subPath: 'token' })],
    volumes: [kops],
    wanted: { mountsToken: false, own: { tokenFile: { audience: 'amazonaws.com' } } },
  },
  'the innermost of two mounts': {
    env: file('/a/b/token'),
    volumeMounts: [mount('inner', '/a/b'), mount('outer', '/a')],
    volumes: [volume('outer', token('b/token', 'outer')), volume('inner', token('token', 'inner'))],
    wanted: { mountsToken: false, own: { tokenFile: { audience: 'inner' } } },
  },
  'that a volume may have the file, where nobody can say': {
    env: file('/spiffe/token'),
    volumeMounts: [mount('spiffe', '/spiffe')],
    volumes: [{ name: 'spiffe', csi: {} }],
    wanted: { mountsToken: false, own: { tokenFile: { audience: undefined } } },
  },
  'nothing where a volume of tokens does not have the file': {
    env: file('/var/run/secrets/amazonaws.com/aws-token'),
    volumeMounts: [mount('token-amazonaws-com', '/var/run/secrets/amazonaws.com')],
    volumes: [kops],
    wanted: { mountsToken: false },
  },
  'nothing where a mount only begins like the path': {
    env: file('/tokens/token'),
    volumeMounts: [mount('data', '/tok')],
    wanted: { mountsToken: false },
  },
  'a token of its own on the path of the webhook': {
    env: file(TOKEN),
    volumeMounts: [mount('mine', PATH)],
    volumes: [volume('mine', token('token', 'sts.amazonaws.com'))],
    wanted: { mountsToken: false, own: { onWebhookPath: 'mine', tokenFile: { audience: 'sts.amazonaws.com' } } },
  },
  'a token of its own on Windows': {
    env: file('C:\\mine\\token'),
    volumeMounts: [mount('mine', 'C:\\mine')],
    volumes: [volume('mine', token('token', 'x'))],
    wanted: { mountsToken: false, own: { tokenFile: { audience: 'x' } } },
  },
  'on Windows the mount of the webhook': {
    env: file('C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token'),
    volumeMounts: [mount('aws-iam-token', PATH)],
    wanted: { mountsToken: true },
  },
};
for (const [sentence, { wanted, ...container }] of Object.entries(mounts))
  test(`of the mounts it keeps ${sentence}`, () => {
    const { env: _, ...kept } = decoded(container) ?? {};
    expect(kept).toEqual({ name: 'app', ...wanted });
  });

test('init containers come first, and ephemeral ones are not looked at: the webhook never touches them', () => {
  const spec = { containers: [{ name: 'app' }], initContainers: [{ name: 'init' }], ephemeralContainers: [{ name: 'debug' }] };
  expect(containersOf(spec, EKS_WEBHOOK).map(({ name }) => name)).toEqual(['init', 'app']);
});

test('the token of the webhook is the file of its name: another file in a volume of that name is none', () => {
  const audience = (...sources: object[]) =>
    tokenOf(JSON.parse(JSON.stringify({ volumes: [volume('aws-iam-token', ...sources)] }))).tokenAudience;
  expect([audience(token('other', 'x')), audience(token('other', 'x'), token('token', 'y'))]).toEqual([undefined, 'y']);
});
