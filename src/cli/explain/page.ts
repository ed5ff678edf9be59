import { coloured, hanging, type Style } from '../style.ts';

const BOLD = '1';
const INDENT = 2;

/** A page of docs/findings for a terminal: commands whole, prose as wide as fits, and of a link its text. */
export function pageInText(markdown: string, style: Style): string {
  let inCode = false;
  const lines = markdown
    .trimEnd()
    .split('\n')
    .flatMap((line): string[] => {
      if (line.startsWith('```')) {
        inCode = !inCode;
        return [];
      }
      if (inCode) return [`${''.padEnd(INDENT)}${line}`];
      const title = /^#+ (.*)$/.exec(line)?.[1];
      if (title !== undefined) return [coloured(title, BOLD, style)];
      const item = line.startsWith('- ') ? INDENT : 0;
      return hanging('', item, withoutMarks(line), style.width);
    });
  return `${lines.join('\n')}\n`;
}

/** Links and emphasis of Markdown; what is quoted as code keeps its quotes. */
export function withoutMarks(line: string): string {
  return line.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1').replaceAll('**', '');
}
