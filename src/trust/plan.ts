import type { RoleArn } from '../api/arn.ts';
import { type Finding, finding } from '../api/finding.ts';
import { isProblem, type Problem } from '../api/problem.ts';
import { otherCluster, pruneCommand } from '../api/prune-command.ts';
import { atOnce, type Stepwise } from '../api/stepwise.ts';
import { subjectKey, type TokenSubject } from '../api/subject.ts';
import { diagnoseJudged, unreadable } from './diagnose/diagnose.ts';
import { writeObstacles } from './diagnose/document.ts';
import { isRestriction, restriction } from './diagnose/restriction.ts';
import { compacted, type PolicyDocument, reparsed, type Statement } from './document/document.ts';
import { allOwn, findOwn, isOfSibling, type Ours, previously, sidFor } from './document/own-statement.ts';
import { quote } from './document/quote.ts';
import { judgeStatements, verdictOf, type WebIdentity } from './evaluate/evaluate.ts';
import { statementsOfNobody, subjectsOfNobody } from './of-nobody.ts';
import { ownSubjects } from './own-subjects.ts';
import { type Subjects, withSubjects } from './pack.ts';

/** A subject that is to be in our statement. */
export interface WantedSubject extends TokenSubject {
  /** Its ServiceAccount does not exist: it is not added where space is short. */
  readonly absent?: boolean;
  /** It is not added where our statements have so many subjects of its namespace. */
  readonly namespaceLimit?: number;
  /** It is to stand in our own statement also where one of another cluster with this issuer lets it in. */
  readonly own?: boolean;
}

/** What the bindings of one role want of its trust policy: of our statement in it. */
export interface DesiredStatement extends Ours {
  readonly role: RoleArn;
  /** The oldest binding first: when not all fit, a newcomer never evicts. */
  readonly wanted: readonly WantedSubject[];
  /** Only on positive evidence. What is released and wanted at once is released, so do not release what another binding wants. */
  readonly released: readonly TokenSubject<string>[];
  /** Characters (`AssumeRolePolicySizeQuota`). */
  readonly quota: number;
  readonly now?: number;
  readonly roleTags?: ReadonlyMap<string, string>;
  /** The ARNs of all OIDC providers of the role's account; without them no statement is known to be of use to nobody. */
  readonly providers?: ReadonlySet<string>;
}

/** This part of the quota is kept for ServiceAccounts that exist: names cost nothing, and a tenant could fill a shared role with them. */
const KEPT_FREE = 1 / 4;

/** What STS will say once the plan's document is written (or now, when there is nothing to write). */
export type PlannedVerdict = TokenSubject & {
  /** Most telling first. An allowed subject has warnings at most. */
  readonly findings: readonly Finding[];
} & (
    | { readonly state: 'allowed'; readonly managedBy: 'Operator' | 'Others' }
    | { readonly state: 'refused' }
    | { readonly state: 'unknown'; readonly reason: string }
  );

/** An edit of a trust policy, and a verdict for each wanted subject. */
export interface TrustPlan {
  /** The text to send; undefined when there is nothing to write. */
  readonly document: string | undefined;
  /** One for each wanted, in the same order. */
  readonly verdicts: readonly PlannedVerdict[];
  /** About the document as a whole. */
  readonly findings: readonly Finding[];
  /**
   * Of the document to send, or of the one that stands, and what the account allows. White space between tokens does not count
   * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html says so of inline and managed policies), and what we send
   * has none.
   */
  readonly size: { readonly characters: number; readonly quota: number };
  /** Subjects of ours that nobody wants or releases: they are kept. */
  readonly orphans: readonly TokenSubject<string>[];
}

/**
 * The edit that makes the trust policy say what the bindings want: the subjects of our statement become (standing + wanted) - released,
 * everything else stays as it is. Planning again on the result gives nothing to do.
 */
