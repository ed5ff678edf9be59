import type { Command } from '../src/cli/command.ts';

/** A page with every command and its flags, from the table that the program itself parses by. */
export function commandLine(commands: Readonly<Record<string, Command>>): string {
  const sections = Object.entries(commands).map(([name, { summary, flags, operands }]) => {
    const head = `## ${name}\n\n\`irsa-operator ${name}${operands === undefined ? '' : ` [${operands}]`}\`: ${summary}.`;
    const rows = Object.entries(flags).map(([flag, { short, value, default: preset, help }]) => {
      const names = `${short === undefined ? '' : `-${short}, `}--${flag}${value === undefined ? '' : ` ${value}`}`;
      return `| \`${names.replaceAll('|', '\\|')}\` | ${help.replaceAll('|', '\\|')} | ${preset === undefined || preset === '' ? '' : `\`${preset}\``} |`;
    });
    return rows.length === 0 ? head : [head, '', '| Flag | What it is | Default |', '| --- | --- | --- |', ...rows].join('\n');
  });
  return [
    '# The command line',
    'Every command and its flags. This page is generated from the table that the program parses by.',
    ...sections,
  ]
    .join('\n\n')
    .concat('\n');
}
