import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** As the profilers of V8 name a function. Lines and columns begin with 0. */
export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** Where a function was written. */
export interface Original {
  /** `src/kube/transport.ts`, `undici` for a file of a package, `node:internal/...`, or `(garbage collector)`. */
  readonly file: string;
  readonly name: string;
  /** Begins with 1; 0 where there is none. */
  readonly line: number;
}

const NAME = /(?:function\*?|class|const|let|get|set|async|static)?\s*\*?([#\w$]+)\s*(?:[=:(<]|extends|\{)/;

/** A file of the bundle, as it was written. */
interface Written {
  readonly map: SourceMap;
  readonly sources: ReadonlyMap<string, readonly string[]>;
}

function writtenAs(file: string): Written | undefined {
  if (!existsSync(`${file}.map`)) return undefined;
  const payload = JSON.parse(readFileSync(`${file}.map`, 'utf8'));
  const texts = (payload.sources as string[]).map((path, at) => [path, (payload.sourcesContent[at] ?? '').split('\n')] as const);
  return { map: new SourceMap(payload), sources: new Map(texts) };
}

/** The bundle is minified: what a function is called is read where it was written. */
export function originals(): (frame: CallFrame) => Original {
  const files = new Map<string, Written | undefined>();
  const known = new Map<string, Original>();
  const find = ({ functionName, url, lineNumber, columnNumber }: CallFrame): Original => {
    if (!url.endsWith('.mjs'))
      return { file: url || functionName, name: url === '' ? '' : functionName, line: url === '' ? 0 : lineNumber + 1 };
    if (!files.has(url)) files.set(url, writtenAs(fileURLToPath(url)));
    const written = files.get(url);
    const entry = written?.map.findEntry(lineNumber, columnNumber);
    if (written === undefined || entry === undefined || !('originalSource' in entry))
      return { file: basename(url), name: functionName, line: lineNumber + 1 };
    const text = written.sources.get(entry.originalSource)?.[entry.originalLine] ?? '';
    // From where the function begins, or else from the begin of its line.
    const name = NAME.exec(text.slice(entry.originalColumn))?.[1] ?? NAME.exec(text)?.[1] ?? functionName;
    return { file: shortened(entry.originalSource), name, line: entry.originalLine + 1 };
  };
  return (frame) => {
    const key = `${frame.url}:${frame.lineNumber}:${frame.columnNumber}:${frame.functionName}`;
    const found = known.get(key) ?? find(frame);
    known.set(key, found);
    return found;
  };
}

/** Of a package its name is enough: nobody here will change its files. */
function shortened(source: string): string {
  const path = source.replace(/^(\.\.\/)+/, '');
  const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path) ?? [];
  return name ?? path;
}
