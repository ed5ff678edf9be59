import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { BUNDLE } from '../../../scripts/bundle.ts';

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

/** The bundle is minified: what a function is called is read where it was written. */
export function originals(): (frame: CallFrame) => Original {
  const payload = JSON.parse(readFileSync(`${BUNDLE}.map`, 'utf8'));
  const map = new SourceMap(payload);
  const sources = new Map<string, string[]>();
  for (const [at, path] of (payload.sources as string[]).entries()) sources.set(path, (payload.sourcesContent[at] ?? '').split('\n'));
  const known = new Map<string, Original>();
  const find = ({ functionName, url, lineNumber, columnNumber }: CallFrame): Original => {
    if (!url.endsWith('.mjs'))
      return { file: url || functionName, name: url === '' ? '' : functionName, line: url === '' ? 0 : lineNumber + 1 };
    const entry = map.findEntry(lineNumber, columnNumber);
    if (!('originalSource' in entry)) return { file: BUNDLE, name: functionName, line: lineNumber + 1 };
    const text = sources.get(entry.originalSource)?.[entry.originalLine] ?? '';
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
