import { parseRoleArn, type RoleArn, roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { isProblem } from '../../api/problem.ts';
import { serviceAccountIn, subjectOf } from '../../api/subject.ts';
import type { StatedSubject } from '../../trust/own-subjects.ts';

/**
 * Whether some binding names the subject for this role, now or in its memory of where it stands: whatever it wants, suspended or on its way
 * out, that is its own to release. Whom a binding names that cannot be read is not known, so it keeps its whole namespace.
 */
export function namedBy(bindings: readonly IrsaBinding[]): (role: RoleArn, named: StatedSubject) => boolean {
  const names = new Set(bindings.flatMap(namesOf));
  const unread = new Set(bindings.filter(({ spec }) => isProblem(spec)).map(({ metadata }) => metadata.namespace));
  return (role, named) => {
    const namespace = serviceAccountIn(named.subject)?.namespace;
    return names.has(nameOf(role, named)) || (namespace !== undefined && unread.has(namespace));
  };
}

function namesOf({ metadata: { namespace }, spec, status }: IrsaBinding): string[] {
  if (isProblem(spec)) return [];
  const subject = subjectOf(namespace, spec.serviceAccountName);
  const stood = (status.roles ?? []).flatMap(({ arn, audience }) => {
    const role = parseRoleArn(arn);
    return isProblem(role) ? [] : [nameOf(role, { subject, audience })];
  });
  return [nameOf(spec.roleArn, { subject, audience: spec.audience }), ...stood];
}

/** Names of roles are unique in an account without regard to case and path; a binding that errs in these means this role all the same. */
function nameOf(role: RoleArn, { subject, audience }: StatedSubject): string {
  const { account, name } = roleArnParts(role);
  return [account, name.toLowerCase(), subject, audience].join('\n');
}
