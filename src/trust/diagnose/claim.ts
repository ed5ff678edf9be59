import { quote, quoteAll } from '../document/quote.ts';
import { scalarText } from '../evaluate/comparisons.ts';
import type { Condition } from '../evaluate/conditions.ts';
import { nearlyNamesAudience, nearlyNamesSubject, SPACE, withoutSpace } from '../evaluate/near.ts';
import type { WebIdentity } from '../evaluate/request.ts';
import { fold, like } from '../evaluate/text.ts';
import type { PartialFinding } from './partial-finding.ts';

/** Why a condition on `sub` does not hold for this subject; the mistake that was most likely made speaks. */
export function subjectFinding(condition: Condition, name: string, request: WebIdentity): PartialFinding {
  const { subject } = request;
  const values = condition.values.map((value) => scalarText(value) ?? '');
  if (condition.operator?.negated) {
    return {
      code: 'TrustSubjectMismatch',
      text: `${name} excludes this ServiceAccount with ${condition.operatorName} on ${quote(condition.key)}. Wanted: a condition that allows ${quote(subject)}`,
    };
  }
  const isPattern = condition.operator?.comparison === 'StringLike';
  for (const mistake of MISTAKES) {
    for (const value of values) {
      const what = mistake.of(value, request, isPattern);
      if (what !== undefined) return { code: mistake.code, text: `${name} names ${quote(value)} (${what}). Wanted: ${quote(subject)}` };
    }
  }
  const near = values.filter((value) => nearlyNamesSubject(value, subject));
  const others = values.length - near.length;
  const named =
    near.length > 0
      ? quoteAll(near)
      : others === 1
        ? 'another subject, not similar to the wanted one'
        : `${others} other subjects, none of them similar to the wanted one`;
  return { code: 'TrustSubjectMismatch', text: `${name} names ${named}. Wanted: ${quote(subject)}` };
}

interface Mistake {
  readonly code:
    | 'TrustSubjectWhitespace'
    | 'TrustSubjectCase'
    | 'TrustWildcardInStringEquals'
    | 'TrustConditionKeySwapped'
    | 'TrustSubjectMalformed';
  /** What is wrong with this value, if it is this mistake. */
  of(value: string, request: WebIdentity, isPattern: boolean): string | undefined;
}

const PLAIN_CHARACTERS = '"*" and "?" are plain characters here, because only StringLike supports wildcards';

const MISTAKES: readonly Mistake[] = [
  {
    code: 'TrustSubjectWhitespace',
    of: (value, { subject }) => (fold(withoutSpace(value)) === fold(subject) && SPACE.test(value) ? whereSpace(value) : undefined),
  },
  {
    code: 'TrustSubjectCase',
    of: (value, { subject }) => (fold(value) === fold(subject) ? 'the case differs, and subjects are case-sensitive' : undefined),
  },
  {
    code: 'TrustWildcardInStringEquals',
    of: (value, { subject }, isPattern) => (!isPattern && /[*?]/.test(value) && like(value, subject) ? PLAIN_CHARACTERS : undefined),
  },
  {
    code: 'TrustConditionKeySwapped',
    of: (value, { audience }) =>
      value === audience || value === 'sts.amazonaws.com' ? 'an audience under the key of the subject' : undefined,
  },
  { code: 'TrustSubjectMalformed', of: malformation },
];

const SPACE_NAMES: Readonly<Record<string, string>> = {
  ' ': 'a blank',
  '\n': 'a line break',
  '\r': 'a line break',
  '\t': 'a tab',
  '\u00a0': 'a no-break space',
};

function whereSpace(value: string): string {
  const at = value.search(SPACE);
  const what = SPACE_NAMES[value.charAt(at)] ?? 'an invisible character';
  const next = withoutSpace(value.slice(at)).split(':')[0] ?? '';
  if (at === 0) return `${what} at its beginning`;
  if (value.slice(at).trim() === '' || withoutSpace(value.slice(at)) === '') return `${what} at its end`;
  return next === '' ? `${what} before a colon` : `${what} before ${quote(next)}`;
}

function malformation(value: string, { subject }: WebIdentity, isPattern: boolean): string | undefined {
  const parts = value.split(':');
  if (!nearlyNamesSubject(value, subject) || value.includes('${') || (isPattern && /[*?]/.test(value))) return undefined;
  if (/[<>]/.test(value)) return 'it still contains a placeholder';
  if (value.startsWith('arn:')) return 'an ARN, not a subject';
  if (!value.startsWith('system:serviceaccount:')) return 'it does not begin with "system:serviceaccount:"';
  return parts.length === 4 ? undefined : `${parts.length} parts separated by colons, but a subject has 4`;
}

/** Why a condition on `aud` does not hold. */
export function audienceFinding(condition: Condition, name: string, { audience }: WebIdentity): PartialFinding {
  const values = condition.values.map((value) => scalarText(value) ?? '');
  if (condition.operator?.negated)
    return {
      code: 'TrustAudienceMismatch',
      text: `${name} excludes the audience with ${condition.operatorName} on ${quote(condition.key)}. Wanted: a condition that allows ${quote(audience)}`,
    };
  const subject = values.find((value) => fold(value).startsWith('system:serviceaccount'));
  if (subject !== undefined)
    return {
      code: 'TrustConditionKeySwapped',
      text: `${name} compares the audience with a subject. Wanted: ${quote(audience)} here, and the subject under the key that ends in ":sub"`,
    };
  const pattern = values.find((value) => /[*?]/.test(value) && like(value, audience));
  if (pattern !== undefined) {
    return {
      code: 'TrustWildcardInStringEquals',
      text: `${name} names the audience ${quote(pattern)} (${PLAIN_CHARACTERS}). Wanted: ${quote(audience)}`,
    };
  }
  const near = values.filter((value) => nearlyNamesAudience(value, audience));
  const found = near.length > 0 ? `the audience ${quoteAll(near)}` : 'another audience, not similar to the wanted one';
  return { code: 'TrustAudienceMismatch', text: `${name} requires ${found}. Wanted: ${quote(audience)}` };
}
