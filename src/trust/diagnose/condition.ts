import { assertNever } from '../../api/assert-never.ts';
import { issuerHostPath } from '../../api/issuer.ts';
import { statementName } from '../document/document.ts';
import { quote } from '../document/quote.ts';
import { scalarText } from '../evaluate/comparisons.ts';
import type { Condition } from '../evaluate/conditions.ts';
import type { Judged, WebIdentity } from '../evaluate/evaluate.ts';
import { keyInWords } from '../evaluate/near.ts';
import { kindOfKey, lookUp } from '../evaluate/request.ts';
import { fold } from '../evaluate/text.ts';
import { isUnknown } from '../evaluate/truth.ts';
import { audienceFinding, subjectFinding } from './claim.ts';
import type { PartialFinding } from './partial-finding.ts';
import { isRestriction, restriction } from './restriction.ts';

/** Of a hostile statement with thousands of conditions the first are enough. */
const MAX_CONDITIONS = 8;

/** What is wrong with the conditions of an Allow, the condition that was most likely meant otherwise first. */
export function conditionFindings(judged: Judged, request: WebIdentity): PartialFinding[] {
  const failing = judged.conditions.filter(({ truth }) => truth !== true).slice(0, MAX_CONDITIONS);
  const partials = failing.map((condition) => partialFindingOn(condition, judged, request));
  const mistakes = failing.flatMap((condition) => mistakeUnderWrongKey(condition, statementName(judged.statement), request));
  // The restriction names its keys itself; only what is known not to hold is worth another sentence.
  if (isRestriction(judged, request)) return [restriction(judged, request), ...partials.filter((_, at) => failing[at]?.truth === false)];
  return [...onePerIssuer(partials), ...mistakes, ...unreadable(judged)];
}

function partialFindingOn(condition: Condition, judged: Judged, request: WebIdentity): PartialFinding {
  const name = statementName(judged.statement);
  const kind = kindOfKey(condition.key, request.issuer);
  const shape = kind === 'subject' || kind === 'audience' ? shapeFinding(condition, judged, name) : undefined;
  if (shape !== undefined) return shape;
  switch (kind) {
    case 'subject':
      return withOthers(subjectFinding(condition, name, request), condition, judged);
    case 'audience':
      return withOthers(audienceFinding(condition, name, request), condition, judged);
    case 'otherProvider':
      return isUnknown(condition.truth) ? otherKey(condition, name, request) : otherProvider(condition, judged, name, request);
    case 'malformed':
      return malformed(condition, name, request);
    case 'claim':
    case 'context':
      return otherKey(condition, name, request);
    default:
      return assertNever(kind);
  }
}

/** Who mends the one that is named would meet the others next. */
function withOthers(partial: PartialFinding, { key, operatorName }: Condition, { conditions }: Judged): PartialFinding {
  const others = conditions.filter((other) => fold(other.key) === fold(key) && other.operatorName !== operatorName);
  if (others.length === 0) return partial;
  const names = others.map((other) => other.operatorName).join(', ');
  return { ...partial, text: `${partial.text} (this is its ${operatorName}. Its ${names} on the same key must hold too)` };
}

/** Conditions on a claim that no value of the claim could fulfil. */
function shapeFinding(condition: Condition, { conditions }: Judged, name: string): PartialFinding | undefined {
  const { operator, operatorName, key, values, truth } = condition;
  if (operator?.comparison === 'Null')
    return {
      code: 'TrustNullCondition',
      text: `${name} requires with ${operatorName} that ${quote(key)} is absent, but every token of a ServiceAccount has it`,
    };
  if (values.length === 0)
    return {
      code: 'TrustConditionUnsatisfiable',
      text: `${name} compares ${quote(key)} with an empty list of values (${operatorName}), which no token can match`,
    };
  const contradicted =
    operator?.negated && conditions.some((other) => other.key === key && other.truth === true && other.operator?.negated === false);
  if (contradicted)
    return {
      code: 'TrustConditionUnsatisfiable',
      text: `${name} requires one value of ${quote(key)} and excludes the same value with ${operatorName}. No token can match both conditions`,
    };
  if (!isUnknown(truth)) return undefined;
  return {
    code: 'TrustConditionUnsatisfiable',
    text: `${name} has the condition ${operatorName} on ${quote(key)}. How STS evaluates it is not known: ${truth.unknown}. Compare the key only once, with StringEquals`,
  };
}

