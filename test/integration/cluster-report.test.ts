import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { right } from '../harness/article.ts';
import { type Ended, runCommand } from '../harness/command.ts';
import { eventually, personWith } from '../harness/person.ts';
import { FOREIGN } from '../harness/policies.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';
import { ACCOUNT, ROLE_ARN } from '../harness/views.ts';

/** One page about a cluster with bindings that work and that do not, and with ServiceAccounts that are annotated by hand. */
const suite = integrationSuite({ grant: {}, flags: [...SWEEP] });

const IAM = readFileSync('config/iam/check.json', 'utf8');
const run = (...args: readonly string[]): Promise<Ended> =>
  runCommand(suite.testbed.aws, ['report', ...args], {
    kubeconfig: suite.testbed.kubeconfig,
    credentials: suite.testbed.aws.env({ accountId: ACCOUNT, roleName: 'reporter', identityPolicy: IAM, sessionName: 'jane' }),
  });

interface Summary {
  readonly account: string;
  readonly issuer: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly rows: readonly {
    readonly namespace: string;
    readonly binding: string;
    readonly state: string;
    readonly code: string;
    readonly pods: string;
  }[];
  readonly policies: readonly { readonly role: string }[];
}

beforeAll(async () => {
  const works = await suite.working('works');
  await works.deployment();
  await works.allReady();
  await works.conditionIs('Ready', 'True');
  const broken = await suite.scene('broken');
  await broken.serviceAccount();
  await broken.bind();
  await broken.conditionIs('Ready', 'False', 'RoleNotFound');
  const byHand = await suite.scene('by-hand');
  byHand.role(right(byHand));
  await byHand.serviceAccount({ [ROLE_ARN]: byHand.roleArn });
  await byHand.deployment();
  await byHand.allReady();
  const untrusted = await suite.scene('untrusted');
  untrusted.role(FOREIGN);
  await untrusted.serviceAccount({ [ROLE_ARN]: untrusted.roleArn });
});

// Contract: report-page
test('has every binding and every annotated ServiceAccount, with what is wrong first', async () => {
  const { code, stdout, stderr } = await run('-o', 'json');
  expect([code, stderr]).toEqual([0, expect.stringContaining('4 ServiceAccounts, 2 of them fail, nothing written')]);
  const { rows, account, issuer, policies } = JSON.parse(stdout) as Summary;
  expect([account, issuer]).toEqual([ACCOUNT, suite.testbed.issuer]);
  expect(rows.map((row) => [row.namespace, row.binding, row.state, row.code])).toEqual([
    ['broken', 'app', 'fail', 'RoleNotFound'],
    ['untrusted', '', 'fail', 'TrustNoWebIdentityStatement'],
    ['by-hand', '', 'ok', ''],
    ['works', 'app', 'ok', ''],
  ]);
  expect(policies.map(({ role }) => role.split('/').at(-1)).toSorted()).toEqual(['role-of-by-hand', 'role-of-untrusted', 'role-of-works']);
});

test('is a page of HTML without an address, and the same in Markdown', async () => {
  const { stdout } = await run();
  expect(stdout).toMatch(/^<!DOCTYPE html>[\s\S]*<\/html>\n$/);
  expect([...stdout.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address)).toEqual(['data:,']);
  const markdown = await run('-o', 'markdown');
  expect(markdown.stdout).toContain('| fail | `broken/app` | `app` Enforce |');
});

// Contract: commands-rights
test('works with config/rbac/check.yaml and config/rbac/report.yaml, and without the bindings it ends with 2', async () => {
  const name = 'reporter';
  await personWith(suite.testbed, 'config/rbac/check.yaml', name);
  const person = await personWith(suite.testbed, 'config/rbac/report.yaml', name);
  const whole = await eventually('the rights are known', async () => {
    const ended = await run('-o', 'json', '--as', name);
    return ended.code === 0 && ended;
  });
  expect((JSON.parse(whole.stdout) as Summary).counts).toMatchObject({ fail: 2, ok: 2, unread: 0 });
  for (const right of person.rights)
    await person.without(right, async () => {
      await eventually(`without ${right} it is refused`, async () => {
        const { code, stderr } = await run('--as', name);
        return code === 2 && /forbidden/.test(stderr);
      });
    });
});
