import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EKSClient } from '@aws-sdk/client-eks';
import { IAMClient } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';
import { type AwsDouble, startAwsDouble } from '@irsa-operator/testbed/aws';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ProviderArn, RoleArn } from '../api/arn.ts';
import { Fault } from '../api/fault.ts';
import type { Issuer } from '../api/issuer.ts';
import { systemClock } from '../runtime/clock.ts';
import { Limiter } from '../runtime/limiter.ts';
import { awsCalls } from './calls.ts';
import { eksIssuer } from './clusters.ts';
import { type IamCalls, iamCalls } from './iam-calls.ts';
import { callerIdentity } from './identity.ts';
import { iamProviders } from './providers.ts';
import { iamRoles, LARGEST_PAGE } from './roles.ts';

/** The adapters with the unmodified SDK against the AWS double, which answers as AWS does. */
const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
const POLICY = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' },
};
const never = new AbortController().signal;
const arn = (name: string) => `arn:aws:iam::111122223333:role/${name}` as RoleArn;

let aws: AwsDouble;
let iam: IAMClient;
let sts: STSClient;
let eks: EKSClient;
const counted: string[] = [];
const call = awsCalls({ requested: (service, operation, code) => counted.push(`${service} ${operation} ${code}`) }, systemClock);
let fences = 0;
let mayWrite = true;
const fence = () => {
  fences += 1;
  if (!mayWrite) throw new Fault('transient', 'not the leader');
};

const limiter = () => new Limiter({ perSecond: 1_000, clock: systemClock, waited: () => {} });
const calls = iamCalls({ call, reads: limiter(), writes: limiter(), fence, clock: systemClock, random: () => 0 });

beforeAll(async () => {
  aws = await startAwsDouble();
  const env = aws.env({ roleName: 'irsa-operator' });
  const common = {
    endpoint: aws.endpoint,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: {
      accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
      sessionToken: env['AWS_SESSION_TOKEN'] ?? '',
    },
  };
  [iam, sts, eks] = [new IAMClient(common), new STSClient(common), new EKSClient(common)];
  aws.account().role.put({ name: 'lbc', path: '/team/', trustPolicy: POLICY, tags: { owner: 'platform' } });
});

afterAll(async () => {
  for (const client of [iam, sts, eks]) client.destroy();
  await aws.stop();
});

const roles = () => iamRoles(iam, calls);

test('a role is read and written for whom it is said to be', async () => {
  const asked: (string | string[])[] = [];
  const noted: IamCalls = {
    read: (request, sender) => {
      asked.push(request.operation, [...(request.tenants ?? [])]);
      return calls.read(request, sender);
    },
    write: (request, act) => {
      asked.push(request.operation, [...(request.tenants ?? [])]);
      return calls.write(request, act);
    },
  };
  const tenantsOf = (role: RoleArn) => [`those of ${role.split('/').at(-1)}`];
  await iamRoles(iam, noted, { tenantsOf }).edit(arn('team/lbc'), async () => undefined, never, 'drift');
  expect(asked).toEqual(['UpdateAssumeRolePolicy', ['those of lbc'], 'GetRole', ['those of lbc']]);
});

test('a role is read with its real ARN, its unique ID, its decoded policy and its tags', async () => {
  const role = await roles().read(arn('team/lbc'), never, 'drift');
  expect({ ...role, policy: JSON.parse(role.policy) }).toEqual({
    arn: 'arn:aws:iam::111122223333:role/team/lbc',
    roleId: expect.stringMatching(/^AROA/),
    policy: POLICY,
    tags: new Map([['owner', 'platform']]),
  });
});

test('GetRole ignores the path: the ARN in the answer is the only proof of which role it is', async () => {
  expect((await roles().read(arn('lbc'), never, 'drift')).arn).toBe('arn:aws:iam::111122223333:role/team/lbc');
});

test('a role that is not there is a fault that says what was asked', async () => {
  const error = await roles()
    .read(arn('nobody'), never, 'drift')
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Fault);
  const { kind, code, message } = error as Fault;
  expect({ kind, code, message }).toEqual({
    kind: 'notFound',
    code: 'NoSuchEntity',
    message: expect.stringMatching(/^iam:GetRole of role "arn:aws:iam::111122223333:role\/nobody": NoSuchEntity: /),
  });
  expect(counted.at(-1)).toBe('iam GetRole NoSuchEntity');
});

test('an edit that decides for nothing writes nothing, and asks no fence', async () => {
  const before = fences;
  expect((await roles().edit(arn('team/lbc'), async () => undefined, never, 'drift')).written).toBeUndefined();
  expect(fences).toBe(before);
  expect(aws.journal.at(-1)?.operation).toBe('GetRole');
});

// Contract: trust-read-before-write
test('an edit reads right before it writes, and sends the very text', async () => {
  const text = JSON.stringify({ ...POLICY, Statement: [POLICY.Statement] });
  expect((await roles().edit(arn('team/lbc'), async () => text, never, 'drift')).written).toBe(text);
  expect(aws.journal.slice(-2).map(({ operation }) => operation)).toEqual(['GetRole', 'UpdateAssumeRolePolicy']);
  expect(aws.journal.at(-1)?.params['PolicyDocument']).toBe(text);
});

test('without the lease nothing is sent', async () => {
  mayWrite = false;
  const calls = aws.journal.length;
  await expect(roles().edit(arn('team/lbc'), async () => '{}', never, 'drift')).rejects.toThrow('not the leader');
  expect(aws.journal.slice(calls).map(({ operation }) => operation)).toEqual(['GetRole']);
  mayWrite = true;
});