export function planTrust(document: PolicyDocument | Problem, desired: DesiredStatement): TrustPlan {
  return atOnce(planTrustStepwise(document, desired));
}

/** The same, a subject a step: a team can want any number of them. */
export function* planTrustStepwise(document: PolicyDocument | Problem, desired: DesiredStatement): Stepwise<TrustPlan> {
  if (isProblem(document)) return unreadablePlan(document, desired);
  const before = compacted(document);
  const moved = moveOut(before, desired, [...desired.released, ...desired.wanted.filter(({ own }) => own)]);
  const plan = yield* planFrom(moved, before, desired);
  // Two statements take more room than one. What does not fit there stays where it is.
  const stood = new Set(moved === before ? [] : ownSubjects(before, desired).map(subjectKey));
  const isLost = plan.verdicts.some((verdict) => verdict.state !== 'allowed' && stood.has(subjectKey(verdict)));
  return isLost ? yield* planFrom(moveOut(before, desired, desired.released), before, desired) : plan;
}

/** Takes these subjects out of the statements that the cluster has under its previous ID. */
function moveOut(document: PolicyDocument, desired: DesiredStatement, leaving: readonly TokenSubject<string>[]): PolicyDocument {
  const ours = previously(desired);
  if (ours === undefined) return document;
  const own = ownByAudience(document, { ...desired, ...ours });
  return edited(document, ours, changes(own, release(own, leaving)));
}

function edited(document: PolicyDocument, ours: Ours, changed: Subjects): PolicyDocument {
  const text = withSubjects(document, ours, changed);
  return text === document.text ? document : reparsed(text);
}

/** What is left of them without a subject goes, once another statement is there. */
function withoutEmpty(document: PolicyDocument, desired: DesiredStatement): PolicyDocument {
  const ours = previously(desired);
  if (ours === undefined || document.statements.length === 1) return document;
  const empty = allOwn(document, ours).filter(({ subjects }) => subjects.length === 0);
  return edited(document, ours, new Map(empty.map(({ audience }) => [audience, []])));
}

/** `start` is the document that stands, without what leaves the statements under the previous ID. */
function* planFrom(start: PolicyDocument, standing: PolicyDocument, desired: DesiredStatement): Stepwise<TrustPlan> {
  const own = ownByAudience(start, desired);
  const released = release(own, desired.released);
  const admitted = yield* admit(start, own, released, desired);
  const { refusals } = admitted;
  const end = admitted.text === start.text ? start : reparsed(admitted.text);
  const after = start === standing ? end : withoutEmpty(end, desired);
  const orphans = orphansOf(after, desired);
  const verdicts: PlannedVerdict[] = [];
  for (const trusted of desired.wanted) {
    verdicts.push(verdictOn(after, trusted, refusals.get(subjectKey(trusted)), desired));
    yield;
  }
  return {
    document: after === standing ? undefined : after.text,
    verdicts,
    findings: [
      ...unreleasable(own, desired),
      ...(after === standing ? [] : writeObstacles(after, desired)),
      ...orphanFindings(orphans, desired),
    ],
    size: { characters: after.text.length, quota: desired.quota },
    orphans,
  };
}

/** The subjects of our statements that can be edited, by audience; an audience whose Sid is taken has none. */
function ownByAudience(document: PolicyDocument, desired: DesiredStatement): Subjects {
  const { wanted, released } = desired;
  const audiences = new Set([...wanted, ...released].map(({ audience }) => audience));
  const own = new Map<string, readonly string[]>();
  for (const audience of audiences) {
    const found = findOwn(document, desired, audience);
    if (found !== 'taken') own.set(audience, found?.subjects ?? []);
  }
  return own;
}

function release(own: Subjects, leaving: readonly TokenSubject<string>[]): Subjects {
  const gone = new Set(leaving.map(subjectKey));
  return new Map(
    [...own].map(([audience, subjects]) => [audience, subjects.filter((subject) => !gone.has(subjectKey({ subject, audience })))]),
  );
}

