import { lookUp, type WebIdentity } from './request.ts';
import { type PatternPart, patternOf } from './text.ts';
import { type Unknown, unknown } from './truth.ts';

/** A policy value after its variables were replaced: what it compares as, or `none` when a variable without a default has no value. */
export type Resolved = readonly PatternPart[] | 'none' | Unknown;

/** Only this version has variables; in older documents `${` is text as any other (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html). */
const VERSION_WITH_VARIABLES = '2012-10-17';
const VERSIONS_WITHOUT: ReadonlySet<string | undefined> = new Set([undefined, '2008-10-17']);

/** `${*}`, `${?}` and `${$}` are the characters themselves (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html). */
const ESCAPES: ReadonlySet<string> = new Set(['*', '?', '$']);
/** What stands in the braces: `key` or `key, 'default'`. */
const VARIABLE = /^([^,']+)(?:,\s*'([^']*)')?$/;

/**
 * Replaces `${key}` by what the request carries, `${key, 'default'}` by the default where the key is absent
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html); `none` when a key is absent and has no default.
 */
export function resolve(text: string, version: string | undefined, request: WebIdentity): Resolved {
  if (!text.includes('${') || VERSIONS_WITHOUT.has(version)) return patternOf(text);
  if (version !== VERSION_WITH_VARIABLES) return unknown(`the policy language has no version "${version}", and the value contains "\${"`);
  const parts: PatternPart[] = [];
  let from = 0;
  for (let open = text.indexOf('${'); open >= 0; open = text.indexOf('${', from)) {
    parts.push(...patternOf(text.slice(from, open)));
    const close = text.indexOf('}', open);
    const value = close < 0 ? malformed : valueInside(text.slice(open + 2, close), request);
    if (typeof value !== 'string') return value ?? 'none';
    // What a variable stands for is text: a "*" in it is no wildcard.
    parts.push({ literal: value });
    from = close + 1;
  }
  return parts.concat(patternOf(text.slice(from)));
}

const malformed = unknown('a value contains a "${" that does not begin a policy variable');

function valueInside(inside: string, request: WebIdentity): string | undefined | Unknown {
  if (ESCAPES.has(inside)) return inside;
  const [, key, fallback] = VARIABLE.exec(inside) ?? [];
  if (key === undefined) return malformed;
  const found = lookUp(key.trim(), request);
  if (found === 'absent') return fallback;
  return 'unknown' in found ? found : found.value;
}

/** The text that a resolved value stands for where wildcards mean nothing, as under `StringEquals`. */
export function literally(parts: readonly PatternPart[]): string {
  return parts.map((part) => ('literal' in part ? part.literal : part.wildcard)).join('');
}
