import { STSServiceException } from '@aws-sdk/client-sts';
import { expect, test } from 'vitest';
import { lastWords } from './credentials.ts';

function answer(code: string, name: string, message: string, httpStatusCode: number): STSServiceException {
  const error = new STSServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode, requestId: 'r-1' } });
  return Object.assign(error, { Code: code }); // where the SDK keeps the code as it came
}

const cases: Record<string, { error: unknown; words: string }> = {
  'a refusal reads as in the article': {
    error: answer('AccessDenied', 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403),
    words:
      'WebIdentityErr: failed to retrieve credentials\ncaused by: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\n\tstatus code: 403, request id: r-1',
  },
  "the code is STS's own, not the name that the SDK for JavaScript gives it": {
    error: answer('InvalidIdentityToken', 'InvalidIdentityTokenException', 'No OpenIDConnect provider found', 400),
    words:
      'WebIdentityErr: failed to retrieve credentials\ncaused by: InvalidIdentityToken: No OpenIDConnect provider found\n\tstatus code: 400, request id: r-1',
  },
  'an STS that cannot be reached is no refusal, and reads differently': {
    error: new Error('connect ECONNREFUSED 127.0.0.1:1'),
    words:
      'WebIdentityErr: failed to retrieve credentials\ncaused by: RequestError: send request failed\ncaused by: connect ECONNREFUSED 127.0.0.1:1',
  },
};
for (const [sentence, { error, words }] of Object.entries(cases)) test(sentence, () => expect(lastWords(error)).toBe(words));
