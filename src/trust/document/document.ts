import { isProblem, type Problem, problem } from '../../api/problem.ts';
import { type ArrayNode, compact, type JsonNode, MAX_TEXT_LENGTH, type ObjectNode, parseJson } from './json.ts';
import { quote } from './quote.ts';

/**
 * A trust policy that was understood well enough to be judged and edited, together with the very text it was read from.
 * Nothing is ever printed from the tree: an edit replaces the characters of one statement, so all others go out as they came in.
 */
export interface PolicyDocument {
  readonly text: string;
  /** As written; absent means `2008-10-17` (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html). */
  readonly version: string | undefined;
  readonly statements: readonly Statement[];
  /** Where the statements stand: IAM takes a list or a single object (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html). */
  readonly container: ArrayNode | ObjectNode;
}

/** A statement with the place where it stands in the text. */
export interface Statement {
  /** From 1, as people count them. */
  readonly index: number;
  /** Undefined also when it is no text: IAM's Sid is one (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html). */
  readonly sid: string | undefined;
  readonly node: ObjectNode;
}

/**
 * Reads a trust policy from JSON (see `decodeDocument` for what IAM's API returns). A member that stands twice is a problem: the grammar
 * forbids it (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html), parsers disagree on which one counts, and
 * so nobody can say what such a document means.
 */
export function parseDocument(text: string): PolicyDocument | Problem {
  const root = parseJson(text);
  if (isProblem(root)) return problem(`not JSON: ${root.problem}`);
  if (root.kind !== 'object') return problem(`it is a JSON ${root.kind}, not an object with "Version" and "Statement"`);
  const twice = duplicateIn(root);
  // A condition key may name another tenant's issuer, and whoever reads the message need not know it.
  const which = twice !== undefined && /^[A-Za-z]+$/.test(twice) ? `the member ${quote(twice)}` : 'a condition key';
  if (twice !== undefined) return problem(`${which} appears twice in one object`);

  const container = member(root, 'Statement');
  if (container === undefined) return problem('it has no member "Statement"');
  if (container.kind !== 'array' && container.kind !== 'object')
    return problem(`"Statement" is a JSON ${container.kind}, not an array or an object`);
  const version = member(root, 'Version');
  if (version !== undefined && version.kind !== 'string') return problem(`"Version" is a JSON ${version.kind}, not a string`);

  const statements: Statement[] = [];
  for (const [at, node] of (container.kind === 'array' ? container.items : [container]).entries()) {
    if (node.kind !== 'object') return problem(`statement ${at + 1} is a JSON ${node.kind}, not an object`);
    const sid = member(node, 'Sid');
    statements.push({ index: at + 1, sid: sid?.kind === 'string' ? sid.value : undefined, node });
  }
  return { text, version: version?.value, statements, container };
}

/**
 * `AssumeRolePolicyDocument` as IAM returns it: URL-encoded by RFC 3986
 * (https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html), so `+` is a plus and not a blank. Text that is JSON already is
 * passed on (doubles of IAM do that, and `aws iam get-role` decodes).
 */
export function decodeDocument(encoded: string): string | Problem {
  if (/^[\t\n\r ]*\{/.test(encoded)) return encoded;
  // Each character of a document takes at most nine when encoded (three bytes of UTF-8).
  if (encoded.length > 9 * MAX_TEXT_LENGTH) return problem(`it has ${encoded.length} characters, more than any trust policy can have`);
  try {
    return decodeURIComponent(encoded);
  } catch {
    return problem('it is neither JSON nor URL-encoded: a "%" is not followed by the hexadecimal digits of UTF-8');
  }
}

/** The text. Of an untouched document these are the characters that were parsed. */
export function printDocument(document: PolicyDocument): string {
  return document.text;
}

/** The same document without white space between its tokens; every token stays as it was written. */
export function compacted(document: PolicyDocument): PolicyDocument {
  const text = compact(document.text);
  return text === document.text ? document : reparsed(text);
}

/** The characters of every statement, in order. */
export function statementTexts({ text, statements }: PolicyDocument): readonly string[] {
  return statements.map(({ node }) => text.slice(node.start, node.end));
}

/** The document's text with these statements (at least one, as IAM wants) in place of its own; what stands around them stays. */
export function withStatements({ text, container }: PolicyDocument, texts: readonly string[]): string {
  const staysSingle = container.kind === 'object' && texts.length === 1;
  const joined = staysSingle ? texts.join() : `[${texts.join(',')}]`;
  return text.slice(0, container.start) + joined + text.slice(container.end);
}

/** The value of a member; names are compared exactly. */
export function member(node: ObjectNode, name: string): JsonNode | undefined {
  return node.members.find((candidate) => candidate.name === name)?.value;
}

/** IAM takes a single value wherever it takes a list (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html). */
export function asList(node: JsonNode): readonly JsonNode[] {
  return node.kind === 'array' ? node.items : [node];
}

function duplicateIn(node: JsonNode): string | undefined {
  if (node.kind === 'array') {
    for (const item of node.items) {
      const twice = duplicateIn(item);
      if (twice !== undefined) return twice;
    }
  }
  if (node.kind !== 'object') return undefined;
  const names = new Set<string>();
  for (const { name, value } of node.members) {
    const twice = names.has(name) ? name : duplicateIn(value);
    if (twice !== undefined) return twice;
    names.add(name);
  }
  return undefined;
}

/** What we edited ourselves has to be readable: anything else is a defect of ours. */
export function reparsed(text: string): PolicyDocument {
  const document = parseDocument(text);
  if (isProblem(document)) throw new TypeError(`an edit broke the document: ${document.problem}`);
  return document;
}

/** `statement 2`: the Sid is its owner's word, which may tell one tenant of another. */
export function statementName({ index }: Pick<Statement, 'index'>): string {
  return `statement ${index}`;
}
