import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isProblem } from '../api/problem.ts';
import { pruneCommand } from '../api/prune-command.ts';
import { COMMANDS } from '../commands.ts';
import { ARN, own, policy, SERVICE, SUBJECT } from '../domain/test-observed.ts';
import { type Flags, parseFlags } from './command.ts';
import { prepare } from './prepare/prepare.ts';
import { prune } from './prune/prune.ts';
import { release } from './release.ts';
import { Account, stores } from './test-account.ts';

/** What messages, findings and their pages tell a user to type. Without flags a command is only named: "see irsa-operator release". */
const TEXTS = ['src/**/*.ts', 'test/golden/trust/*.json', 'docs/findings/*.md', 'docs/runbooks/*.md'];
const COMMAND = /irsa-operator (prune|prepare|release)\b([^\n`'"()$]*)/g;
const REPORTERS = { prune, prepare, release };

const texts = globSync(TEXTS, { exclude: (path) => path.endsWith('.test.ts') }).map((path) => readFileSync(path, 'utf8'));
for (const which of ['orphans', 'ungranted'] as const) texts.push(pruneCommand(undefined, which), pruneCommand('blue', which));

const named = texts.flatMap((text) => [...text.matchAll(COMMAND)]).map(([, name = '', rest = '']) => ({ name, args: argsOf(name, rest) }));
const commands = new Map(named.filter(({ args }) => args.length > 0).map((one) => [[one.name, ...one.args].join(' '), one]));

test('such commands are found, with and without the ID of the cluster', () =>
  expect([...commands.keys()]).toEqual(
    expect.arrayContaining(['prune --sole-cluster --confirm', 'prune --ungranted --cluster-id blue --confirm']),
  ));

for (const [text, { name, args }] of commands)
  test(`the command line takes "irsa-operator ${text}"`, async () => {
    const parsed = parseFlags(flagsOf(name), args);
    if (isProblem(parsed)) throw new Error(parsed.problem);
    const account = new Account({ [ARN]: policy(SERVICE, own([SUBJECT])) });
    await expect(stores(account).run(REPORTERS[name as keyof typeof REPORTERS], parsed.given)).resolves.toBeDefined();
  });

function flagsOf(name: string): Flags {
  return COMMANDS[name]?.flags ?? {};
}

/** Flags and their values; what comes after them is prose. */
function argsOf(name: string, rest: string): string[] {
  const args: string[] = [];
  let takesValue = false;
  for (const word of rest.trim().split(/\s+/)) {
    if (!takesValue && !word.startsWith('-')) break;
    args.push(word.replace(/[.,:]$/, ''));
    takesValue = !takesValue && flagsOf(name)[word.slice(2)]?.type === 'string';
  }
  return args;
}
