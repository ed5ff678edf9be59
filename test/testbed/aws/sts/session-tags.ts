import { AwsError } from '../aws-error.ts';
import type { Call } from '../operation.ts';
import { list, tagsOf } from '../params.ts';
import type { SessionTags } from '../world.ts';

/**
 * The actions of STS that AssumeRole needs, in the caller's own policies and in the trust policy: TagSession too where the new session has
 * tags (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required). Tags that are handed on
 * count: reported of EKS Pod Identity (https://github.com/aws/eks-pod-identity-agent/issues/80).
 */
export function actionsOfAssumeRole(call: Call): ('AssumeRole' | 'TagSession')[] {
  const tagged = tagsOf(call.params).size + handedOn(call).size > 0;
  return tagged ? ['AssumeRole', 'TagSession'] : ['AssumeRole'];
}

/**
 * The tags of the session that this call opens: those of the request, and the transitive ones of the caller's session. "If you try to pass
 * [a tag that is inherited], the operation will fail" (same page, "Chaining roles with session tags"); the sentences are LocalStack's, which
 * is compared with AWS (https://github.com/localstack/localstack/pull/12508). Throws InvalidParameterValue.
 */
export function sessionTagsOf(call: Call): SessionTags {
  const asked = tagsOf(call.params);
  const inherited = handedOn(call);
  const keys = lowerCase(asked.keys());
  const transitive = lowerCase(list(call.params, 'TransitiveTagKeys'));
  if (lowerCase(inherited.keys()).intersection(keys).size > 0)
    throw invalid(
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    );
  if (!transitive.isSubsetOf(keys)) throw invalid('The specified transitive tag key must be included in the requested tags.');
  return new Map([
    ...inherited,
    ...[...asked].map(([key, value]) => [key, { value, transitive: transitive.has(key.toLowerCase()) }] as const),
  ]);
}

function handedOn({ caller }: Call): SessionTags {
  return new Map([...(caller.tags ?? [])].filter(([, { transitive }]) => transitive));
}

/** Keys of tags are compared without case. */
function lowerCase(keys: Iterable<string>): Set<string> {
  return new Set([...keys].map((key) => key.toLowerCase()));
}

const invalid = (message: string): AwsError => new AwsError('InvalidParameterValue', 400, message);
