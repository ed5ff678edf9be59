import { until } from '@irsa-operator/testbed';
import { beforeAll, describe, expect, test } from 'vitest';
import { ARTICLE, annotated, type Case, NOT_AUTHORIZED, OTHER_CLUSTER, right } from '../harness/article.ts';
import { type Ended, runCommand } from '../harness/command.ts';
import type { Scene } from '../harness/scene.ts';
import { shellOf } from '../harness/shell.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';
import { ACCOUNT } from '../harness/views.ts';

/** The checklist for one broken pod, as a person runs it: the bundle, a kubeconfig, AWS credentials, and no word from the operator. */
const suite = integrationSuite({
  grant: { roleArns: [`arn:aws:iam::${ACCOUNT}:role/role-of-*`], serviceAccountNames: ['app'] },
  flags: [...SWEEP],
});

let shell: Awaited<ReturnType<typeof shellOf>>;

beforeAll(async () => {
  shell = await shellOf(suite.testbed);
  suite.testbed.aws.account().provider.put({ issuer: OTHER_CLUSTER });
});

interface Report {
  readonly exitCode: number;
  readonly results: readonly {
    readonly role?: string;
    readonly steps: readonly { step: string; state: string; text: string; findings: readonly { code: string; message: string }[] }[];
    readonly notes: readonly { code: string }[];
    readonly fixes: { kubectl: readonly string[]; aws: readonly string[]; restarts: readonly string[] };
    readonly log?: { text: string };
  }[];
}

const run = (...args: readonly string[]): Promise<Ended> =>
  runCommand(suite.testbed.aws, ['check', ...args], { kubeconfig: suite.testbed.kubeconfig });

async function report(...args: readonly string[]): Promise<Report> {
  const ended = await run(...args, '-o', 'json');
  if (ended.stdout === '') throw new Error(ended.stderr);
  const found = JSON.parse(ended.stdout) as Report;
  expect(ended.code).toBe(found.exitCode);
  return found;
}

const codesOf = ({ results: [one] }: Report) =>
  [...(one?.steps ?? []).flatMap(({ findings }) => findings), ...(one?.notes ?? [])].map(({ code }) => code).toSorted();

async function broken(
  name: string,
  { annotation = annotated, policy, message = NOT_AUTHORIZED }: Omit<Case, 'told' | 'writes'>,
): Promise<Scene> {
  const s = await suite.scene(name);
  s.role(policy(s));
  await s.serviceAccount(annotation(s));
  await s.deployment();
  expect(await s.refused()).toMatch(message);
  return s;
}

/** The lines of the page that a person copies into a shell. */
function commandsIn(page: string): string[] {
  const blocks = page.split('\n\n').filter((block) => /^(Fix with (kubectl|AWS)|Then restart the pods):/.test(block));
  return blocks.flatMap((block) => block.split('\n').slice(1));
}

describe.concurrent('each cause of the article', () => {
  for (const [index, [sentence, given]] of Object.entries(ARTICLE).entries()) {
    // Contract: check-one-engine
    test(`${sentence}: check and an operator that observes find the same`, async () => {
      const s = await broken(`same-${index}`, given);
      await s.bind({ mode: 'Observe' });
      const seen = await until('the binding says what is wrong', async () => (await s.findings()) ?? false, { timeoutMs: 60_000 });
      const found = await report('-n', s.namespace, 'deploy/app', '--role-arn', s.roleArn);
      expect(found.exitCode).toBe(1);
      expect(codesOf(found)).toEqual(expect.arrayContaining(seen));
      expect(codesOf(found)).toContain(given.told);
    });

    // Contract: check-commands-work
    test(`${sentence}: the commands that check prints make the pods Ready`, async () => {
      const s = await broken(`mended-${index}`, given);
      const { stdout, code } = await run('-n', s.namespace, 'deploy/app', '--role-arn', s.roleArn);
      expect(code).toBe(1);
      const commands = commandsIn(stdout);
      expect(commands.length).toBeGreaterThan(0);
      await shell(commands);
      await s.allReady();
      const after = await run('-n', s.namespace, 'deploy/app');
      expect(after.stdout).toContain('IRSA works');
      expect(after.code).toBe(0);
    });
  }
});

// Contract: check-exit-codes
test('what works is said to work, with exit code 0', async () => {
  const s = await suite.scene('works');
  s.role(right(s));
  await s.serviceAccount(annotated(s));
  await s.deployment();
  await s.allReady();
  const { stdout, stderr, code } = await run('-n', s.namespace, 'deploy/app');
  expect(stdout).toContain('IRSA works');
  expect(stderr).toMatch(/0 findings, nothing written/);
  expect(code).toBe(0);
});
