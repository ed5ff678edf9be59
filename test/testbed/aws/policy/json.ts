/**
 * JSON as a policy engine needs it: members in their order (a JavaScript object would move keys that look like numbers), and a duplicate
 * member is an error, where `JSON.parse` would silently keep the last one.
 */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = Map<string, Json>;

/** Deeper than any policy grammar goes, and far from what could exhaust the stack. */
const MAX_DEPTH = 32;

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Throws SyntaxError for what is not JSON, has a duplicate member, or is nested absurdly deep. */
export function parseJson(text: string): Json {
  JSON.parse(text); // The grammar is checked here; below, only well-formed text is left to walk.
  const tokens = text.match(TOKEN) ?? [];
  let at = 0;
  const next = (): string => tokens[at++] ?? '';

  function value(depth: number): Json {
    if (depth > MAX_DEPTH) throw new SyntaxError(`JSON is nested deeper than ${MAX_DEPTH} levels`);
    const token = next();
    if (token === '{') return object(depth);
    if (token === '[') return list(depth);
    return JSON.parse(token) as string | number | boolean | null;
  }

  function object(depth: number): JsonObject {
    const members: JsonObject = new Map();
    if (tokens[at] === '}') at++;
    else
      do {
        const name = JSON.parse(next()) as string;
        next(); // the colon
        if (members.has(name)) throw new SyntaxError(`JSON has the member "${name}" twice in one object`);
        members.set(name, value(depth + 1));
      } while (next() === ',');
    return members;
  }

  function list(depth: number): Json[] {
    const items: Json[] = [];
    if (tokens[at] === ']') at++;
    else
      do items.push(value(depth + 1));
      while (next() === ',');
    return items;
  }

  return value(0);
}

/** Compact JSON, members in their order. */
export function stringifyJson(json: Json): string {
  if (json instanceof Map) return `{${[...json].map(([name, value]) => `${JSON.stringify(name)}:${stringifyJson(value)}`).join(',')}}`;
  if (Array.isArray(json)) return `[${json.map(stringifyJson).join(',')}]`;
  return JSON.stringify(json);
}

/** Policies write a single value where a list may stand. */
export function listOf(json: Json | undefined): Json[] {
  if (json === undefined) return [];
  return Array.isArray(json) ? json : [json];
}
