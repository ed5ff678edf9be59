import type { ProviderArn } from '../api/arn.ts';
import type { Issuer } from '../api/issuer.ts';
import { isProblem } from '../api/problem.ts';
import { type PolicyDocument, parseDocument } from './document/document.ts';
import { allOwn } from './document/own-statement.ts';

/** Sids as an operator like us computes them, in whatever cluster it runs (`sidFor`). */
const OPERATOR_SID = /^Irsa[a-z2-7]{12}$/;

/** As it stands in a statement: anything may. */
export interface Named {
  readonly subject: string;
  readonly audience: string;
}

interface Ours {
  readonly issuer: Issuer;
  readonly provider: ProviderArn;
}

/** Whether our statements name the same subjects in both: what was written stands, whatever else changed. */
export function sameOwn(a: PolicyDocument, b: PolicyDocument, ours: Ours): boolean {
  const named = (document: PolicyDocument) => new Set(namedIn(document, ours));
  return named(a).symmetricDifference(named(b)).size === 0;
}

/**
 * Whether somebody took a subject that is wanted out of our statements since `believed`. Where another operator's statement came at the same
 * time it is a lost update between two clusters and nobody's will.
 */
export function undoes(document: PolicyDocument, believed: string, wish: Ours & { readonly wanted: readonly Named[] }): boolean {
  const before = parseDocument(believed);
  if (isProblem(before)) return false;
  const stood = new Set(namedIn(before, wish));
  const stands = new Set(namedIn(document, wish));
  const sids = new Set(before.statements.map(({ sid }) => sid));
  if (document.statements.some(({ sid }) => sid !== undefined && OPERATOR_SID.test(sid) && !sids.has(sid))) return false;
  return wish.wanted.some((one) => stood.has(nameOf(one)) && !stands.has(nameOf(one)));
}

/** Whether a statement of ours names the subject for this audience. */
export function names(document: PolicyDocument, trusted: Named, ours: Ours): boolean {
  return namedIn(document, ours).includes(nameOf(trusted));
}

/** Everybody whom our statements name, for whatever audience. */
export function ownSubjects(document: PolicyDocument, { issuer, provider }: Ours): Named[] {
  return allOwn(document, issuer, provider).flatMap(({ audience, subjects }) => subjects.map((subject) => ({ subject, audience })));
}

/** The text of each of our statements that names somebody. */
export function ownTexts(document: PolicyDocument, { issuer, provider }: Ours): string[] {
  const named = allOwn(document, issuer, provider).filter(({ subjects }) => subjects.length > 0);
  return named.map(({ statement: { node } }) => document.text.slice(node.start, node.end));
}

function namedIn(document: PolicyDocument, ours: Ours): string[] {
  return ownSubjects(document, ours).map(nameOf);
}

function nameOf({ subject, audience }: Named): string {
  return `${subject}\n${audience}`;
}
