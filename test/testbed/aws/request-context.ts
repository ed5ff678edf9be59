import { PARTITIONS } from './arn.ts';
import { accountOfCaller, type Call, roleOfCaller } from './operation.ts';
import type { RequestContext } from './policy/context.ts';
import type { Target } from './target.ts';

/** What a signed request has in its context, whatever policy is asked: of itself, of who signed, of what it acts on. */
export function contextOf(call: Call, target: Target): RequestContext {
  const region = PARTITIONS[accountOfCaller(call).partition];
  return { ...globalContext(call), ...callerContext(call), 'aws:RequestedRegion': region, ...target.context };
}

/** What every request has in its context, whoever asks (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html). */
export function globalContext({ at, sourceIp, userAgent }: Pick<Call, 'at' | 'sourceIp' | 'userAgent'>): RequestContext {
  return {
    'aws:CurrentTime': at.toISOString(),
    'aws:EpochTime': String(Math.floor(at.getTime() / 1_000)),
    'aws:SecureTransport': 'true', // as at the real service; that the double has no TLS is nobody's business
    'aws:SourceIp': sourceIp,
    'aws:UserAgent': userAgent,
  };
}

/**
 * On the same page, "Properties of the principal": of a session aws:PrincipalArn is the role, with its path, and the organisation's ID is there
 * only for a member of one. A tag of the session has precedence over a tag of its role
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_know).
 */
function callerContext(call: Call): RequestContext {
  const { caller } = call;
  return {
    'aws:PrincipalAccount': caller.accountId,
    'aws:PrincipalArn': caller.names.find((name) => /^arn:[a-z-]+:iam::\d{12}:(?:role|user)\//.test(name)) ?? caller.arn,
    'aws:PrincipalOrgID': accountOfCaller(call).organization ?? [],
    'aws:userid': caller.userId,
    ...principalTags(roleOfCaller(call)?.tags ?? []),
    ...principalTags([...(caller.tags ?? [])].map(([key, { value }]) => [key, value])),
  };
}

function principalTags(tags: Iterable<readonly [key: string, value: string]>): RequestContext {
  return Object.fromEntries([...tags].map(([key, value]) => [`aws:PrincipalTag/${key}`, value]));
}
