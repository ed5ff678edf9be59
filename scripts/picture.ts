import { readFileSync, writeFileSync } from 'node:fs';

/**
 * `FORCE_COLOR=1 make demo | node scripts/picture.ts docs/demo.svg`: what a terminal showed, as an SVG. Long lines are folded as a terminal
 * of this width folds them.
 */
const WIDTH = 160;
const LINE_PX = 17;
const CHAR_PX = 7.8;
const PAD_PX = 14;
const COLOURS: Record<string, string> = { '1': '#ffffff', '2': '#8b949e', '31': '#ff7b72', '32': '#7ee787', '33': '#d29922' };
const PLAIN = '#c9d1d9';

interface Piece {
  readonly text: string;
  readonly colour: string;
}

const [target = 'docs/demo.svg'] = process.argv.slice(2);
const output = readFileSync(0, 'utf8').trim();
// What make says before the first chapter is not the demo's.
const story = output.slice(Math.max(0, output.search(/^.*== /m)));
const lines = story.split('\n').flatMap((line) => fold(pieces(line)));
writeFileSync(target, svg(lines));

function pieces(line: string): Piece[] {
  let colour = PLAIN;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of a terminal are what this is about
  return line.split(/\u001b\[(\d+)m/).flatMap((part, index) => {
    if (index % 2 === 0) return part === '' ? [] : [{ text: part, colour }];
    colour = COLOURS[part] ?? PLAIN;
    return [];
  });
}

function fold(line: readonly Piece[]): Piece[][] {
  const folded: Piece[][] = [[]];
  let used = 0;
  for (const { text, colour } of line) {
    for (let rest = text; rest !== ''; ) {
      if (used === WIDTH) {
        folded.push([]);
        used = 0;
      }
      const piece = rest.slice(0, WIDTH - used);
      folded.at(-1)?.push({ text: piece, colour });
      used += piece.length;
      rest = rest.slice(piece.length);
    }
  }
  return folded;
}

function svg(all: readonly (readonly Piece[])[]): string {
  const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const width = Math.ceil(WIDTH * CHAR_PX + 2 * PAD_PX);
  const height = all.length * LINE_PX + 2 * PAD_PX;
  const rows = all.map((line, row) => {
    const spans = line.map(({ text, colour }) => `<tspan fill="${colour}">${escaped(text)}</tspan>`).join('');
    return `<text x="${PAD_PX}" y="${PAD_PX + (row + 0.8) * LINE_PX}" xml:space="preserve">${spans}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">
<title>What make demo prints</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${rows.join('\n')}
</svg>
`;
}
