import { type Problem, problem } from '../../api/problem.ts';

/**
 * JSON as a concrete syntax tree: every member in its order, duplicates included, and for every value the place where it stands in the
 * text. The text itself is kept by whoever parsed it, so printing is a matter of cutting, and what is not touched cannot change.
 */
export type JsonNode = ObjectNode | ArrayNode | StringNode | ScalarNode;

interface Placed {
  /** Offset of the first character, in UTF-16 units. */
  readonly start: number;
  /** Offset behind the last character. */
  readonly end: number;
}
/** Members as they stand: also those of the same name, since JSON.parse would silently keep the last one only. */
export interface ObjectNode extends Placed {
  readonly kind: 'object';
  readonly members: readonly Member[];
}
/** Items as they stand. */
export interface ArrayNode extends Placed {
  readonly kind: 'array';
  readonly items: readonly JsonNode[];
}
interface StringNode extends Placed {
  readonly kind: 'string';
  /** Escapes resolved. How they were written stands in the text. */
  readonly value: string;
}
/** A number, boolean or null, as it was written: no number is ever read into a double and lost. */
interface ScalarNode extends Placed {
  readonly kind: 'number' | 'boolean' | 'null';
  readonly raw: string;
}
interface Member {
  readonly name: string;
  readonly value: JsonNode;
}

/** A policy document nests six deep. More than this is an attack on the stack. */
const MAX_DEPTH = 32;
/** IAM's largest trust policy has 8,192 characters without white space; eight times that leaves room for any indentation. */
export const MAX_TEXT_LENGTH = 65_536;

/** The tree, or what is wrong and where. Never throws; the time is linear in the text. Grammar: RFC 8259, and no lone surrogates. */
export function parseJson(text: string): JsonNode | Problem {
  if (text.length > MAX_TEXT_LENGTH) return problem(`it has ${text.length} characters, more than ${MAX_TEXT_LENGTH}`);
  if (!text.isWellFormed()) return problem('it contains half of a surrogate pair, which JSON does not allow');
  try {
    return new Reader(text).document();
  } catch (error) {
    if (error instanceof NotJson) return problem(error.message);
    throw error;
  }
}

/** The text without white space between its tokens; what stands inside of strings stays. The text must have been parsed. */
export function compact(text: string): string {
  let compacted = '';
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') at = endOfString(text, at) - 1;
    else if (isSpace(text.charCodeAt(at))) {
      compacted += text.slice(from, at);
      from = at + 1;
    }
  }
  return compacted + text.slice(from);
}

/** Thrown and caught in this file only: unwinds the recursion. */
class NotJson extends Error {}

/** A string without escapes and control characters (JSON allows some of them), as nearly all are: one step of the regular expression engine. */
const PLAIN_STRING = /"([^"\\\p{Cc}]*)"/uy;
/** JSON wants the control characters before this one escaped. */
const FIRST_PRINTABLE = ' ';
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;
const ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }),
);
/** `u` and four hexadecimal digits. */
const UNICODE_ESCAPE_LENGTH = 5;

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): JsonNode {
    const node = this.value(0);
    this.skipSpace();
    if (this.at < this.text.length) throw this.unexpected('the end of the text');
    return node;
  }

  private value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) throw new NotJson(`it is nested deeper than ${MAX_DEPTH} levels`);
    this.skipSpace();
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return this.string();
      default:
        return this.scalar();
    }
  }

  private object(depth: number): ObjectNode {
    const start = this.at++;
    const members: Member[] = [];
    while (!this.take('}')) {
      if (members.length > 0) this.expect(',');
      this.skipSpace();
      if (this.text[this.at] !== '"') throw this.unexpected('the name of a member in double quotes');
      const name = this.string().value;
      this.expect(':');
      members.push({ name, value: this.value(depth + 1) });
    }
    return { kind: 'object', start, end: this.at, members };
  }

  private array(depth: number): ArrayNode {
    const start = this.at++;
    const items: JsonNode[] = [];
    while (!this.take(']')) {
      if (items.length > 0) this.expect(',');
      items.push(this.value(depth + 1));
    }
    return { kind: 'array', start, end: this.at, items };
  }

  private string(): StringNode {
    const start = this.at;
    PLAIN_STRING.lastIndex = start;
    const plain = PLAIN_STRING.exec(this.text)?.[1];
    if (plain !== undefined) {
      this.at = PLAIN_STRING.lastIndex;
      return { kind: 'string', start, end: this.at, value: plain };
    }
    this.at = endOfString(this.text, start);
    if (this.at < 0) throw new NotJson(`the string at character ${start + 1} does not end`);
    const inside = this.text.slice(start + 1, this.at - 1);
    if (Array.from(inside).some((character) => character < FIRST_PRINTABLE))
      throw new NotJson(`the string at character ${start + 1} contains a control character`);
    return { kind: 'string', start, end: this.at, value: this.resolveEscapes(inside, start) };
  }

  private resolveEscapes(inside: string, start: number): string {
    const value = inside.replace(/\\(u[0-9a-fA-F]{4}|.)/gsu, (_, escaped: string) => {
      const simple = ESCAPES.get(escaped);
      if (simple !== undefined) return simple;
      if (escaped.length !== UNICODE_ESCAPE_LENGTH) throw new NotJson(`the string at character ${start + 1} contains an unknown escape`);
      return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    });
    if (!value.isWellFormed()) throw new NotJson(`the string at character ${start + 1} contains half of a surrogate pair`);
    return value;
  }

  private scalar(): ScalarNode {
    const start = this.at;
    for (const pattern of [NUMBER, WORD]) {
      pattern.lastIndex = start;
      const raw = pattern.exec(this.text)?.[0];
      if (raw === undefined) continue;
      this.at += raw.length;
      const kind = pattern === NUMBER ? 'number' : raw === 'null' ? 'null' : 'boolean';
      return { kind, start, end: this.at, raw };
    }
    throw this.unexpected('a value');
  }

  private take(token: string): boolean {
    this.skipSpace();
    if (this.text[this.at] !== token) return false;
    this.at++;
    return true;
  }

  private expect(token: string): void {
    if (!this.take(token)) throw this.unexpected(`"${token}"`);
  }

  private skipSpace(): void {
    while (isSpace(this.text.charCodeAt(this.at))) this.at++;
  }

  private unexpected(wanted: string): NotJson {
    const found = this.at < this.text.length ? JSON.stringify(this.text[this.at]) : 'the end of the text';
    return new NotJson(`at character ${this.at + 1}, ${found} was found, but ${wanted} was expected`);
  }
}

/** The offset behind the closing quote of the string that opens at `start`; -1 when it does not close. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return -1;
}

/** JSON's four white space characters; `charCodeAt` behind the end gives NaN, which is none. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
