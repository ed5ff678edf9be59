import { createHash } from 'node:crypto';
import type { ProviderArn } from '../../api/arn.ts';
import { type Issuer, issuerHostPath } from '../../api/issuer.ts';
import { WEB_IDENTITY_ACTION } from '../../api/names.ts';

import { asList, member, type PolicyDocument, type Statement } from './document.ts';
import type { JsonNode, ObjectNode } from './json.ts';

/** Whose statements are ours: those of this cluster, in a role of one account. */
export interface Ours {
  readonly issuer: Issuer;
  /** `providerArnFor(role, issuer)`. */
  readonly provider: ProviderArn;
  /** Tells clusters of one issuer apart; undefined where the issuer is this cluster's alone. */
  readonly clusterId?: string | undefined;
  /** What it was before, empty where there was none: what stands under it is ours until it is moved. */
  readonly previousClusterId?: string | undefined;
}

/** The statement that is ours in a role's trust policy: one for each cluster and audience. */
export interface OwnStatement {
  readonly statement: Statement;
  readonly audience: string;
  /** Without `NOBODY`. */
  readonly subjects: readonly string[];
}

/** IAM takes letters and digits only in a Sid (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html); five bits a character leave sixty bits of the hash. */
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
const SID_LENGTH = 12;
const BITS = 5;
export const SID_PREFIX = 'Irsa';

/** A hash costs as much as judging a document, and a plan asks for the same few Sids again and again. Bounded: audiences stand in foreign documents too. */
const MAX_REMEMBERED = 256;
const remembered = new Map<string, string>();

/** Sids as an operator like us computes them, in whatever cluster it runs. */
export const OPERATOR_SID = /^Irsa[a-z2-7]{12}$/;

/**
 * `Irsa` and twelve characters of a SHA-256 over issuer and audience, with the cluster ID before them where there is one: computed, never read
 * from anywhere, so that nobody can point us at a statement of theirs. The separator occurs neither in an issuer nor in an ID, and no ID is a
 * URL, so no two of them make one text.
 */
export function sidFor(issuer: Issuer, audience: string, clusterId = ''): string {
  const text = `${clusterId === '' ? '' : `${clusterId}\n`}${issuer}\n${audience}`;
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const bits = createHash('sha256').update(text).digest().readBigUInt64BE();
  const letters = Array.from({ length: SID_LENGTH }, (_, at) => BASE32[Number((bits >> BigInt(64 - BITS * (at + 1))) & 31n)]);
  const sid = SID_PREFIX + letters.join('');
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(text, sid);
  return sid;
}

/**
 * A subject that no token can carry: names in Kubernetes begin with a letter or digit. It keeps our statement standing where it is the last
 * one of a document, which IAM would refuse without any.
 */
export const NOBODY = 'system:serviceaccount:-:-';

