import { CONTRACT } from './sentences.ts';

/** A test that says in the line above it which sentences it proves. */
export interface Link {
  readonly sentence: string;
  readonly test: string;
  readonly file: string;
}

const MARK = /^\s*\/\/ Contract: (.+)$/;
/** `test('...'`, `describe.concurrent('...'`, or the key of a table whose rows are tests: `'...': {`. */
const TITLE = /^\s*(?:(?:test|describe)(?:\.\w+)*\()?(['"`])((?:\\.|(?!\1).)+)\1(?:,|\s*:)/;

/** Throws for a sentence that does not exist, and where no test follows. */
export function linksIn(file: string, source: string): Link[] {
  const lines = source.split('\n');
  return lines.flatMap((line, index) => {
    const ids = MARK.exec(line)?.[1]?.split(/,\s*/) ?? [];
    if (ids.length === 0) return [];
    // The formatter puts a mark above the loop, where the loop has no braces.
    const below = lines.slice(index + 1, index + 3).filter((each) => !/^\s*for \(/.test(each));
    const title = TITLE.exec(below[0] ?? '')?.[2];
    if (title === undefined) throw new Error(`${file}:${index + 1}: "${line.trim()}" stands above no test`);
    return ids.map((sentence) => {
      if (!Object.values(CONTRACT).some((section) => Object.hasOwn(section, sentence)))
        throw new Error(`${file}:${index + 1}: test/contract/sentences.ts has no sentence "${sentence}"`);
      return { sentence, test: title.replace(/\\(.)/g, '$1'), file };
    });
  });
}

/** docs/conformance.md, whole. */
export function conformance(links: readonly Link[]): string {
  const proofs = (id: string): readonly Link[] => links.filter(({ sentence }) => sentence === id);
  const sections = Object.entries(CONTRACT).map(([section, sentences]) => ({ section, sentences: Object.entries(sentences) }));
  const all = sections.flatMap(({ sentences }) => sentences);
  const open = all.filter(([id]) => proofs(id).length === 0);
  const proved = sections.map(({ section, sentences }) => {
    const rows = sentences.filter(([id]) => proofs(id).length > 0).flatMap(([id, text]) => [`- ${text}`, ...proofs(id).map(bullet)]);
    return rows.length === 0 ? '' : `\n## ${section}\n\n${rows.join('\n')}\n`;
  });
  return `<!-- Generated from test/contract and the tests by \`npm run generate\`; do not edit. -->
# Conformance

What the product promises, and the tests that prove it: ${all.length - open.length} of ${all.length} sentences have one. A test names its sentences in the line above it (\`// Contract: <id>\`); the sentences are in [test/contract/sentences.ts](../test/contract/sentences.ts). Files under \`test/integration\` run on the real control plane, with the RBAC and the IAM policy that ship.
${proved.join('')}${open.length === 0 ? '' : notProved(open.map(([, text]) => text))}`;
}

function notProved(sentences: readonly string[]): string {
  const rows = sentences.map((text) => `- ${text}`).join('\n');
  return `\n## Not proved yet\n\nNo test names these. Some are built and not linked, some are not built.\n\n${rows}\n`;
}

function bullet({ test, file }: Link): string {
  return `  - [${file}](../${file}): ${test}`;
}
