import type { FaultKind } from '../../src/api/fault.ts';
import { codesOf } from '../../src/aws/faults.ts';
import type { Duration } from './rule.ts';

/** What a rule says of the calls to AWS, by the codes that the operator itself tells apart. */

const regex = (...codes: readonly string[]): string => codes.join('|');
const kinds = (...all: readonly FaultKind[]): string[] => all.flatMap(codesOf);

const THROTTLED = regex(...kinds('throttled'));
/** What STS finds wrong with one token. */
const OF_ONE_TOKEN = ['InvalidIdentityToken', 'IDPCommunicationError', 'IDPRejectedClaim'];
/** No failure of AWS: it answered what was asked, or said what is wrong with one role, document or token, which the binding tells. */
const ANSWERED = regex('ok', ...kinds('notFound', 'conflict', 'invalid', 'throttled'), ...OF_ONE_TOKEN);
/** Of one role this is an answer too: a tenant may bind one that irsa-operator may not read or write. */
const DENIED = regex(...kinds('denied'), 'ExpiredToken');
/** Calls that a denial of one role, one account or one token concerns. `ListRoles` has a substitute where it is denied on purpose. */
const OF_ONE_ROLE = regex('ListRoles', 'GetRole', 'UpdateAssumeRolePolicy', 'AssumeRole', 'AssumeRoleWithWebIdentity');
/** Each sweep makes the first two, whatever tenants do. After a restart the third comes before any sweep. */
const OF_EACH_SWEEP = 'ListRoles|GetOpenIDConnectProvider|GetCallerIdentity';

const REQUESTS = 'irsa_aws_requests_total';
/** Calls that retry after five minutes at the latest are counted twice in it. */
const WINDOW_MINUTES = 10;

/** The worst share of an operation's calls that failed, where that is more than `limit`. */
export const awsErrors = (limit: number) => (duration: Duration) => {
  const window = duration(WINDOW_MINUTES);
  return [
    'max(',
    '  sum by (service, operation) (',
    `    rate(${REQUESTS}{code!~"${ANSWERED}|${DENIED}"}[${window}])`,
    `      or rate(${REQUESTS}{code=~"${DENIED}", operation!~"${OF_ONE_ROLE}"}[${window}])`,
    '  )',
    `    / sum by (service, operation) (rate(${REQUESTS}[${window}]))`,
    `) > ${limit}`,
  ].join('\n');
};

/** Some calls were throttled in this time. irsa-operator slows down, so a share of the calls would say little. */
export const awsThrottled = (duration: Duration): string =>
  `sum(increase(${REQUESTS}{code=~"${THROTTLED}"}[${duration(WINDOW_MINUTES)}])) > 0`;

/** Most of the reads of a sweep fail. What bindings wait for is then one cause, which has its own alert. */
const awsIsOut = (duration: Duration): string => {
  const window = duration(WINDOW_MINUTES);
  return [
    `  sum(rate(${REQUESTS}{operation=~"${OF_EACH_SWEEP}", code!~"ok|NoSuchEntity"}[${window}]))`,
    `    / sum(rate(${REQUESTS}{operation=~"${OF_EACH_SWEEP}"}[${window}])) > 0.5`,
  ].join('\n');
};

export const unlessAwsIsOut = (duration: Duration): string => `unless on ()\n(\n${awsIsOut(duration)}\n)`;
