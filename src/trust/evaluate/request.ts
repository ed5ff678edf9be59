import type { ProviderArn } from '../../api/arn.ts';
import { type Issuer, issuerHostPath } from '../../api/issuer.ts';
import type { Subject } from '../../api/subject.ts';
import { quote } from '../document/quote.ts';
import { fold } from './text.ts';
import { type Unknown, unknown } from './truth.ts';

/** One question to STS: may a token with this `iss`, `sub` and `aud` assume the role? */
export interface WebIdentity {
  /** The provider for the issuer in the role's account: `providerArnFor(role, issuer)`. */
  readonly provider: ProviderArn;
  readonly issuer: Issuer;
  readonly subject: Subject;
  readonly audience: string;
  /** Tells our own statement from that of another cluster with this issuer. */
  readonly clusterId?: string | undefined;
  /** Milliseconds since 1970, for conditions on the time; without it they are unknown. */
  readonly now?: number;
  /** The role's own tags, for `aws:ResourceTag`; without them such conditions are unknown. */
  readonly roleTags?: ReadonlyMap<string, string>;
}

/** What the request context holds under a condition key. */
export type ContextValue = { readonly value: string } | 'absent' | Unknown;

/**
 * Claims that IAM knows for OIDC providers and that the token of a ServiceAccount does not carry
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif).
 */
const ABSENT_CLAIMS: ReadonlySet<string> = new Set(['azp', 'amr', 'email', 'oaud', 'id']);

/**
 * Keys that a web identity's request cannot carry. It is not signed with AWS credentials, so nothing about an AWS principal exists, nor about
 * what issued its credentials; no AWS service makes it; a ServiceAccount's token has no claim for session tags or a source identity; and some
 * keys of STS belong to other calls
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html,
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html and
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html). What a request without a signature has
 * under `aws:PrincipalAccount`, `aws:PrincipalType` and `aws:userid` is documented for none like this: they are unknown, as are all others.
 */
const ABSENT_KEYS: ReadonlySet<string> = new Set(
  [
    'aws:PrincipalOrgID',
    'aws:PrincipalOrgPaths',
    'aws:PrincipalArn',
    'aws:PrincipalIsAWSService',
    'aws:PrincipalServiceName',
    'aws:PrincipalServiceNamesList',
    'aws:username',
    'aws:TokenIssueTime',
    'aws:MultiFactorAuthPresent',
    'aws:MultiFactorAuthAge',
    'aws:SourceIdentity',
    'aws:CalledVia',
    'aws:CalledViaFirst',
    'aws:CalledViaLast',
    'aws:AssumedRoot',
    'aws:ChatbotSourceArn',
    'aws:Ec2InstanceSourceVpc',
    'aws:Ec2InstanceSourcePrivateIPv4',
    'aws:SourceArn',
    'aws:SourceAccount',
    'aws:SourceOrgID',
    'aws:SourceOrgPaths',
    'aws:TagKeys',
    'sts:ExternalId',
    'sts:SourceIdentity',
    'sts:TransitiveTagKeys',
    'sts:AWSServiceName',
    'sts:TaskPolicyArn',
    'sts:RequestContextProviders',
    'sts:IdentityTokenAudience',
    'sts:SigningAlgorithm',
    'ec2:RoleDelivery',
    'ec2:SourceInstanceArn',
    'codebuild:BuildArn',
    'codebuild:ProjectArn',
    'glue:CredentialIssuingService',
    'glue:RoleAssumedBy',
    'identitystore:UserId',
    'lambda:SourceFunctionArn',
    'ssm:SourceInstanceArn',
  ].map(fold),
);
const ABSENT_PREFIXES = ['aws:PrincipalTag/', 'aws:RequestTag/', 'sts:RequestContext/', 'saml:'].map(fold);

/** Before `:sub` or `:aud` any other word without a dot was to be an issuer. */
const NO_ISSUERS: ReadonlySet<string> = new Set(['aws', 'sts', 'saml']);

const RESOURCE_TAG = fold('aws:ResourceTag/');
const CURRENT_TIME = fold('aws:CurrentTime');
const EPOCH_TIME = fold('aws:EpochTime');
const SECURE_TRANSPORT = fold('aws:SecureTransport');
const VIA_SERVICE = fold('aws:ViaAWSService');
const RESOURCE_ACCOUNT = fold('aws:ResourceAccount');

