import { providerArnFor, type RoleArn } from '../../api/arn.ts';
import type { ObjectName } from '../../api/cluster.ts';
import { type Issuer, issuerHostPath } from '../../api/issuer.ts';
import { STS_AUDIENCE } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { subjectOf } from '../../api/subject.ts';
import { parseDocument } from '../../trust/document/document.ts';
import { evaluate } from '../../trust/evaluate/evaluate.ts';

/** Whether the trust policy of a role lets a ServiceAccount of this cluster in: a role that it may be meant to have. */
export function trustsSubject(role: RoleArn, policy: string, issuer: Issuer, { namespace, name }: ObjectName): boolean {
  // Most roles name another principal: the text shows that sooner than the document.
  if (!policy.includes(issuerHostPath(issuer))) return false;
  const document = parseDocument(policy);
  if (isProblem(document)) return false;
  const request = { provider: providerArnFor(role, issuer), issuer, subject: subjectOf(namespace, name), audience: STS_AUDIENCE };
  return evaluate(document, request).kind === 'allowed';
}
