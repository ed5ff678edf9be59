import * as z from 'zod';

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

/** Whose limit a text has, and what it may hold. */
interface Limits {
  /** What the text is called in a message. */
  readonly name: string;
  readonly most: number;
  readonly by: 'IAM' | 'Kubernetes';
  readonly pattern: RegExp;
  /** The pattern in words. */
  readonly allowed: string;
}

/** The schema lets more pass than the limit: its own message does not say how long the text is. */
export const SLACK = 4;

/** The length is that of JavaScript, and that of CEL: where they differ the characters are wrong anyway. */
export const tooLong = (name: string, length: number, { most, by }: Pick<Limits, 'most' | 'by'>): string =>
  `${name} has ${length} characters, and ${by} allows ${most}. Shorten it`;

/** The same sentence, by the API server. */
export function celTooLong(name: string, of: string, { most, by }: Pick<Limits, 'most' | 'by'>): CelRule {
  // The API server has no bound for what `+` makes of a number, and refuses the rule.
  const text = `"${name} has %d characters, and ${by} allows ${most}. Shorten it".format([size(${of})])`;
  return [`size(${of}) <= ${most}`, `${name} has too many characters, and ${by} allows ${most}. Shorten it`, text];
}

/** A text with the limits of whoever gets it. What is wrong with it is said with its length, by the API server and by the parser. */
export function limited(limits: Limits, description: string, ...rules: readonly CelRule[]) {
  const { name, most, by, pattern, allowed } = limits;
  const characters = `${name} has a character or a form that ${by} does not allow. Allowed: ${allowed}`;
  return z
    .string()
    .min(1)
    .max(most * SLACK)
    .refine((text) => text.length <= most, { error: ({ input }) => tooLong(name, String(input).length, limits), abort: true })
    .refine((text) => pattern.test(text), { error: characters })
    .meta({
      description,
      ...cel(celTooLong(name, 'self', limits), [`self.matches(${JSON.stringify(pattern.source)})`, characters], ...rules),
    });
}

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
  return error.issues.map((issue) => `${['spec', ...issue.path].join('.')}: ${issue.message}`).join('. ');
}
