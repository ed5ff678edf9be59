import { expect, test } from 'vitest';
import { type Call, type Command, dispatch, parseFlags } from './cli/command.ts';
import { COMMANDS } from './commands.ts';

/** What a user sees of a command line, and the flags that the command was called with. */
async function typed(...args: string[]) {
  const called: Pick<Call, 'name' | 'given'>[] = [];
  const body: Command['load'] = async () => async (call) => {
    called.push({ name: call.name, given: call.given });
    return call.given['confirm'] === true ? call.misused('no') : 0;
  };
  const commands = Object.fromEntries(Object.entries(COMMANDS).map(([name, command]) => [name, { ...command, load: body }]));
  const printed: string[] = [];
  const complained: string[] = [];
  const output = {
    program: () => 'kubectl irsa',
    print: (text: string) => void printed.push(text),
    complain: (text: string) => void complained.push(text),
  };
  const code = await dispatch(commands, args, '1.2.3', output);
  return { code, printed: printed.join(''), complained: complained.join(''), called };
}

test('without a command, and for help, every command is listed', async () => {
  for (const args of [[], ['help'], ['--help'], ['-h']]) {
    const { code, printed, complained, called } = await typed(...args);
    expect({ code, complained, called }).toEqual({ code: 0, complained: '', called: [] });
    for (const name of Object.keys(COMMANDS)) expect(printed).toContain(`\n  ${name}`);
  }
});

test('each command prints its flags, with their defaults, and the words that start it', async () => {
  for (const [name, { flags }] of Object.entries(COMMANDS)) {
    const { code, printed, called } = await typed(name, '--help');
    expect({ code, called }).toEqual({ code: 0, called: [] });
    expect(printed).toMatch(new RegExp(`^usage: kubectl irsa ${name} (\\[[\\w|/]+\\] )?\\[flags\\]`));
    for (const flag of Object.keys(flags)) expect(printed).toContain(`--${flag}`);
  }
  expect((await typed('run', '--help')).printed).toMatch(/--sweep-interval +how often .* \(default 60s\)\n/);
});

const refused: Record<string, { readonly args: string[]; readonly says: RegExp }> = {
  'a word that is no command': { args: ['prne'], says: /^irsa-operator: "prne" is not a command\n\nusage: kubectl irsa <command>/ },
  'a name that every object has': { args: ['constructor'], says: /^irsa-operator: "constructor" is not a command/ },
  'a flag of another command': {
    args: ['release', '--confirm'],
    says: /^irsa-operator release: Unknown option '--confirm'[\s\S]*\n\nusage: kubectl irsa release/,
  },
  'a word where only flags are': { args: ['release', 'https://x'], says: /^irsa-operator release: [\s\S]*usage: kubectl irsa release/ },
};
for (const [sentence, { args, says }] of Object.entries(refused))
  test(`${sentence} is refused before anything is loaded`, async () =>
    expect(await typed(...args)).toEqual({ code: 2, printed: '', complained: expect.stringMatching(says), called: [] }));

test('a command is called with its flags and their defaults', async () =>
  expect((await typed('prepare', '-f', 'a', '-f', 'b')).called).toMatchObject([
    { name: 'prepare', given: { filename: ['a', 'b'], output: 'table' } },
  ]));

test('what a command says against its flags is told with the usage', async () =>
  expect(await typed('prune', '--confirm')).toMatchObject({
    code: 2,
    complained: expect.stringMatching(/^irsa-operator prune: no\n\nusage: kubectl irsa prune/),
  }));

test('a flag that may be given again is a list', () =>
  expect(parseFlags(COMMANDS['prepare']?.flags ?? {}, ['-f', 'a'])).toMatchObject({ given: { filename: ['a'] } }));
