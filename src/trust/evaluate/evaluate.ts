import { member, type PolicyDocument, type Statement, statementName } from '../document/document.ts';
import { allOwn } from '../document/own-statement.ts';
import { quote } from '../document/quote.ts';
import { actionMatches } from './actions.ts';
import { type Condition, conditionsOf } from './conditions.ts';
import { type Effect, principalMatches } from './principals.ts';
import type { WebIdentity } from './request.ts';
import { all, isUnknown, type Truth, unknown } from './truth.ts';

export type { WebIdentity } from './request.ts';

interface StatementRef {
  /** From 1. */
  readonly index: number;
  readonly sid: string | undefined;
}

/** What about a statement decided: a condition by its operator and key, or one of its other parts. */
export type Part =
  | { readonly kind: 'effect' | 'action' | 'principal' | 'members' | 'block' }
  | { readonly kind: 'condition'; readonly operator: string; readonly key: string };

/** What STS would say, and the statement and part on which it depends; a condition is named by its operator and key. */
export type TrustVerdict =
  | { readonly kind: 'allowed'; readonly statement: StatementRef; readonly ours: boolean }
  /** `nearest` is the Allow that fails in the fewest parts; a document without any Allow has none. */
  | {
      readonly kind: 'denied';
      readonly explicit: false;
      readonly nearest: { readonly statement: StatementRef; readonly part: Part } | undefined;
    }
  | { readonly kind: 'denied'; readonly explicit: true; readonly statement: StatementRef }
  | { readonly kind: 'unknown'; readonly reason: string; readonly statement: StatementRef; readonly effect: Effect; readonly part: Part };

/**
 * Whether STS would let the token assume the role by this document alone (a resource control policy of the organisation can still deny). A
 * Deny that matches wins, then an Allow that matches
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html). What cannot be known is `unknown`.
 */
export function evaluate(document: PolicyDocument, request: WebIdentity): TrustVerdict {
  return verdictOf(judgeStatements(document, request));
}

/** One statement, part by part; it holds when all of them do (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html: the elements narrow together). */
export interface Judged {
  readonly statement: Statement;
  /** Of its document: which values have variables. */
  readonly version: string | undefined;
  /** Undefined when `Effect` is neither `Allow` nor `Deny`: then it may be either. */
  readonly effect: Effect | undefined;
  readonly ours: boolean;
  readonly action: Truth;
  readonly principal: Truth;
  /** Members that the grammar of trust policies does not have, which may mean anything. */
  readonly members: Truth;
  /** The conditions; empty when there are none, or when the block cannot be read. */
  readonly conditions: readonly Condition[];
  /** Unknown when the block cannot be read. */
  readonly block: Truth;
  readonly truth: Truth;
}

/** Every statement in its order, each by itself: what several of them make together is `verdictOf`. */
export function judgeStatements(document: PolicyDocument, request: WebIdentity): readonly Judged[] {
  const own = allOwn(document, request).find(({ audience }) => audience === request.audience);
  return document.statements.map((statement) => judgeStatement(statement, document.version, request, statement === own?.statement));
}

/**
 * Statements together: an explicit Deny wins, one Allow is enough, and no Allow denies
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html). A Deny that may match makes a matching Allow
 * unknown, and changes nothing where no Allow matches.
 */
export function verdictOf(judged: readonly Judged[]): TrustVerdict {
  const allows = judged.filter(({ effect }) => effect !== 'Deny');
  const denies = judged.filter(({ effect }) => effect !== 'Allow');
  const denied = denies.find((one) => one.effect === 'Deny' && one.truth === true);
  if (denied !== undefined) return { kind: 'denied', explicit: true, statement: refOf(denied.statement) };

  const mayDeny = denies.find(({ truth }) => truth !== false);
  const allowed = allows.filter(({ effect, truth }) => effect === 'Allow' && truth === true);
  const allowing = allowed.find(({ ours }) => ours) ?? allowed[0];
  if (allowing !== undefined) {
    return mayDeny === undefined
      ? { kind: 'allowed', statement: refOf(allowing.statement), ours: allowing.ours }
      : undecided(mayDeny, 'Deny');
  }
  const mayAllow = allows.find(({ truth }) => truth !== false);
  if (mayAllow !== undefined) return undecided(mayAllow, 'Allow');
  return { kind: 'denied', explicit: false, nearest: nearest(allows) };
}

/** `ours`: whether it is the statement that we wrote for this issuer and audience. */
export function judgeStatement(statement: Statement, version: string | undefined, request: WebIdentity, ours = false): Judged {
  const { node } = statement;
  const effectNode = member(node, 'Effect');
  const written = effectNode?.kind === 'string' ? effectNode.value : undefined;
  const effect = written === 'Allow' || written === 'Deny' ? written : undefined;
  const action = actionMatches(node);
  // With an unknown effect the wider reading counts, so that a possible Deny is not overlooked.
  const principal = principalMatches(node, effect ?? 'Deny', request);
  const members = membersKnown(statement);
  const read = conditionsOf(node, version, request);
  const conditions = isList(read) ? read : [];
  const block = isList(read) ? true : read;
  const truth = all([action, principal, ...conditions.map((condition) => condition.truth), members, block]);
  return { statement, version, effect, ours, action, principal, members, conditions, block, truth };
}

function isList(read: readonly Condition[] | Truth): read is readonly Condition[] {
  return Array.isArray(read);
}

const MEMBERS: ReadonlySet<string> = new Set(['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Condition']);

/** A member that trust policies do not have ("Resource", or one that AWS is yet to invent) may narrow the statement: then nobody knows. */
function membersKnown(statement: Statement): Truth {
  const foreign = statement.node.members.find(({ name }) => !MEMBERS.has(name));
  return foreign === undefined ? true : unknown(`it has the member ${quote(foreign.name)}, which trust policies do not have`);
}

function undecided(judged: Judged, effect: Effect): TrustVerdict {
  const { part, truth } = firstOf(judged, isUnknown) ?? {
    part: { kind: 'effect' } as const,
    truth: unknown('its "Effect" is neither "Allow" nor "Deny"'),
  };
  const reason = isUnknown(truth) ? truth.unknown : '';
  return { kind: 'unknown', reason: `${statementName(judged.statement)}: ${reason}`, statement: refOf(judged.statement), effect, part };
}

/** The parts of a statement with what became of them, in the order in which a person reads them. */
export function partsOf(judged: Judged): readonly { readonly part: Part; readonly truth: Truth }[] {
  return [
    { part: { kind: 'action' }, truth: judged.action },
    { part: { kind: 'principal' }, truth: judged.principal },
    { part: { kind: 'members' }, truth: judged.members },
    { part: { kind: 'block' }, truth: judged.block },
    ...judged.conditions.map(({ operatorName: operator, key, truth }) => ({ part: { kind: 'condition', operator, key } as const, truth })),
  ];
}

function firstOf(judged: Judged, wanted: (truth: Truth) => boolean): { readonly part: Part; readonly truth: Truth } | undefined {
  return partsOf(judged).find(({ truth }) => wanted(truth));
}

function nearest(allows: readonly Judged[]): { statement: StatementRef; part: Part } | undefined {
  const failures = (judged: Judged) => partsOf(judged).filter(({ truth }) => truth === false).length;
  const [closest] = allows.toSorted((a, b) => failures(a) - failures(b));
  const failing = closest && firstOf(closest, (truth) => truth === false);
  return closest && failing && { statement: refOf(closest.statement), part: failing.part };
}

function refOf({ index, sid }: Statement): StatementRef {
  return { index, sid };
}