test('what IAM rejects is an invalid fault with its own sentence', async () => {
  await expect(roles().edit(arn('team/lbc'), async () => '{}', never, 'drift')).rejects.toMatchObject({
    kind: 'invalid',
    code: 'MalformedPolicyDocument',
  });
});

test('every role is listed, however many pages it takes', async () => {
  const names = Array.from({ length: 450 }, (_, index) => `listed-${index}`);
  for (const name of names) aws.account().role.put({ name, trustPolicy: POLICY });
  const calls = aws.journal.length;
  const found: string[] = [];
  for await (const page of roles().list(never, 'drift')) found.push(...page.map(({ arn: listed }) => listed));
  expect(found.filter((each) => each.includes('/listed-')).length).toBe(450);
  expect(new Set(found).size).toBe(found.length);
  expect(aws.journal.slice(calls).filter(({ operation }) => operation === 'ListRoles').length).toBeGreaterThanOrEqual(3);
});

test('a command lists as many roles a call as IAM gives', async () => {
  for await (const _ of iamRoles(iam, calls, { pageSize: LARGEST_PAGE }).list(never, 'drift'));
  expect(aws.journal.at(-1)).toMatchObject({ operation: 'ListRoles', params: { MaxItems: '1000' } });
});

// Contract: trust-quota
test('the quota is what the account says', async () => {
  aws.account().setQuota(4096);
  expect(await roles().policyQuota(never, 'drift')).toBe(4096);
});

test('a provider has its client IDs; one that is not there is undefined; all are listed', async () => {
  const provider = aws.account().provider.put({ issuer: ISSUER, clientIds: ['sts.amazonaws.com', 'other'] }).arn as ProviderArn;
  const providers = iamProviders(iam, calls);
  expect([...((await providers.clientIds(provider, never, 'drift')) ?? [])].sort()).toEqual(['other', 'sts.amazonaws.com']);
  expect(await providers.clientIds(`${provider}0` as ProviderArn, never, 'drift')).toBeUndefined();
  expect(await providers.list(never, 'drift')).toEqual([provider]);
});

test('a provider is made for exactly this issuer, with these client IDs; another one for it is a conflict', async () => {
  const issuer = `${ISSUER.slice(0, -1)}E` as Issuer;
  const made = `arn:aws:iam::111122223333:oidc-provider/${issuer.slice('https://'.length)}` as ProviderArn;
  const providers = iamProviders(iam, calls);
  await providers.create(issuer, ['sts.amazonaws.com'], never, 'drift');
  expect(await providers.clientIds(made, never, 'drift')).toEqual(['sts.amazonaws.com']);
  await expect(providers.create(issuer, ['other'], never, 'drift')).rejects.toMatchObject({
    kind: 'conflict',
    code: 'EntityAlreadyExists',
  });
  expect(await providers.clientIds(made, never, 'drift')).toEqual(['sts.amazonaws.com']);
});

test('without the lease no provider is made', async () => {
  mayWrite = false;
  const before = aws.journal.length;
  const issuer = `${ISSUER.slice(0, -1)}D` as Issuer;
  await expect(iamProviders(iam, calls).create(issuer, ['sts.amazonaws.com'], never, 'drift')).rejects.toThrow('not the leader');
  expect(aws.journal.length).toBe(before);
  mayWrite = true;
});

// Contract: api-own-role
test('we know our account, and our own roles by name: also each one on the way', async () => {
  const known = { kind: 'known', account: '111122223333', arn: 'arn:aws:sts::111122223333:assumed-role/irsa-operator/session' };
  const own = { account: '111122223333', name: 'irsa-operator' };
  const asked = (webIdentityRole?: string, profile?: string) => callerIdentity(sts, call, { webIdentityRole, profile }, never);
  for (const none of [undefined, '', 'no ARN']) expect(await asked(none)).toEqual({ ...known, ownRoles: [own] });
  const hop = { account: '999922223333', name: 'hop' };
  expect(await asked('arn:aws:iam::999922223333:role/ops/hop')).toEqual({ ...known, ownRoles: [own, hop] });
  const folder = mkdtempSync(join(tmpdir(), 'identity-'));
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  const through = (name: string, source: string) =>
    `[profile ${name}]\nrole_arn = arn:aws:iam::999922223333:role/ops/${name}\nsource_profile = ${source}\n`;
  const last = '[profile last]\nrole_arn = arn:aws:iam::111122223333:role/irsa-operator\nsource_profile = between\n';
  writeFileSync(join(folder, 'config'), `${last}${through('between', 'hop')}${through('hop', 'keys')}`);
  expect(await asked(undefined, 'last')).toEqual({ ...known, ownRoles: [own, { account: '999922223333', name: 'between' }, hop] });
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test('EKS tells the issuer of a cluster, and a cluster that is not there is not found', async () => {
  aws.cluster({ name: 'blue', issuer: ISSUER });
  expect(await eksIssuer(eks, call, 'blue', never)).toBe(ISSUER);
  await expect(eksIssuer(eks, call, 'green', never)).rejects.toMatchObject({ kind: 'notFound' });
});

test('an AWS that cannot be reached is a transient fault with the reason of the network', async () => {
  const nowhere = new IAMClient({
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const error = await iamRoles(nowhere, calls)
    .read(arn('x'), never, 'drift')
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ kind: 'transient', code: 'ECONNREFUSED' });
  nowhere.destroy();
});
