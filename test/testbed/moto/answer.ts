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

export function masked<T>(value: T): T {
  const mask = (name: string, one: unknown): unknown => {
    if (typeof one !== 'string') return one;
    if (SECRET_MEMBERS.has(name)) return `<${name}>`;
    return MASKS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), one);
  };
  return JSON.parse(JSON.stringify(value), (name, one: unknown) => mask(name, one)) as T;
}

/** Every place where two answers differ, as `output.Role.Tags: "..." here, "..." there`. */
export function differencesBetween(ours: unknown, theirs: unknown, path = ''): string[] {
  if (isObject(ours) && isObject(theirs))
    return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])]
      .sort()
      .flatMap((name) => differencesBetween(ours[name], theirs[name], path === '' ? name : `${path}.${name}`));
  return JSON.stringify(ours) === JSON.stringify(theirs) ? [] : [`${path}: ${show(ours)}, moto ${show(theirs)}`];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const show = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value));
