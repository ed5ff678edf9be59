import type { Json, Statement } from './statements.ts';

/** A list that is longer than that is written line by line. */
const LINE = 160;

/** Puts references in place of the examples of a text, or returns it as it is. */
type FilledIn = (text: string) => string;

/** Locals alone, so that the file can be evaluated without a provider. Each is a list of statements that are in the language already. */
export function locals(lists: Readonly<Record<string, readonly string[]>>): string {
  const written = Object.entries(lists).map(([name, statements]) => `  ${name} = ${indented(lineByLine(statements))}`);
  return `locals {\n${written.join('\n\n')}\n}\n`;
}

/** `otherwise` has members that are in the language already. */
export function statementIn(statement: Statement, filledIn: FilledIn, otherwise: Readonly<Record<string, string>> = {}): string {
  const members = Object.entries(statement).map(([name, value]): [string, string] => [
    name,
    otherwise[name] ?? inTerraform(value, filledIn),
  ]);
  // Padded as by `terraform fmt`, which leaves out members of several lines: those come last.
  const isShort = ([, text]: [string, string]) => !text.includes('\n');
  const width = Math.max(...members.filter(isShort).map(([name]) => name.length));
  const lines = members.map((member) => `  ${isShort(member) ? member[0].padEnd(width) : member[0]} = ${indented(member[1])}\n`);
  return `{\n${lines.join('')}}`;
}

export function inTerraform(value: Json, filledIn: FilledIn): string {
  if (typeof value === 'string') return textOf(value, filledIn(value));
  if (Array.isArray(value)) {
    const items = value.map((item: Json) => inTerraform(item, filledIn));
    const line = `[${items.join(', ')}]`;
    return line.length > LINE ? lineByLine(items) : line;
  }
  const members = Object.entries(value).map(([name, one]) => `${/^\w+$/.test(name) ? name : `"${name}"`} = ${inTerraform(one, filledIn)}`);
  return `{ ${members.join(', ')} }`;
}

/** A text that is not filled in may hold a variable of IAM, which Terraform would take for one of its own. */
function textOf(text: string, filledIn: string): string {
  if (text === filledIn) return JSON.stringify(text).replaceAll('${', () => '$${');
  return /^\$\{([\w.]+)\}$/.exec(filledIn)?.[1] ?? JSON.stringify(filledIn);
}

const lineByLine = (items: readonly string[]) => `[\n${items.map((item) => `  ${indented(item)},\n`).join('')}]`;

const indented = (text: string) => text.replaceAll('\n', '\n  ');
