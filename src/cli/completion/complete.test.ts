import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../commands.ts';
import { asksForCompletion } from '../invoked-as.ts';
import { complete } from './complete.ts';
import { SCRIPTS } from './scripts.ts';

const wordsFor = (...words: readonly string[]) => {
  const found = complete(COMMANDS, words);
  return found.kind === 'words' ? found.words.map(({ word }) => word) : found.kind;
};

const cases: Record<string, [words: string[], found: readonly string[] | 'files']> = {
  'every command, where none is typed': [[''], Object.keys(COMMANDS)],
  'the commands that begin so': [['res'], ['resume']],
  'flags, behind a dash': [['get', '--no'], ['--not-ready']],
  'help, as of every command': [['version', '--h'], ['--help']],
  'the choices of a flag': [
    ['get', '-o', ''],
    ['table', 'wide', 'json', 'yaml'],
  ],
  'the choices behind an equals sign': [['get', '--output=w'], ['--output=wide']],
  'choices with a capital': [['check', '--fail-on', 'E'], ['Error']],
  'codes of findings': [['get', '--code', 'RoleNotF'], ['RoleNotFound']],
  'files, where a flag takes one': [['check', '-f', ''], 'files'],
  'nothing, where a person fills in what nobody knows': [['check', '--role-arn', ''], []],
  'nothing, of a command that does not exist': [['none', ''], []],
  'nothing, of the name of a thing that every object has': [['constructor', ''], []],
  'nothing, behind a flag that does not exist': [['version', '--none', ''], []],
  shells: [['completion', 'f'], ['fish']],
};
describe('a shell is offered', () => {
  for (const [sentence, [words, found]] of Object.entries(cases)) test(sentence, () => expect(wordsFor(...words)).toEqual(found));
});

test('names from the cluster are asked with the flags that were given before', () => {
  expect(complete(COMMANDS, ['get', '-A', '-n', 'shop', '--context=blue', '-w', 'ap'])).toEqual({
    kind: 'names',
    what: 'bindings',
    prefix: '',
    begin: 'ap',
    given: { 'all-namespaces': true, namespace: 'shop', context: 'blue', watch: true },
  });
  expect(complete(COMMANDS, ['check', '--namespace=sh'])).toMatchObject({ what: 'namespaces', prefix: '--namespace=', begin: 'sh' });
  expect(complete(COMMANDS, ['check', 'deploy/a'])).toMatchObject({ what: 'workloads', begin: 'deploy/a' });
  expect(complete(COMMANDS, ['check', '--context', ''])).toMatchObject({ what: 'contexts' });
});

test('a flag that names things of a cluster has what completes it', () => {
  for (const { flags } of Object.values(COMMANDS))
    for (const [name, { completes }] of Object.entries(flags))
      if (['namespace', 'context', 'code'].includes(name)) expect([name, completes]).not.toEqual([name, undefined]);
});

test('each script is of its shell, and asks the program itself', () => {
  for (const [shell, script] of Object.entries(SCRIPTS)) {
    expect(script).toContain('__complete');
    expect(script).toContain(`# ${shell} completion of irsa-operator`);
  }
});

test('a shell asks by a word, and kubectl by the name of the program', () => {
  expect(asksForCompletion(['node', '/x/irsa-operator.mjs', '__complete', 'get', ''])).toEqual(['get', '']);
  expect(asksForCompletion(['node', '/x/kubectl_complete-irsa', 'get', ''])).toEqual(['get', '']);
  expect(asksForCompletion(['/x/kubectl_complete-irsa', '/x/kubectl_complete-irsa', 'get'])).toEqual(['get']);
  expect(asksForCompletion(['node', '/x/irsa-operator.mjs', 'get', '__complete'])).toBeUndefined();
});