/** A statement that was changed under our Sid is foreign now: what is released from it stays, and that is reported. */
function unreleasable(own: Subjects, desired: DesiredStatement): Finding[] {
  const audiences = new Set(desired.released.map(({ audience }) => audience));
  return [...audiences].filter((audience) => !own.has(audience)).map((audience) => sidTaken(audience, desired));
}

/** The text with the wanted added, those of ServiceAccounts that exist before the others, the oldest first, each only where nothing speaks against it and it fits. */
function* admit(
  document: PolicyDocument,
  own: Subjects,
  start: Subjects,
  desired: DesiredStatement,
): Stepwise<{ text: string; refusals: ReadonlyMap<string, Finding> }> {
  const gone = new Set(desired.released.map(subjectKey));
  const refusals = new Map<string, Finding>();
  const crowdedOut: WantedSubject[] = [];
  const counts = countByNamespace(document, own, start, desired);
  const textWith = (subjects: Subjects) => withSubjects(document, desired, changes(own, subjects));
  let subjects = start;
  let text = textWith(start);
  let lengthWith = lengthsWith(subjects, textWith);
  for (const trusted of desired.wanted.toSorted((a, b) => Number(a.absent ?? false) - Number(b.absent ?? false))) {
    if (gone.has(subjectKey(trusted)) || subjects.get(trusted.audience)?.includes(trusted.subject)) continue;
    yield;
    const objection = objectionTo(document, trusted, own, desired);
    if (objection === 'needless') continue;
    if (objection !== undefined) {
      refusals.set(subjectKey(trusted), objection);
      continue;
    }
    const namespace = namespaceOf(trusted);
    const count = counts.get(namespace) ?? 0;
    if (count >= (trusted.namespaceLimit ?? Number.POSITIVE_INFINITY)) {
      refusals.set(subjectKey(trusted), limitReached(trusted, desired));
      continue;
    }
    if (lengthWith(trusted) > roomFor(trusted, desired)) {
      crowdedOut.push(trusted);
      continue;
    }
    subjects = add(subjects, trusted);
    text = textWith(subjects);
    lengthWith = lengthsWith(subjects, textWith);
    counts.set(namespace, count + 1);
  }
  // Found out once for all of them.
  const useless = crowdedOut.length === 0 ? [] : uselessIn(document, desired);
  // Only now: a message that counts on the way would change with the next plan.
  for (const trusted of crowdedOut) {
    const characters = lengthWith(trusted);
    const why =
      characters > desired.quota ? tooLarge(characters, trusted, useless, desired) : serviceAccountMissing(characters, trusted, desired);
    refusals.set(subjectKey(trusted), why);
  }
  return { text, refusals };
}

/**
 * How long the text becomes with one subject more. It is written once for each audience: with another subject in its place it differs by the
 * difference of the two alone.
 */
function lengthsWith(subjects: Subjects, textWith: (subjects: Subjects) => string): (one: TokenSubject) => number {
  const others = new Map<string, number>();
  return (one) => {
    const own = JSON.stringify(one.subject).length;
    let other = others.get(one.audience);
    if (other === undefined) {
      other = textWith(add(subjects, one)).length - own;
      others.set(one.audience, other);
    }
    return other + own;
  };
}

function roomFor({ absent }: WantedSubject, { quota }: DesiredStatement): number {
  return absent ? quota * (1 - KEPT_FREE) : quota;
}

/** Of all our statements, as they are with `start` in place of `own`: orphans count too. */
function countByNamespace(document: PolicyDocument, own: Subjects, start: Subjects, desired: DesiredStatement): Map<string, number> {
  const { wanted } = desired;
  const counts = new Map<string, number>();
  // Counted only where it matters.
  if (wanted.every(({ namespaceLimit }) => namespaceLimit === undefined)) return counts;
  const others = allOwn(document, desired).filter(({ audience }) => !own.has(audience));
  for (const subject of [...others.map(({ subjects }) => subjects), ...start.values()].flat()) {
    const namespace = namespaceOf({ subject });
    counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  }
  return counts;
}

