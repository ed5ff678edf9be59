import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { pythonPackages } from '@irsa-operator/testbed/python';
import { describe, expect, test } from 'vitest';
import { NO_CREDENTIALS, NOT_AUTHORIZED } from '../harness/article.ts';
import { type Ended, runCommand } from '../harness/command.ts';
import { FOREIGN } from '../harness/policies.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';
import { ACCOUNT, ROLE_ARN } from '../harness/views.ts';

/** The pages in the terminal, and what is behind real words of real SDKs. The bundle has neither a kubeconfig nor credentials. */
const suite = integrationSuite({ flags: [...SWEEP] });

const explain = (args: readonly string[], input?: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runCommand(suite.testbed.aws, ['explain', ...args], { credentials: env, ...(input !== undefined && { input }) });

interface Explained {
  readonly lines: number;
  readonly sentences: readonly {
    readonly text: string;
    readonly times: number;
    readonly candidates: readonly { readonly code: string }[];
  }[];
}
async function behind(log: string): Promise<Explained> {
  const { code, stdout, stderr } = await explain(['--from-log', '-', '-o', 'json'], log);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}
const textsOf = ({ sentences }: Explained) => sentences.map(({ text }) => text);
const codesOf = ({ sentences }: Explained) => sentences.flatMap(({ candidates }) => candidates.map(({ code }) => code));

// Contract: explain-pages
test('the page of a finding is in the program itself, whatever is written of its code', async () => {
  const { code, stdout } = await explain(['trustsubjectwhitespace']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^TrustSubjectWhitespace\n\nWhat you see\n/);
  expect(await explain(['TrustSubjectWhitespac'])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('Is TrustSubjectWhitespace meant?'),
  });
});

describe('what is behind the words of', () => {
  test('a pod whose ServiceAccount the role does not trust', async () => {
    const s = await suite.scene('denied');
    s.role(FOREIGN);
    await s.serviceAccount({ [ROLE_ARN]: s.roleArn });
    await s.deployment();
    const said = await s.refused();
    expect(said).toMatch(NOT_AUTHORIZED);
    expect(codesOf(await behind(said))).toEqual(expect.arrayContaining(['TrustNoWebIdentityStatement', 'RoleNotFound']));

    // The last line of check says which page explains it.
    const { aws, kubeconfig } = suite.testbed;
    const { stderr } = await runCommand(aws, ['check', '-n', s.namespace, 'deploy/app'], { kubeconfig, credentials: aws.env({}) });
    const [, command] = /\((explain \w+)\)\n$/.exec(stderr) ?? [];
    expect(command).toBe('explain TrustNoWebIdentityStatement');
    expect((await explain(['TrustNoWebIdentityStatement'])).code).toBe(0);
  });

  test('a pod without a role', async () => {
    const s = await suite.scene('none');
    s.role(FOREIGN);
    await s.serviceAccount({});
    await s.deployment();
    const said = await s.refused();
    expect(said).toMatch(NO_CREDENTIALS);
    expect(codesOf(await behind(said))).toEqual(expect.arrayContaining(['AnnotationMissing', 'PodCredentialsMissing']));
  });

  const asked = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/none`, RoleSessionName: 'jane' };

  test('the SDK for JavaScript', async () => {
    const endpoint = suite.testbed.aws.env({})['AWS_ENDPOINT_URL_STS'] ?? '';
    const sts = new STSClient({ region: 'eu-west-1', endpoint, credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
    const said = async (RoleArn: string) => {
      const error = await sts.send(new AssumeRoleWithWebIdentityCommand({ ...asked, RoleArn, WebIdentityToken: token() })).catch(String);
      return String(error);
    };
    expect(textsOf(await behind(await said(asked.RoleArn)))).toEqual([expect.stringContaining('No OpenIDConnect provider found')]);
    expect(codesOf(await behind(await said('arn:aws:iam::1:x/y/zzzzzzzzzzzzz')))).toContain('AnnotationMalformed');
    sts.destroy();
  });

  test('aws', async () => {
    const programs = await pythonPackages('aws-cli', 'test/testbed/aws-cli/requirements.txt');
    const args = ['sts', 'assume-role-with-web-identity', '--role-arn', asked.RoleArn, '--role-session-name', 'jane'];
    const ended = await promisify(execFile)(join(programs, 'aws'), [...args, '--web-identity-token', token()], {
      env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', ...suite.testbed.aws.env({}) },
    }).catch((error: { stderr: string }) => error);
    expect(ended.stderr).toMatch(/^\n?An error occurred|aws: \[ERROR\]/);
    expect(codesOf(await behind(ended.stderr))).toContain('OidcProviderMissing');
  });
});

/** Of an issuer that no account has. */
function token(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    iss: 'https://oidc.example.com/id/none',
    aud: 'sts.amazonaws.com',
    sub: 'system:serviceaccount:x:y',
    exp: 4_000_000_000,
  };
  return `${part({ alg: 'RS256', typ: 'JWT', kid: 'x' })}.${part(claims)}.${Buffer.from('none').toString('base64url')}`;
}

// Contract: explain-log
test('a log that is larger than the memory is read as a stream', async () => {
  const line = `${'x'.repeat(1_000)}\n`;
  const lines = 200_000;
  const input = `${line.repeat(lines)}AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\n`;
  const { code, stdout } = await explain(['--from-log', '-', '-o', 'json'], input, { NODE_OPTIONS: '--max-old-space-size=40' });
  expect(code).toBe(0);
  const found = JSON.parse(stdout) as Explained;
  expect([found.lines, textsOf(found)]).toEqual([lines + 1, ['AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity']]);
});

test('a log that is not there ends with 2', async () =>
  expect(await explain(['--from-log', '/nonexistent/log'])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('ENOENT'),
  }));
