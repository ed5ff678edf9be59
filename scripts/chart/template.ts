import { type Document, isMap, isSeq, type Pair, type ParsedNode, parseAllDocuments, Scalar, type YAMLMap } from 'yaml';

/** Lines at the place of a member or of an entry. They get its indentation, in columns, and `nindent` needs it as a number. */
export type Lines = (at: number) => readonly string[];

/** Stands where text of a template goes: plain in YAML, and in no manifest. */
const PLACE = /zz(\d+)zz/g;

/** A manifest of config, in which some values become actions of a Helm template. Comments of the manifest stay. */
export class Manifest {
  readonly #document: Document.Parsed;
  readonly #texts: string[] = [];
  readonly #blocks: Lines[] = [];

  constructor(document: Document.Parsed) {
    this.#document = document;
  }

  get kind(): string {
    return String(this.#document.get('kind'));
  }

  /** Undefined where there is no such field. */
  get(path: readonly (string | number)[]): unknown {
    return this.#document.getIn(path);
  }

  has(path: readonly (string | number)[]): boolean {
    return this.#document.hasIn(path);
  }

  /** The value of a field is this text of a template, with its braces. */
  set(path: readonly (string | number)[], text: string): void {
    this.#texts.push(text);
    // A new scalar: one that was in quotes would keep them.
    this.#document.setIn(path, new Scalar(`zz${this.#texts.length - 1}zz`));
  }

  remove(path: readonly (string | number)[]): void {
    this.#document.deleteIn(path);
  }

  /** In place of all that a map has, or, with `after`, behind it. Without such a map there is one then. */
  members(path: readonly string[], lines: Lines, { after = false } = {}): void {
    const found = path.length === 0 ? this.#document.contents : this.#document.getIn(path);
    const map: YAMLMap = after && isMap(found) ? (found as YAMLMap) : (this.#document.createNode({}) as unknown as YAMLMap);
    if (map !== found) this.#document.setIn(path, map);
    map.flow = false;
    map.items.push(this.#document.createPair(this.#block(lines), null) as unknown as Pair<ParsedNode, ParsedNode | null>);
  }

  /** Behind what a list has. */
  entries(path: readonly (string | number)[], lines: Lines): void {
    const list = this.#document.getIn(path);
    if (!isSeq(list)) throw new Error(`${this.kind}: ${path.join('.')} is no list`);
    list.flow = false;
    list.items.push(new Scalar(this.#block(lines)));
  }

  toString(): string {
    const text = this.#document.toString({ lineWidth: 140, flowCollectionPadding: false, directives: false }).replace(/^---\n/, '');
    if (text.includes('{{')) throw new Error(`${this.kind}: "{{" in a manifest would be an action of the template`);
    return text
      .split('\n')
      .flatMap((line) => {
        const [, indent = '', number] = /^( *)(?:- )?yy(\d+)yy(?:: null)?$/.exec(line) ?? [];
        if (number === undefined) return [line.replaceAll(PLACE, (_, at) => this.#texts[Number(at)] ?? '')];
        return (this.#blocks[Number(number)] ?? missing)(indent.length).map((each) => (each === '' ? '' : indent + each));
      })
      .join('\n');
  }

  #block(lines: Lines): string {
    this.#blocks.push(lines);
    return `yy${this.#blocks.length - 1}yy`;
  }
}

const missing: Lines = () => [];

export function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => new Manifest(document as Document.Parsed));
}

/** A field that is there where its value is not empty. */
export const optional =
  (name: string, value = `.Values.${name}`): Lines =>
  (at) => [`{{- with ${value} }}`, `${name}:`, `  {{- toYaml . | nindent ${at + 2} }}`, '{{- end }}'];

/** Entries of a list, or members of a map, beside those that are there. */
export const more =
  (value: string): Lines =>
  (at) => [`{{- with ${value} }}`, `{{- toYaml . | nindent ${at} }}`, '{{- end }}'];

export const included =
  (name: string): Lines =>
  (at) => [`{{- include "irsa-operator.${name}" . | nindent ${at} }}`];

/** Only where the condition holds. */
export function where(condition: string, text: string): string {
  return `{{- if ${condition} }}\n${text.trimEnd()}\n{{- end }}\n`;
}
