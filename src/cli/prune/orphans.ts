import { parseRoleArn, type RoleArn, roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf, type ObjectName } from '../../api/cluster.ts';
import { isProblem, type Problem, problem } from '../../api/problem.ts';
import { serviceAccountIn, subjectOf } from '../../api/subject.ts';
import type { StatedSubject } from '../../trust/own-subjects.ts';

/**
 * Whether no binding names the subject for this role, now or in its memory of where it stands: whatever it wants, suspended or on its way out,
 * that is its own to release. Whom a binding names that cannot be read is not known, so of its whole namespace a problem says why.
 */
export function unnamedBy(bindings: readonly IrsaBinding[]): (role: RoleArn, named: StatedSubject) => boolean | Problem {
  const names = new Set(bindings.flatMap(namesOf));
  const unread = new Map(
    bindings.flatMap(({ metadata, spec }) => (isProblem(spec) ? [[metadata.namespace, unreadable(metadata, spec)]] : [])),
  );
  return (role, named) => {
    if (names.has(nameOf(role, named))) return false;
    return unread.get(serviceAccountIn(named.subject)?.namespace ?? '') ?? true;
  };
}

const unreadable = (name: ObjectName, { problem: why }: Problem): Problem =>
  problem(
    `IrsaBinding "${keyOf(name)}" cannot be read: ${why}. Whether it names the subject is not known. The subject is kept. Correct the binding or delete it`,
  );

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
