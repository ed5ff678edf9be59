import * as z from 'zod';
import { cut, lengthOf } from './cut.ts';

/** A rule in CEL, the sentence where it does not hold, and that sentence as CEL where it quotes what was found. */
export type CelRule = readonly [rule: string, message: string, messageExpression?: string];

/** CEL rules for the CRD. zod's `.refine` vanishes from a JSON schema, so rules beyond a pattern stand twice: here, and in the parser. */
export function cel(...rules: readonly CelRule[]): Record<string, unknown> {
  return {
    'x-kubernetes-validations': rules.map(([rule, message, messageExpression]) => ({
      rule,
      message,
      ...(messageExpression !== undefined && { messageExpression }),
    })),
  };
}

export function immutable(field: string): CelRule {
  return ['self == oldSelf', `${field} is immutable. Create another binding and delete this one`];
}

/** Whose limit a text has, and how it is called in a message. */
interface Limit {
  readonly name: string;
  readonly most: number;
  readonly by: 'IAM' | 'Kubernetes';
}

/** What a text may hold, too. */
interface Limits extends Limit {
  readonly pattern: RegExp;
  /** The pattern in words. */
  readonly allowed: string;
  readonly mayBeEmpty?: true;
}

/** The schema lets more pass than the limit: its own message does not say how long the text is. */
const SLACK = 4;

export const tooLong = (name: string, length: number, { most, by }: Pick<Limit, 'most' | 'by'>): string =>
  `${name} has ${length} characters, and ${by} allows ${most}. Shorten it`;

/** The same sentence, by the API server. */
export function celTooLong(name: string, of: string, { most, by }: Pick<Limit, 'most' | 'by'>) {
  // The API server has no bound for what `+` makes of a number, and refuses the rule.
  const text = `${JSON.stringify(`${name} has %d characters, and ${by} allows ${most}. Shorten it`)}.format([size(${of})])`;
  return [
    `size(${of}) <= ${most}`,
    `${name} has too many characters, and ${by} allows ${most}. Shorten it`,
    text,
  ] as const satisfies CelRule;
}

interface Text {
  readonly most: number;
  readonly description: string;
  readonly rules: readonly CelRule[];
  /** What the parser says of one that the rules refuse. */
  readonly wrong?: (value: string) => string | undefined;
  readonly mayBeEmpty?: true | undefined;
}

/** A text that the API server checks by rules, each with a sentence of its own. The parser takes it at any length, to say that length. */
export function text({ most, description, rules, wrong, mayBeEmpty }: Text) {
  const base = mayBeEmpty ? z.string() : z.string().min(1);
  return base
    .superRefine((value, issues) => {
      const message = wrong?.(value);
      if (message !== undefined) issues.addIssue({ code: 'custom', message });
    })
    .meta({ maxLength: most * SLACK, description, ...cel(...rules) });
}

const wrongCharacters = (name: string, { by, allowed }: Limits): string =>
  `${name} has a character or a form that ${by} does not allow. Allowed: ${allowed}`;

/** A text with the limits of whoever gets it. What is wrong with it is said with its length, by the API server and by the parser. */
export function limited(limits: Limits, description: string, ...rules: readonly CelRule[]) {
  const { name, most, pattern, mayBeEmpty } = limits;
  const characters = wrongCharacters(name, limits);
  return text({
    most,
    description,
    rules: [celTooLong(name, 'self', limits), [`self.matches(${JSON.stringify(pattern.source)})`, characters], ...rules],
    wrong(value) {
      const length = lengthOf(value);
      if (length > most) return tooLong(name, length, limits);
      return pattern.test(value) ? undefined : characters;
    },
    mayBeEmpty,
  });
}

/**
 * Texts by key. Of a key the API server judges the length alone: for the rest of a rule about keys it has no bound, and refuses it. Its
 * characters are judged by the parser.
 */
export function limitedMap(key: Limits, value: z.ZodType<string, string>, most: number) {
  const tooMany = `at most ${most} entries are allowed. Remove some`;
  const empty = `${key.name} is empty. Remove it`;
  const longest = `self.filter(k, size(k) > ${key.most})[0]`;
  const [, message, expression] = celTooLong(key.name, longest, key);
  return z
    .record(z.string(), value)
    .superRefine((map, issues) => {
      const keys = Object.keys(map);
      const long = keys.find((one) => lengthOf(one) > key.most);
      const odd = keys.find((one) => one !== '' && lengthOf(one) <= key.most && !key.pattern.test(one));
      const quoted = (one: string) => `${key.name} ${JSON.stringify(cut(one, MOST_QUOTED))}`;
      const add = (text: string) => issues.addIssue({ code: 'custom', message: text });
      if (keys.length > most) add(`it has ${keys.length} entries, and ${tooMany}`);
      if (keys.includes('')) add(empty);
      if (long !== undefined) add(tooLong(quoted(long), lengthOf(long), key));
      if (odd !== undefined) add(wrongCharacters(quoted(odd), key));
    })
    .meta({ maxProperties: most, ...cel([`self.all(k, size(k) <= ${key.most})`, message, expression], ['!("" in self)', empty]) });
}

/** Of a key in a message. */
const MOST_QUOTED = 64;

/** A DNS-1123 subdomain, as Kubernetes names ServiceAccounts. */
const DNS_1123 = {
  most: 253,
  by: 'Kubernetes',
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  allowed: 'lower-case letters, digits, "-" and ".", with a letter or a digit at both ends',
} as const;

export function dnsName(name: string, description: string, ...rules: readonly CelRule[]) {
  return limited({ name, ...DNS_1123 }, description, ...rules);
}

/** IAM: a client ID has 255 characters at most. Blanks and control characters are in none. */
export function audience(description: string) {
  return limited(
    { name: 'the audience', most: 255, by: 'IAM', pattern: /^[!-~]+$/, allowed: 'visible ASCII characters, without blanks' },
    description,
  );
}

/** RFC 3339, which sets no end to the digits of a fraction. */
export function time(description: string) {
  return z.string().max(64).meta({ format: 'date-time', description });
}

export function uid() {
  return z.string().max(64);
}

/** One line about every part of an input that does not fit. */
export function sentenceOf(error: z.ZodError): string {
  return error.issues
    .map((issue) => `${['spec', ...issue.path.map((part) => cut(String(part), MOST_QUOTED))].join('.')}: ${issue.message}`)
    .join('. ');
}
