import { type Document, isCollection, isMap, isNode, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { Fault } from '../../../api/fault.ts';
import type { Text } from '../../texts.ts';
import type { Place } from '../text.ts';

type Path = readonly (string | number)[];
export type Raw = Readonly<Record<string, unknown>>;

/** An object of Kubernetes in a file. */
export interface Manifest {
  readonly raw: Raw;
  /** Where a field stands, or the nearest thing around it that is there. */
  at(...path: Path): Place;
}

/** A chart that was not rendered. */
const TEMPLATE = '{{';
export const RENDER = 'A chart is rendered first: helm template CHART | irsa-operator check -f -';

/** Every object in the files, those of lists too; documents of other kinds are left out. Throws `Fault`: one bad document spoils all. */
export function manifestsIn(texts: readonly Text[]): Manifest[] {
  return texts.flatMap(({ file, text }) => {
    const lines = new LineCounter();
    return [...parseAllDocuments(text, { lineCounter: lines })].flatMap((document) => {
      const raw = plain(document, file, text);
      const placed = (root: Path, one: Raw): Manifest => ({
        raw: one,
        at: (...path) => placeOf(document, [...root, ...path], file, lines),
      });
      return objectsIn(raw, []).map(({ path, one }) => placed(path, one));
    });
  });
}

function plain(document: Document.Parsed, file: string, text: string): unknown {
  const hint = text.includes(TEMPLATE) ? `. ${RENDER}` : '';
  const notYaml = (message: string) => {
    const [line = ''] = message.split('\n');
    return new Fault('invalid', `"${file}" is not YAML: ${line.replace(/:$/, '')}${hint}`);
  };
  const [wrong] = document.errors;
  if (wrong !== undefined) throw notYaml(wrong.message);
  try {
    // Aliases may be many times as large as what they stand for: the library counts them, and throws.
    return document.toJS();
  } catch (error) {
    throw notYaml(error instanceof Error ? error.message : String(error));
  }
}

/** `kubectl get -o yaml` writes one list of all. */
function objectsIn(raw: unknown, path: Path): { path: Path; one: Raw }[] {
  if (!isRaw(raw) || typeof raw['kind'] !== 'string' || typeof raw['apiVersion'] !== 'string') return [];
  const { items } = raw;
  if (!raw['kind'].endsWith('List') || !Array.isArray(items)) return [{ path, one: raw }];
  return items.flatMap((item: unknown, at) => objectsIn(item, [...path, 'items', at]));
}

export const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);

function placeOf({ contents }: Document.Parsed, path: Path, file: string, lines: LineCounter): Place {
  let node: unknown = contents;
  let offset = startOf(contents) ?? 0;
  for (const step of path) {
    if (!isCollection(node)) break;
    const key: unknown = isMap(node) ? node.items.find(({ key: of }) => String(of) === String(step))?.key : undefined;
    const next: unknown = node.get(step, true);
    if (next === undefined) break;
    offset = startOf(key) ?? startOf(next) ?? offset;
    node = next;
  }
  const { line, col } = lines.linePos(offset);
  return { file, line, column: col };
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? (node as Node).range?.[0] : undefined);
