import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';

/**
 * `node scripts/words.ts`: how irsa-operator speaks to users, in docs, messages, Events, logs, help and CRDs. Each line of output names file,
 * line, and the better word. Exits with 1 where there is one. `node scripts/words.ts PATH...` looks at files that begin with one of these.
 */

/** Words that the field does not use for what is meant, and what to write in place of them. */
const BETTER: readonly (readonly [RegExp, string])[] = [
  [/\b(somebody|someone|anybody|everybody|nobody|whoever|whom)\b/i, 'the actor: irsa-operator, IAM, STS, you, another writer'],
  [/\b(we|us|our|ours|ourselves)\b/i, 'irsa-operator'],
  [/\b(mends?|mended|mending)\b/i, 'fix'],
  [/\b(stands?|stood|standing)\b/i, 'is, is in, exists'],
  [/\b(tells?|told|telling)\b/i, 'report, say, show'],
  [/\b(lets?|letting)\b/, 'allow, release'],
  [/\b(go|goes|gone|going|went)\b/, 'delete, leave, continue, is not there'],
  [/\b(makes?|made|making)\b/, 'create, write, cause'],
  [/\b(undo|undoes|undone|undoing)\b/i, 'revert, overwrite'],
  [/\b(carry|carries|carried|carrying)\b/i, 'have'],
  [/\b(fights?|fighting|fought|fierce|blows)\b/i, 'contention'],
  [/\b(heirs?|rivals?|losers?|stances?)\b/i, 'a word of docs/glossary.md'],
  [/\b(shall)\b/i, 'must, is to'],
  [/\b(anew)\b/i, 'again'],
  [/\bfor want of\b/i, 'because there is no'],
  [/\b(looks?|looked|looking) (at|again)\b/i, 'check, read, evaluate'],
  [/\b(taken|takes?|took|taking) (away|out)\b/i, 'remove, revoke'],
  [/\b(puts?|putting) (in|out|off)\b/i, 'add, postpone'],
  [/\b(whatsoever|therein|thereof|hitherto)\b/i, 'a plain word'],
];
/** A reader whose third language is English reads a sentence of so many words once. */
const MAX_WORDS = 25;

interface Text {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}
interface Complaint extends Text {
  readonly why: string;
}

const only = process.argv.slice(2);
const isMeant = (file: string) => only.length === 0 || only.some((path) => file.startsWith(path));
/** Generated from sentences that other people wrote, and programs for a shell and for a browser. */
const LEFT_OUT = ['docs/conformance.md', 'src/cli/completion/scripts.ts', 'src/cli/cluster-report/page-parts.ts'];

const pages = [...globSync('{docs,config}/**/*.md'), 'README.md', 'CONTRIBUTING.md']
  .filter((file) => !LEFT_OUT.includes(file) && isMeant(file))
  .sort();
const sources = globSync('src/**/*.ts')
  .filter((file) => !/(\.test|\/test-[a-z-]+|\/manual-clock)\.ts$/.test(file) && !LEFT_OUT.includes(file) && isMeant(file))
  .sort();
/** Their comments, and what the policies say to a client that they refuse. */
const manifests = globSync('config/**/*.yaml').filter(isMeant).sort();
const complaints = [
  ...pages.flatMap((file) => [...headings(file), ...sentencesOf(file).flatMap((sentence) => [...words(sentence), ...length(sentence)])]),
  ...[...sources.flatMap(messagesOf), ...manifests.flatMap(manifestTextsOf)].flatMap((message) => [
    ...words(message),
    ...semicolons(message),
    ...sentencesIn(message).flatMap(length),
  ]),
];
for (const { file, line, why, text } of complaints) console.error(`${file}:${line}: ${why}: ${text.trim().slice(0, 160)}`);
process.exitCode = complaints.length === 0 ? 0 : 1;

/** One first heading, at the top. */
function headings(file: string): Complaint[] {
  const found = proseOf(file).flatMap(({ text }, at) => (/^# /.test(text) ? [at] : []));
  return found.length === 1 && found[0] === 0
    ? []
    : [{ file, line: 1, why: 'wanted is one first heading, in the first line', text: `it has ${found.length}` }];
}

function words(at: Text): Complaint[] {
  return BETTER.flatMap(([word, better]) => {
    const found = word.exec(at.text);
    return found === null ? [] : [{ ...at, why: `"${found[0]}", better: ${better}` }];
  });
}

function length(at: Text): Complaint[] {
  const count = at.text.split(/\s+/).filter((word) => /[A-Za-z0-9]/.test(word)).length;
  return count > MAX_WORDS ? [{ ...at, why: `a sentence of ${count} words, at most ${MAX_WORDS}` }] : [];
}

function semicolons(at: Text): Complaint[] {
  return /; /.test(at.text) ? [{ ...at, why: '";", better: a full stop' }] : [];
}

/** The lines of a page without code: blocks are left out, code in a line counts as one word. */
function proseOf(file: string): Text[] {
  let inBlock = false;
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((text, at) => {
      const fence = /^\s*```/.test(text);
      const prose = inBlock || fence ? '' : plain(text);
      if (fence) inBlock = !inBlock;
      return { file, line: at + 1, text: prose };
    });
}

function plain(markdown: string): string {
  return markdown
    .replaceAll(/`[^`]*`/g, 'code')
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/https?:\S+/g, 'link');
}

/** Paragraphs may be wrapped; a list item, a heading, a cell of a table is a text of its own. */
function sentencesOf(file: string): Text[] {
  const paragraphs: Text[] = [];
  let open: Text | undefined;
  for (const { line, text } of proseOf(file)) {
    const begins = /^\s*([-*#|>]|\d+\.)/.test(text) || text.trim() === '';
    if (begins || open === undefined) {
      if (open !== undefined) paragraphs.push(open);
      open = { file, line, text };
    } else open = { ...open, text: `${open.text} ${text}` };
    if (/^#/.test(text) && open !== undefined) {
      paragraphs.push(open);
      open = undefined;
    }
  }
  if (open !== undefined) paragraphs.push(open);
  return paragraphs.flatMap((paragraph) => paragraph.text.split('|').map((text) => ({ ...paragraph, text }))).flatMap(sentencesIn);
}

/** A sentence ends with its mark and a blank, or a colon before a quotation of code. */
function sentencesIn(at: Text): Text[] {
  return at.text.split(/(?<=[.!?:])\s+(?=\S)/).map((text) => ({ ...at, text }));
}

/** What a program says: strings of more than one word. Names, paths and types are none. */
function messagesOf(file: string): Text[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: Text[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node) || ts.isRegularExpressionLiteral(node)) return;
    const text = textOf(node);
    // Between quotes stands what was found: a value, not a word of ours.
    if (text !== undefined && /[A-Za-z]{2,}[,:]? [a-z]/.test(text))
      found.push({
        file,
        line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1,
        text: text.replaceAll(/"[^"]*"/g, 'value'),
      });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function manifestTextsOf(file: string): Text[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, at) => {
      const [, said] = /^[ -]*(?:# |message(?:Expression)?: )(.*)$/.exec(text) ?? [];
      return said === undefined ? [] : [{ file, line: at + 1, text: said }];
    });
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `value${literal.text}`).join('');
}
