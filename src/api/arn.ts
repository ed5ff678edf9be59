import { cut } from './cut.ts';
import { type Issuer, issuerHostPath } from './issuer.ts';
import { type Problem, problem } from './problem.ts';
import { type CelRule, celTooLong, tooLong } from './schema.ts';

declare const brand: unique symbol;
/** `arn:<partition>:iam::<account>:role/[<path>/]<name>`, checked by `parseRoleArn`. */
export type RoleArn = string & { readonly [brand]: 'RoleArn' };
/** `arn:<partition>:iam::<account>:oidc-provider/<issuer without https://>`. */
export type ProviderArn = string & { readonly [brand]: 'ProviderArn' };
/** Twelve digits. */
export type AccountId = string & { readonly [brand]: 'AccountId' };

/** The partitions that AWS has (botocore's `partitions.json`). */
export const PARTITIONS = ['aws', 'aws-cn', 'aws-us-gov', 'aws-iso', 'aws-iso-b', 'aws-iso-e', 'aws-iso-f', 'aws-eusc'] as const;
export type Partition = (typeof PARTITIONS)[number];

/** IAM: a role's name has 64 characters at most of these; its path 512 of any printable ASCII. `*` and `?` are left out: they are wildcards elsewhere. */
const NAME = 'A-Za-z0-9+=,.@_-';
const PATH = '\\x21-\\x29\\x2B-\\x2E\\x30-\\x3E\\x40-\\x7E';
export const ROLE_NAME_LIMIT = { most: 64, by: 'IAM' } as const;
export const ROLE_PATH_LIMIT = { most: 512, by: 'IAM' } as const;

/** In the patterns of a grant it stands for any run of characters but `/`. */
export const WILDCARD = '*';
type Wildcard = '' | typeof WILDCARD;

const START = `^arn:(${PARTITIONS.join('|')}):iam::([0-9]{12}):role`;
/** Groups: partition, account, path, name. */
const form = (wildcard: Wildcard) => new RegExp(`${START}(/(?:[${wildcard}${PATH}]+/)*)([${wildcard}${NAME}]+)$`);
const ROLE_ARN = form('');
const ROLE_ARN_PATTERN = form(WILDCARD);

/** 512 of path, 64 of name, and `arn:aws-us-gov:iam::111122223333:role` before them. */
export const ROLE_ARN_MAX_LENGTH = 613;
export const ROLE_ARN_LIMIT = { most: ROLE_ARN_MAX_LENGTH, by: 'IAM' } as const;

export interface RoleArnParts {
  readonly partition: Partition;
  readonly account: AccountId;
  /** With both slashes: `/` or `/team/app/`. */
  readonly path: string;
  readonly name: string;
}

const OTHER_IAM_RESOURCE = /^arn:[a-z0-9-]+:(?:iam|sts)::[0-9]*:(policy|instance-profile|user|group|oidc-provider|assumed-role|root|mfa)\b/;

/** The text may be of any length: what is quoted of it is not. */
const quoted = (text: string): string => `"${cut(text, 160)}"`;

/** The parsed ARN, or a sentence about what is wrong with it (it quotes the text, so that a blank can be seen). */
export function parseRoleArn(text: string): RoleArn | Problem {
  const wrong = wrongRoleArn(text, '');
  return wrong === undefined ? (text as RoleArn) : problem(wrong);
}

/** What is wrong with a pattern for ARNs of roles: one that IAM could have no role for would cover nothing, and nobody would know. */
export const wrongRolePattern = (text: string): string | undefined => wrongRoleArn(text, WILDCARD);

function wrongRoleArn(text: string, wildcard: Wildcard): string | undefined {
  const found = (wildcard === '' ? ROLE_ARN : ROLE_ARN_PATTERN).exec(text);
  if (found === null) return `${quoted(text)} is not the ARN of a role: ${whatIsWrong(text, wildcard)}`;
  const [path = 0, name = 0] = found.slice(3).map((part) => part.replaceAll(WILDCARD, '').length);
  const [nameOf, pathOf] = partsOf(wildcard);
  if (name > ROLE_NAME_LIMIT.most) return `${quoted(text)}: ${tooLong(nameOf, name, ROLE_NAME_LIMIT)}`;
  if (path > ROLE_PATH_LIMIT.most) return `${quoted(text)}: ${tooLong(pathOf, path, ROLE_PATH_LIMIT)}`;
  return undefined;
}

/** A wildcard may stand for nothing, so it does not count. */
function partsOf(wildcard: Wildcard): [name: string, path: string] {
  const counted = wildcard === '' ? '' : ` without "${wildcard}"`;
  return [`the name of the role${counted}`, `the path of the role${counted}`];
}

/**
 * The same for the API server, without look-ahead, which its expressions cannot. From the first slash to the last: what the parser refuses must
 * not be storable, or nothing is known of the object any more.
 */
