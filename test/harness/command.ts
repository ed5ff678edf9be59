import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { AwsDouble, Testbed } from '@irsa-operator/testbed';

/** Who runs the commands: a user of the cluster, and a role in AWS, who have what docs/commands.md says and nothing more. */
export const PERSON = 'jane';
const PERSON_ROLE = 'platform-engineer';
const PAGE = 'docs/commands.md';

export const COMMANDS_IAM = codeOf('json');
export const COMMANDS_RBAC = codeOf('yaml');

/** The one block of this language on the page. */
function codeOf(language: string): string {
  const blocks = [...readFileSync(PAGE, 'utf8').matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(([, name]) => name === language);
  const code = blocks[0]?.[2];
  if (code === undefined || blocks.length !== 1) throw new Error(`${PAGE} has ${blocks.length} blocks of ${language}, wanted is one`);
  return code;
}

/** Gives the person these rights in the cluster, in place of any others. */
export async function allowPerson(testbed: Testbed, rules = COMMANDS_RBAC): Promise<void> {
  await testbed.kubectl(['apply', '-f', '-'], { input: rules });
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: PERSON }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'irsa-operator-commands' };
  const metadata = { name: 'irsa-operator-commands' };
  const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata, roleRef, subjects };
  await testbed.kubectl(['apply', '-f', '-'], { input: JSON.stringify(binding) });
}

/** The admin's kubeconfig, by which the person is impersonated. */
export function kubeconfigOfPerson(testbed: Testbed): string {
  const config = JSON.parse(readFileSync(testbed.kubeconfig, 'utf8')) as { users: { user: object }[] };
  const file = join(testbed.folder, `${PERSON}.kubeconfig`);
  for (const entry of config.users) entry.user = { ...entry.user, as: PERSON };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

export function awsEnvOfPerson(aws: AwsDouble): Record<string, string> {
  return aws.env({ roleName: PERSON_ROLE, identityPolicy: COMMANDS_IAM, sessionName: PERSON });
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longer than the longest of them takes, the wait for the read-back included. */
const DEADLINE_MS = 90_000;

/** Runs the bundle as a person would. Without a kubeconfig there is none, not even in the home folder. */
export async function runCommand(
  aws: AwsDouble,
  args: readonly string[],
  {
    kubeconfig,
    started,
    credentials = awsEnvOfPerson(aws),
    input,
  }: {
    kubeconfig?: string | undefined;
    started?: (kill: (signal: NodeJS.Signals) => void) => Promise<void>;
    /** Where AWS is and who calls it; those of the person otherwise. */
    credentials?: Readonly<Record<string, string>>;
    /** On standard input. */
    input?: string;
  } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, ['--enable-source-maps', 'dist/irsa-operator.mjs', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(DEADLINE_MS),
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }),
      ...credentials,
    },
  });
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
    started?.((signal) => void child.kill(signal)),
  ]);
  return { code: code as number | null, stdout, stderr };
}

export interface Row {
  readonly result: string;
  readonly role?: string;
  readonly subject?: string;
  readonly audience?: string;
  readonly message?: string;
}

/** The report of a command that was run with `-o json`. */
export function reportOf({ stdout, stderr }: Ended): { results: Row[]; statements?: { role: string; statement: { Sid: string } }[] } {
  if (stdout === '') throw new Error(`no report: ${stderr}`);
  return JSON.parse(stdout);
}

/** Every call of the person, and the writes among them that IAM took. */
export function callsOfPerson({ journal }: AwsDouble) {
  return journal.filter(({ caller }) => caller.endsWith(`:assumed-role/${PERSON_ROLE}/${PERSON}`));
}

/** The lines of a page of `check` that a person copies into a shell. */
export function commandsIn(page: string): string[] {
  const blocks = page.split('\n\n').filter((block) => /^(Fix with (kubectl|AWS)|Then restart the pods):/.test(block));
  return blocks.flatMap((block) => block.split('\n').slice(1));
}
