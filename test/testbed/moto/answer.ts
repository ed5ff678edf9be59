/** What a client of the AWS SDK sees of one call. */
export interface Answer {
  readonly status: number;
  readonly output?: Json;
  /** `name` is the SDK's name for the error, which it makes of the code on the wire. */
  readonly error?: { readonly name: string; readonly message: string };
}

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** What the SDK throws for an error of the service. */
interface ServiceError {
  readonly name: string;
  readonly message: string;
  readonly $metadata: { readonly httpStatusCode?: number };
}

export async function answerOf(call: () => Promise<object>): Promise<Answer> {
  try {
    const { $metadata, ...output } = (await call()) as { $metadata?: { httpStatusCode?: number } };
    return { status: $metadata?.httpStatusCode ?? 0, output: JSON.parse(JSON.stringify(output)) as Json };
  } catch (error) {
    if (!isServiceError(error)) throw error;
    return { status: error.$metadata.httpStatusCode ?? 0, error: { name: error.name, message: error.message } };
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && '$metadata' in error;
}

/**
 * What differs from run to run, and nothing else: unique IDs, access keys, secrets, tokens, times, request ids, markers. A mask keeps the
 * shape, so an ID of another length or alphabet is not masked and shows.
 */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/\bAROA[A-Z0-9]{17}\b/g, 'AROA<17>'],
  [/\bAIDA[A-Z0-9]{17}\b/g, 'AIDA<17>'],
  [/\bA[KS]IA[A-Z0-9]{16}\b/g, '<access key>'],
  [/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g, '<time>'],
];

const SECRET_MEMBERS = new Set(['SecretAccessKey', 'SessionToken', 'Marker']);

/** The answer with its volatile parts masked and its trust policies decoded, so that they compare by meaning and encoding separately. */
export function masked<T>(value: T): T {
  const mask = (name: string, one: unknown): unknown => {
    if (typeof one !== 'string') return one;
    if (SECRET_MEMBERS.has(name)) return `<${name}>`;
    if (name === 'AssumeRolePolicyDocument') return { encoding: encodingOf(one), document: JSON.parse(maskText(decodeURIComponent(one))) };
    return maskText(one);
  };
  return JSON.parse(JSON.stringify(value), mask) as T;
}

function maskText(text: string): string {
  return MASKS.reduce((masking, [pattern, replacement]) => masking.replace(pattern, replacement), text);
}

/** Everything but the unreserved characters of RFC 3986 is escaped; or which characters are not; or none is. */
function encodingOf(text: string): string {
  if (text.startsWith('{')) return 'none';
  const bare = [...new Set(text.replace(/%[0-9A-F]{2}/g, '').replace(/[A-Za-z0-9._~-]/g, ''))].sort().join('');
  return bare === '' ? 'RFC 3986' : `${bare} not escaped`;
}

/** Every place where two answers differ, as a path, and what is there. */
export function differencesBetween(ours: unknown, theirs: unknown, path = ''): Record<string, { ours: unknown; moto: unknown }> {
  if (isObject(ours) && isObject(theirs)) {
    const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort();
    const within = (name: string) => differencesBetween(ours[name], theirs[name], path === '' ? name : `${path}.${name}`);
    return Object.assign({}, ...names.map(within)) as ReturnType<typeof differencesBetween>;
  }
  return JSON.stringify(ours) === JSON.stringify(theirs) ? {} : { [path]: { ours, moto: theirs } };
}

/** Lists too: their indexes are their names. */
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
