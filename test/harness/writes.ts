import type { Testbed } from '@irsa-operator/testbed';
import { OPERATOR_USER } from './objects.ts';

/** What only reads; STS changes nothing either. */
const READS = /^(Get|List|Describe|Assume)/;

/** Every write of the operator since then (epoch milliseconds), Lease and Events apart: to the API server, refused ones too, and to AWS. */
export async function operatorWrites(testbed: Testbed, since: number): Promise<string[]> {
  const kubernetes = (await testbed.auditEvents()).filter(
    ({ user, objectRef, requestReceivedTimestamp }) =>
      user.username === OPERATOR_USER &&
      Date.parse(requestReceivedTimestamp) >= since &&
      objectRef?.resource !== 'leases' &&
      objectRef?.resource !== 'events',
  );
  const aws = testbed.aws.journal.filter(
    ({ at, operation, userAgent }) => at.getTime() >= since && !READS.test(operation) && userAgent.includes('irsa-operator'),
  );
  return [
    ...kubernetes.map(
      ({ requestReceivedTimestamp, verb, requestURI, responseStatus }) =>
        `${requestReceivedTimestamp} ${verb} ${requestURI} ${responseStatus?.code}`,
    ),
    ...aws.map(({ at, operation, params, code }) => `${at.toISOString()} ${operation} ${params['RoleName'] ?? ''} ${code}`),
  ];
}
