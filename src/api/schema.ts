import { z } from 'zod';

/** CEL rules for the CRD. zod's `.refine` vanishes from a JSON schema, so rules beyond a pattern stand twice: here, and in the parser. */
export function cel(...rules: readonly (readonly [rule: string, message: string])[]): Record<string, unknown> {
  return { 'x-kubernetes-validations': rules.map(([rule, message]) => ({ rule, message })) };
}

export function immutable(field: string): Record<string, unknown> {
  return cel(['self == oldSelf', `${field} is immutable. Create another binding and delete this one`]);
}

/** A DNS-1123 subdomain, as Kubernetes names ServiceAccounts. */
const DNS_1123 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export function dnsName(description: string, extra: Record<string, unknown> = {}) {
  return z
    .string()
    .min(1)
    .max(253)
    .regex(DNS_1123)
    .meta({ description, ...extra });
}

/** IAM: a client ID has 255 characters at most. Blanks and control characters are in none. */
export function audience(description: string) {
  return z
    .string()
    .min(1)
    .max(255)
    .regex(/^[!-~]+$/)
    .meta({ description });
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