const MS_PER_SECOND = 1000;

/**
 * What a condition key is about: a claim of this cluster's tokens, the same of another identity provider, something else of the request, or
 * nothing at all, because it has not the form of a key (an ARN or a URL before the claim, no claim, white space).
 */
export type KeyKind = 'subject' | 'audience' | 'claim' | 'otherProvider' | 'context' | 'malformed';

/** Names of keys are compared without regard to case (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html). */
export function kindOfKey(key: string, issuer: Issuer): KeyKind {
  const exact = issuerHostPath(issuer);
  if (key === `${exact}:sub`) return 'subject'; // nearly always written so: spares the rest
  const name = fold(key);
  const host = fold(exact);
  if (name === `${host}:sub`) return 'subject';
  if (name === `${host}:aud`) return 'audience';
  if (name.startsWith(`${host}:`)) return /^[a-z0-9._-]+$/.test(name.slice(host.length + 1)) ? 'claim' : 'malformed';
  // A slash that this issuer has not, or one too many: other issuers may end with one, but this was meant to be ours.
  if (/^(?:arn|https?):/.test(name) || name.startsWith(`${host}/:`)) return 'malformed';
  const [, word] = /^([a-z0-9_-]+):(?:sub|aud)$/.exec(name.trim()) ?? [];
  if (word !== undefined && !NO_ISSUERS.has(word)) return 'malformed';
  // Also with a blank around it: what IAM makes of that nobody knows, and whoever wrote it meant to limit something.
  if (/^[a-z0-9-]+:./.test(name.trim())) return 'context';
  if (name !== name.trim()) return 'malformed';
  return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:\/[a-z0-9._~-]+)*\/?:[a-z0-9._-]+$/.test(name) ? 'otherProvider' : 'malformed';
}

/** What STS would find under this key. */
export function lookUp(key: string, request: WebIdentity): ContextValue {
  switch (kindOfKey(key, request.issuer)) {
    case 'subject':
      return { value: request.subject };
    case 'audience':
      return { value: request.audience };
    case 'claim':
      return ABSENT_CLAIMS.has(fold(key).slice(issuerHostPath(request.issuer).length + 1)) ? 'absent' : hidden(key);
    case 'otherProvider':
    case 'malformed':
      return 'absent';
    case 'context':
      return lookUpContext(key, request);
  }
}

function lookUpContext(key: string, { now, roleTags, provider }: WebIdentity): ContextValue {
  const name = fold(key);
  if (name === CURRENT_TIME) return now === undefined ? hidden(key) : { value: new Date(now).toISOString() };
  if (name === EPOCH_TIME) return now === undefined ? hidden(key) : { value: String(Math.floor(now / MS_PER_SECOND)) };
  // STS has no endpoint without TLS (https://docs.aws.amazon.com/general/latest/gr/sts.html).
  if (name === SECURE_TRANSPORT) return { value: 'true' };
  // The pod makes the call itself, and the role is in the account of the provider.
  if (name === VIA_SERVICE) return { value: 'false' };
  if (name === RESOURCE_ACCOUNT) return { value: provider.split(':')[4] ?? '' };
  if (name.startsWith(RESOURCE_TAG)) return tag(key, name.slice(RESOURCE_TAG.length), roleTags);
  if (ABSENT_KEYS.has(name) || ABSENT_PREFIXES.some((prefix) => name.startsWith(prefix))) return 'absent';
  return hidden(key);
}

/** Keys of tags, too, are compared without regard to case (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag). */
function tag(key: string, name: string, tags: ReadonlyMap<string, string> | undefined): ContextValue {
  if (tags === undefined) return hidden(key);
  const values = [...tags].filter(([tagKey]) => fold(tagKey) === name).map(([, value]) => value);
  if (values.length > 1) return unknown(`the role has several tags that match ${quoteKey(key)}`);
  const value = values[0];
  return value === undefined ? 'absent' : { value };
}

/** A key in quotes. What stands behind a slash is the key of a tag, which is its owner's word. */
export function quoteKey(key: string): string {
  return quote(/^[a-z0-9-]+:[a-z]+tag\//i.test(key) ? key.replace(/\/.*/s, '/...') : key);
}

function hidden(key: string): Unknown {
  return unknown(`${quoteKey(key)} is not known before the call`);
}
