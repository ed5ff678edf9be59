import type { Call } from './operation.ts';
import type { RequestContext } from './policy/context.ts';

/** What every request has in its context, whoever asks (IAM user guide, "AWS global condition context keys"). */
export function globalContext({ at, sourceIp, userAgent }: Pick<Call, 'at' | 'sourceIp' | 'userAgent'>): RequestContext {
  return {
    'aws:CurrentTime': at.toISOString(),
    'aws:EpochTime': String(Math.floor(at.getTime() / 1_000)),
    'aws:SecureTransport': 'true', // as at the real service; that the double has no TLS is nobody's business
    'aws:SourceIp': sourceIp,
    'aws:UserAgent': userAgent,
  };
}

/** What a signed request has besides: who signed. */
export function callerContext({ caller }: Pick<Call, 'caller'>): RequestContext {
  return {
    'aws:PrincipalAccount': caller.accountId,
    'aws:PrincipalArn': caller.names.find((name) => /^arn:[a-z-]+:iam::\d{12}:(?:role|user)\//.test(name)) ?? caller.arn,
    'aws:userid': caller.userId,
  };
}