/** Of `system:serviceaccount:<namespace>:<name>`. */
function namespaceOf({ subject }: { readonly subject: string }): string {
  return subject.split(':')[2] ?? '';
}

function add(subjects: Subjects, { subject, audience }: TokenSubject): Subjects {
  return new Map(subjects).set(audience, [...(subjects.get(audience) ?? []), subject]);
}

/** Why a subject is not to be added to our statement; `needless` when it is allowed without. */
function objectionTo(
  document: PolicyDocument,
  trusted: WantedSubject,
  own: Subjects,
  desired: DesiredStatement,
): Finding | 'needless' | undefined {
  const { subject, audience } = trusted;
  const request = requestFor(trusted, desired);
  const judged = judgeStatements(document, request);
  const counts = (statement: Statement) => trusted.own !== true || !isOfSibling(statement, desired);
  const allows = judged.some(({ effect, truth, statement }) => effect === 'Allow' && truth === true && counts(statement));
  const denies = judged.some(({ effect, truth }) => effect === 'Deny' && truth === true);
  // A Deny that matches is diagnosed from the document itself; nothing that we write could help.
  if (allows || denies) return 'needless';
  const say = (text: string) => `trust policy of ${desired.role}: ${text}`;
  if (!isExact(subject) || audience === '' || audience.includes('${')) {
    return finding(
      'TrustSubjectMalformed',
      say(`irsa-operator does not write ${quote(subject)} with the audience ${quote(audience)}. Wanted: exact names`),
    );
  }
  if (!own.has(audience)) return sidTaken(audience, desired);
  const restricted = judged.find((one) => isRestriction(one, request));
  return restricted && finding('TrustRestrictedByOwner', say(restriction(restricted, request).text));
}

function sidTaken(audience: string, { role, issuer, clusterId }: DesiredStatement): Finding {
  const sid = quote(sidFor(issuer, audience, clusterId));
  return finding(
    'TrustSidTaken',
    `trust policy of ${role}: the statement ${sid} has the Sid of irsa-operator, but not the form that irsa-operator writes. Another writer changed it, so irsa-operator does not change it. To free the Sid, give the statement another Sid or remove it`,
  );
}

/** What a ServiceAccount's token can carry: two names of Kubernetes, which begin and end with a letter or digit; no wildcard, no policy variable. */
function isExact(subject: string): boolean {
  const [prefix, kind, ...names] = subject.split(':');
  return prefix === 'system' && kind === 'serviceaccount' && names.length === 2 && names.every((name) => NAME.test(name));
}
const NAME = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;

/** In words, what no cluster uses. */
function uselessIn(document: PolicyDocument, desired: DesiredStatement): string[] {
  return [...statementsOfNobody(document, desired), ...subjectsOfNobody(orphansOf(document, desired).length, desired.clusterId)];
}

function tooLarge(characters: number, { subject }: TokenSubject, useless: readonly string[], { role, quota }: DesiredStatement): Finding {
  const first = useless.length === 0 ? 'Ask' : `First remove what no cluster uses: ${useless.join(', and ')}. Or ask`;
  return finding(
    'TrustPolicyTooLarge',
    `trust policy of ${role}: with ${quote(subject)} it would have ${characters} characters, but the account's quota is ${quota}. ${first} AWS for a higher quota (IAM, "Role trust policy length"), or use another role`,
  );
}

function serviceAccountMissing(characters: number, trusted: WantedSubject, desired: DesiredStatement): Finding {
  const { role, quota } = desired;
  return finding(
    'ServiceAccountMissing',
    `${quote(trusted.subject)} is not added to the trust policy of ${role}: its ServiceAccount does not exist, and with it the policy would have ${characters} of ${quota} characters. Above ${roomFor(trusted, desired)}, irsa-operator adds only ServiceAccounts that exist. Create the ServiceAccount`,
  );
}