function otherProvider({ key }: Condition, { conditions }: Judged, statement: string, { issuer }: WebIdentity): PartialFinding {
  const wanted = `${issuerHostPath(issuer)}${key.slice(key.lastIndexOf(':'))}`;
  const both = conditions.some((other) => fold(other.key) === fold(wanted));
  if (both) {
    return {
      code: 'TrustMultiIssuerAnd',
      text: `${statement} has conditions for several issuers (${keyInWords(key, issuer, "another issuer's")} and this cluster's). All of them must hold, but a token has only one issuer. Wanted: a separate statement for each cluster`,
    };
  }
  const host = fold(issuerHostPath(issuer));
  const name = fold(key.slice(0, key.lastIndexOf(':')));
  const how = host === `${name}/` ? ' without the slash at its end' : ', truncated';
  const found = host.startsWith(name) ? `the key ${quote(key)} (this cluster's issuer${how})` : keyInWords(key, issuer);
  return {
    code: 'TrustConditionKeyIssuerMismatch',
    text: `${statement} trusts this cluster's provider, but its condition is on ${found}. Tokens of this cluster do not have this key. Wanted: ${quote(wanted)}`,
  };
}

/** A wrong key hides a mistake in its value, which the user who corrects the key would meet next (the article's second cluster has both). */
function mistakeUnderWrongKey(condition: Condition, name: string, request: WebIdentity): PartialFinding[] {
  const isWrong = ['otherProvider', 'malformed'].includes(kindOfKey(condition.key, request.issuer));
  if (!isWrong || !/sub\s*$/i.test(condition.key) || condition.values.some((value) => scalarText(value) === request.subject)) return [];
  const partialFinding = subjectFinding(condition, name, request);
  return partialFinding.code === 'TrustSubjectMismatch' ? [] : [partialFinding];
}

function malformed({ key }: Condition, name: string, { issuer }: WebIdentity): PartialFinding {
  const host = issuerHostPath(issuer);
  const wanted = /aud[\s]*$/i.test(key) ? `${host}:aud` : `${host}:sub`;
  return {
    code: 'TrustConditionKeyMalformed',
    text: `${name} has the condition key ${keyInWords(key, issuer, 'of another issuer')} (${mistake(key, host)}). No request has this key. Wanted: ${quote(wanted)}`,
  };
}

function mistake(key: string, host: string): string {
  if (/^https?:/i.test(key)) return 'keys have no "https://"';
  if (/^arn:/i.test(key)) return 'an ARN, not the name of the issuer';
  if (key !== key.trim()) return 'white space around it';
  if (!key.includes(':')) return key.includes('/') || key.includes('.') ? 'it does not end with ":sub" or ":aud"' : 'it has no issuer';
  if (key.includes('/:') && !key.startsWith(`${host}:`))
    return host.endsWith('/') ? 'a slash too many before the colon' : 'a slash before the colon';
  if (/^[\w-]+:/.test(key)) return `${quote(key.slice(0, key.indexOf(':')))} is not an issuer`;
  return key.startsWith(host) ? 'no claim after the colon' : 'not in the form "<issuer>:<claim>"';
}

/** A key that is no claim which we could set right: not in the request, not known from here, or a value that cannot come. */
function otherKey({ key, operatorName, operator, truth }: Condition, name: string, request: WebIdentity): PartialFinding {
  const condition = `${name} has the condition ${operatorName} on ${keyInWords(key, request.issuer)}`;
  if (isUnknown(truth)) return { code: 'TrustConditionKeyUnknown', text: `${condition}: ${truth.unknown}` };
  if (operator?.comparison.startsWith('Date')) {
    return { code: 'TrustConditionUnsatisfiable', text: `${condition}, which does not hold now` };
  }
  const why = lookUp(key, request) === 'absent' ? "which a ServiceAccount's request does not contain" : 'which does not hold';
  return { code: 'TrustConditionKeyUnknown', text: `${condition}, ${why}` };
}

function unreadable({ members, block, statement }: Judged): PartialFinding[] {
  const reasons = [members, block].flatMap((truth) => (isUnknown(truth) ? [truth.unknown] : []));
  return reasons.map((reason) => ({
    code: 'TrustConditionKeyUnknown' as const,
    text: `${statementName(statement)} cannot be evaluated: ${reason}`,
  }));
}

/** The `sub` and the `aud` of foreign issuers are one mistake, and the plainer word for it is enough. */
function onePerIssuer(partials: readonly PartialFinding[]): PartialFinding[] {
  const mixUp =
    partials.find(({ code }) => code === 'TrustMultiIssuerAnd') ?? partials.find(({ code }) => code === 'TrustConditionKeyIssuerMismatch');
  return partials.filter((one) => one === mixUp || (one.code !== 'TrustMultiIssuerAnd' && one.code !== 'TrustConditionKeyIssuerMismatch'));
}
