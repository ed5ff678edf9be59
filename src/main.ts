#!/usr/bin/env node
import { dispatch } from './cli/command.ts';
import { asksForCompletion, invokedAs } from './cli/invoked-as.ts';
import { COMMANDS } from './commands.ts';
import { VERSION } from './version.ts';

const terminal = {
  program: () => invokedAs(process.argv, process.env, process.cwd()).join(' '),
  print: (text: string) => console.log(text),
  complain: (text: string) => console.error(text),
};
const words = asksForCompletion(process.argv);
if (words === undefined) process.exitCode = await dispatch(COMMANDS, process.argv.slice(2), VERSION, terminal);
else await (await import('./complete.ts')).printCompletion(words, VERSION);
