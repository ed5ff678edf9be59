import { readdirSync, readFileSync } from 'node:fs';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';

declare const IRSA_OPERATOR_FINDINGS: string | undefined;

const FOLDER = new URL('../../../docs/findings/', import.meta.url);
const INDEX = 'README';

/** The pages of docs/findings, by file name without its end: put in by the build, read from the folder when the sources run as they are. */
export function findingPages(): Readonly<Record<string, string>> {
  if (typeof IRSA_OPERATOR_FINDINGS === 'string') return unpacked(IRSA_OPERATOR_FINDINGS);
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.md'));
  return Object.fromEntries(files.map((file) => [file.slice(0, -'.md'.length), readFileSync(new URL(file, FOLDER), 'utf8')]));
}

/** For the bundle, which every start of the program reads whole. */
export function packedPages(): string {
  return brotliCompressSync(JSON.stringify(findingPages())).toString('base64');
}

const unpacked = (text: string): Readonly<Record<string, string>> =>
  JSON.parse(brotliDecompressSync(Buffer.from(text, 'base64')).toString('utf8'));

interface Row {
  readonly code: string;
  readonly severity: string;
  readonly what: string;
}

/** The rows of the index, below the title of their group. */
export function indexOf(pages: Readonly<Record<string, string>>): readonly { readonly title: string; readonly rows: readonly Row[] }[] {
  const [, ...sections] = (pages[INDEX] ?? '').split(/^## /m);
  return sections.map((section) => {
    const [title = ''] = section.split('\n', 1);
    const rows = section.matchAll(/^\| \[(\w+)\]\(\w+\.md\) \| (\w+) \| (.*?) \|/gm);
    return { title, rows: [...rows].map(([, code = '', severity = '', what = '']) => ({ code, severity, what })) };
  });
}