function limitReached(trusted: WantedSubject, { role }: DesiredStatement): Finding {
  return finding(
    'GrantLimitReached',
    `trust policy of ${role}: the statement of irsa-operator has as many subjects of namespace ${quote(namespaceOf(trusted))} as the IrsaGrant allows, ${trusted.namespaceLimit}. Delete bindings that you do not need, or ask a platform engineer to raise spec.limits.subjectsPerNamespace`,
  );
}

/** Only the audiences whose set of subjects differs from what stands: a change of order is no change. */
function changes(own: Subjects, wanted: Subjects): Subjects {
  return new Map([...wanted].filter(([audience, subjects]) => new Set(own.get(audience)).symmetricDifference(new Set(subjects)).size > 0));
}

function verdictOn(
  document: PolicyDocument,
  trusted: TokenSubject,
  refusal: Finding | undefined,
  desired: DesiredStatement,
): PlannedVerdict {
  const request = requestFor(trusted, desired);
  const judged = judgeStatements(document, request);
  const diagnosed = diagnoseJudged(document, judged, request, desired).filter(({ code }) => code !== refusal?.code);
  const findings = refusal === undefined ? diagnosed : [refusal, ...diagnosed];
  const verdict = verdictOf(judged);
  if (verdict.kind === 'allowed') return { ...trusted, state: 'allowed', managedBy: verdict.ours ? 'Operator' : 'Others', findings };
  if (verdict.kind === 'unknown') return { ...trusted, state: 'unknown', reason: verdict.reason, findings };
  return { ...trusted, state: 'refused', findings };
}

function orphansOf(document: PolicyDocument, desired: DesiredStatement): TokenSubject<string>[] {
  const { wanted, released } = desired;
  const known = new Set([...wanted, ...released].map(subjectKey));
  return allOwn(document, desired).flatMap(({ audience, subjects }) =>
    subjects.filter((subject) => !known.has(subjectKey({ subject, audience }))).map((subject) => ({ subject, audience })),
  );
}

/** Counted, not named: the finding stands in every binding's status, and the subjects are other tenants'. */
function orphanFindings(orphans: readonly unknown[], { role, clusterId }: DesiredStatement): Finding[] {
  if (orphans.length === 0) return [];
  const isOne = orphans.length === 1;
  const found = `${isOne ? 'a subject' : `${orphans.length} subjects`} that no binding of this cluster names`;
  const kept = isOne ? 'It is kept while a grant covers it' : 'They are kept while a grant covers them';
  const unneeded = isOne ? 'it is no longer needed' : 'they are no longer needed';
  const advice =
    clusterId === undefined ? `${otherCluster(isOne ? 'it' : 'them')}. If there is no other, and ${unneeded}` : `If ${unneeded}`;
  const message = `trust policy of ${role}: the statement of irsa-operator trusts ${found}. ${kept}. ${advice}, run: ${pruneCommand(clusterId)}`;
  return [finding('TrustOrphaned', message)];
}

function unreadablePlan(document: Problem, desired: DesiredStatement): TrustPlan {
  const findings = [unreadable(document, desired)];
  return {
    document: undefined,
    verdicts: desired.wanted.map((trusted) => ({ ...trusted, state: 'unknown', reason: document.problem, findings })),
    findings,
    size: { characters: 0, quota: desired.quota },
    orphans: [],
  };
}

function requestFor({ subject, audience }: TokenSubject, { provider, issuer, clusterId, now, roleTags }: DesiredStatement): WebIdentity {
  return {
    provider,
    issuer,
    clusterId,
    subject,
    audience,
    ...(now === undefined ? {} : { now }),
    ...(roleTags === undefined ? {} : { roleTags }),
  };
}
