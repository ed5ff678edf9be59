import { diffLines } from 'diff';

/** How the demo talks: chapters, commands with their output, and what happens with the time since the chapter began. */
const colour = Boolean(process.env['FORCE_COLOR'] ?? process.stdout.isTTY) && !process.env['NO_COLOR'];
const paint = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
const bold = paint(1);
const dim = paint(2);
const red = paint(31);
const green = paint(32);
const yellow = paint(33);

let chapterStart = performance.now();

export function chapter(title: string): void {
  chapterStart = performance.now();
  console.log(`\n${bold(`== ${title}`)}`);
}

export function say(text: string): void {
  console.log(text);
}

/** It works; a fault of the story, as it was set up and as irsa-operator reports it; under way. Nothing here is an alarm: a story that goes wrong ends. */
const MARKS = { good: green('ok'), fault: yellow('->'), underWay: yellow('..') } as const;
export const LEGEND = 'ok: it works   ->: a fault that this demo caused   ..: under way';

/** What happened just now. */
export function happened(what: string, how: keyof typeof MARKS): void {
  const seconds = ((performance.now() - chapterStart) / 1000).toFixed(1).padStart(5);
  console.log(`${dim(`+${seconds} s`)}  ${MARKS[how]}  ${what}`);
}

export function command(line: string, output: string): void {
  console.log(dim(`$ ${line}`));
  for (const each of output.trimEnd().split('\n')) console.log(`  ${each}`);
}

/** Two JSON documents, line by line. */
export function showDiff(before: string, after: string): void {
  const pretty = (text: string) => `${JSON.stringify(JSON.parse(text), null, 2)}\n`;
  for (const part of diffLines(pretty(before), pretty(after))) {
    const mark = part.added ? '+' : part.removed ? '-' : ' ';
    for (const line of part.value.replace(/\n$/, '').split('\n')) {
      const text = `  ${mark} ${line}`;
      console.log(part.added ? green(text) : part.removed ? red(text) : dim(text));
    }
  }
}