/** The statement's text: exact subject and audience, always both, no wildcard, the subjects in code-unit order so that it is always the same. */
export function writeOwn({ issuer, provider, clusterId }: Ours, audience: string, subjects: readonly string[]): string {
  const host = issuerHostPath(issuer);
  return JSON.stringify({
    Sid: sidFor(issuer, audience, clusterId),
    Effect: 'Allow',
    Principal: { Federated: provider },
    Action: WEB_IDENTITY_ACTION,
    Condition: {
      StringEquals: { [`${host}:aud`]: audience, [`${host}:sub`]: subjects.length > 0 ? subjects.toSorted(byCodeUnit) : [NOBODY] },
    },
  });
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** Our statement for this audience; `taken` when another statement stands under its Sid, or several do. */
export function findOwn(document: PolicyDocument, ours: Ours, audience: string): OwnStatement | 'taken' | undefined {
  const sid = sidFor(ours.issuer, audience, ours.clusterId);
  const [statement, ...others] = document.statements.filter((candidate) => candidate.sid === sid);
  if (statement === undefined) return undefined;
  const own = readOwn(statement, ours);
  return own === undefined || own.audience !== audience || others.length > 0 ? 'taken' : own;
}

/** Every statement of this cluster, whatever its audience; not those whose Sid stands twice, which nobody can tell apart. */
export function allOwn(document: PolicyDocument, ours: Ours): readonly OwnStatement[] {
  const sids = Map.groupBy(document.statements, ({ sid }) => sid);
  return document.statements
    .filter(({ sid }) => sids.get(sid)?.length === 1)
    .map((statement) => readOwn(statement, ours))
    .filter((own) => own !== undefined);
}

/** Whose statements are ours under the ID that the cluster had before; undefined where it had no other. */
export function previously({ issuer, provider, previousClusterId }: Ours): Ours | undefined {
  return previousClusterId === undefined ? undefined : { issuer, provider, clusterId: previousClusterId };
}

/** In our form, for the same issuer and under another Sid: the operator of another cluster wrote it, and takes it away when it likes. */
export function isOfSibling(statement: Statement, ours: Ours): boolean {
  const { sid } = statement;
  if (sid === undefined || !OPERATOR_SID.test(sid)) return false;
  const form = inOurForm(statement, ours);
  return (
    form !== undefined &&
    [ours, previously(ours)].every((one) => one === undefined || sid !== sidFor(ours.issuer, form.audience, one.clusterId))
  );
}

const MEMBERS = ['Action', 'Condition', 'Effect', 'Principal', 'Sid'];

/**
 * Ours are a Sid that we computed *and* exactly our shape; with another shape somebody made it theirs. Order does not count, nor whether a
 * single value stands in a list: IAM changes both when it stores (boto3 issue 1178).
 */
function readOwn(statement: Statement, ours: Ours): OwnStatement | undefined {
  const found = inOurForm(statement, ours);
  return found !== undefined && statement.sid === sidFor(ours.issuer, found.audience, ours.clusterId) ? found : undefined;
}

function inOurForm(statement: Statement, { issuer, provider }: Ours): OwnStatement | undefined {
  const { node, sid } = statement;
  const host = issuerHostPath(issuer);
  const equals = onlyMember(member(node, 'Condition'), 'StringEquals');
  // The prefix first: it spares all other statements the hash.
  if (!sid?.startsWith(SID_PREFIX) || !hasExactly(node, MEMBERS) || equals?.kind !== 'object') return undefined;
  if (!hasExactly(equals, [`${host}:aud`, `${host}:sub`])) return undefined;
  const audience = single(member(equals, `${host}:aud`));
  const subjects = strings(member(equals, `${host}:sub`));
  if (audience === undefined || subjects === undefined) return undefined;
  if (single(member(node, 'Effect')) !== 'Allow' || single(member(node, 'Action')) !== WEB_IDENTITY_ACTION) return undefined;
  if (single(onlyMember(member(node, 'Principal'), 'Federated')) !== provider) return undefined;
  // We never write a policy variable: a subject with one is somebody else's work, and it may mean anybody.
  if ([audience, ...subjects].some((text) => text.includes('${'))) return undefined;
  return { statement, audience, subjects: [...new Set(subjects)].filter((subject) => subject !== NOBODY) };
}

function hasExactly(node: ObjectNode, names: readonly string[]): boolean {
  return node.members.length === names.length && names.every((name) => member(node, name) !== undefined);
}

function onlyMember(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === 'object' && node.members.length === 1 ? member(node, name) : undefined;
}

function strings(node: JsonNode | undefined): string[] | undefined {
  const values = node === undefined ? [] : asList(node);
  const texts = values.flatMap((value) => (value.kind === 'string' ? [value.value] : []));
  return texts.length > 0 && texts.length === values.length ? texts : undefined;
}

function single(node: JsonNode | undefined): string | undefined {
  const texts = strings(node);
  return texts?.length === 1 ? texts[0] : undefined;
}
