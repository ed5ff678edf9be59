import type { ContextIndex } from './context.ts';
import { type PatternPart, patternOf } from './wildcard.ts';

const VARIABLE = /\$\{([^}]*)\}/g;

/** `${*}`, `${?}` and `${$}` stand for the characters themselves (IAM user guide, "Policy elements: Variables and tags"). */
const SPECIAL = new Set(['*', '?', '$']);

const literally = (text: string): PatternPart[] => [...text].map((character) => ({ literal: character }));

/**
 * A condition value as a pattern, its variables filled in. Undefined when a variable has no value in this request and no default: then
 * nothing can match. What a variable brings in is literal: the request must not be able to smuggle a wildcard into the policy.
 */
export function expandVariables(text: string, context: ContextIndex): PatternPart[] | undefined {
  const pattern: PatternPart[] = [];
  let end = 0;
  for (const found of text.matchAll(VARIABLE)) {
    const replacement = replacementFor(found[1] ?? '', context);
    if (replacement === undefined) return undefined;
    pattern.push(...patternOf(text.slice(end, found.index)), ...literally(replacement));
    end = found.index + found[0].length;
  }
  return [...pattern, ...patternOf(text.slice(end))];
}

function replacementFor(variable: string, context: ContextIndex): string | undefined {
  if (SPECIAL.has(variable)) return variable;
  const [, key = '', fallback] = /^\s*([^,]*?)\s*(?:,\s*'([^']*)'\s*)?$/.exec(variable) ?? [];
  const values = context.get(key.toLowerCase());
  // A key with several values cannot be put into a single place.
  return values?.length === 1 ? values[0] : fallback;
}