export function roleArnRules(isForm: string, wildcard: Wildcard): CelRule[] {
  const [nameOf, pathOf] = partsOf(wildcard);
  const without = (text: string) => (wildcard === '' ? text : `${text}.replace("${wildcard}", "")`);
  const allows = (part: 'name' | 'path', characters: string, allowed: string): CelRule => [
    `self.matches(${JSON.stringify(characters)})`,
    `the ${part} of the role has a character or a form that is not allowed. Allowed: ${allowed}`,
  ];
  return [
    [`self.matches(${JSON.stringify(`${START}/`)})`, isForm],
    allows(
      'path',
      `^[^/]*(/([${wildcard}${PATH}]+/)*[^/]*)?$`,
      wildcard === '' ? 'visible ASCII characters except "*" and "?"' : 'visible ASCII characters except "?"',
    ),
    allows('name', `(^|/)[${wildcard}${NAME}]+$`, `letters, digits and "+=,.@_-${wildcard}"`),
    celTooLong(nameOf, without('self.find("[^/]*$")'), ROLE_NAME_LIMIT),
    celTooLong(pathOf, without('self.find("/(.*/)?")'), ROLE_PATH_LIMIT),
  ];
}

function whatIsWrong(text: string, wildcard: Wildcard): string {
  const wanted = 'Wanted: "arn:aws:iam::<12 digits>:role/<path and name>"';
  const other = OTHER_IAM_RESOURCE.exec(text);
  if (other) return `it names a resource of the kind "${other[1]}". ${wanted}`;
  if (text !== text.trim()) return `there is white space around it. ${wanted}`;
  if (wildcard === '' && /[*?]/.test(text)) return `wildcards are for an IrsaGrant, a binding names one role. ${wanted}`;
  if (text.includes('?')) return `"?" is no wildcard, and "*" is. ${wanted}`;
  const account = /^arn:[a-z-]+:iam:[^:]*:([^:]*):/.exec(text)?.[1];
  if (account !== undefined && !/^[0-9]{12}$/.test(account)) return `the account ${quoted(account)} has not twelve digits. ${wanted}`;
  const partition = /^arn:([^:]*):/.exec(text)?.[1];
  if (partition !== undefined && !PARTITIONS.some((known) => known === partition))
    return `AWS has no partition ${quoted(partition)}. ${wanted}`;
  const rest = /^arn:[a-z-]+:iam::[0-9]{12}:role(\/.*)$/s.exec(text)?.[1];
  if (rest?.endsWith('/')) return `it has a path and no name. ${wanted}`;
  const wrong = rest === undefined ? undefined : wrongCharacter(rest, wildcard);
  if (wrong !== undefined) return `IAM does not allow ${wrong} in it. ${wanted}`;
  return `it does not have the form of one. ${wanted}`;
}

/** The first character of path and name that IAM has in neither, as one can see it. */
function wrongCharacter(rest: string, wildcard: Wildcard): string | undefined {
  const name = rest.slice(rest.lastIndexOf('/') + 1);
  const [found] = /[^!-~]/u.exec(rest) ?? new RegExp(`[^${wildcard}${NAME}]`, 'u').exec(name) ?? [];
  if (found === undefined) return undefined;
  if (found === ' ') return 'a blank';
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(found) ? `the character "${found}"` : 'an invisible character';
}

export function roleArnParts(arn: RoleArn): RoleArnParts {
  const [, partition, account, path, name] = ROLE_ARN.exec(arn) ?? [];
  if (!partition || !account || !path || !name) throw new TypeError(`not parsed by parseRoleArn: ${arn}`);
  return { partition: partition as Partition, account: account as AccountId, path, name };
}

/** The provider that a role's account must have for tokens of this issuer. IAM leaves the scheme out (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html). */
export function providerArnFor(role: RoleArn, issuer: Issuer): ProviderArn {
  const { partition, account } = roleArnParts(role);
  return `arn:${partition}:iam::${account}:oidc-provider/${issuerHostPath(issuer)}` as ProviderArn;
}

/** Where any ARN with an account belongs, for example the caller's `arn:aws:sts::111122223333:assumed-role/x/y`. */
export function arnOwner(arn: string): { readonly partition: string; readonly account: AccountId } | undefined {
  const [, partition, account] = /^arn:([a-z0-9-]+):[a-z]+:[^:]*:([0-9]{12}):/.exec(arn) ?? [];
  return partition === undefined ? undefined : { partition, account: account as AccountId };
}

/** Whether this ARN is of the role's account. The same twelve digits may be an account of two partitions, and a call reaches one partition only. */
export function sharesAccount(role: RoleArn, arn: string): boolean {
  const { partition, account } = roleArnParts(role);
  const owner = arnOwner(arn);
  return owner?.partition === partition && owner.account === account;
}

const PROVIDER_RESOURCE = ':oidc-provider/';

/** The issuer that the ARN of an OIDC provider names, without the scheme; undefined where it is no such ARN. */
export function providerHostPath(arn: string): string | undefined {
  const at = arn.indexOf(PROVIDER_RESOURCE);
  return at < 0 ? undefined : arn.slice(at + PROVIDER_RESOURCE.length);
}
