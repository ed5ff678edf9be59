import { describe, expect, test } from 'vitest';
import { Fault } from '../../api/fault.ts';
import { ARN } from '../test-observed.ts';
import { refusalByIam } from './refused-write.ts';

const refused = (said: string) =>
  refusalByIam(
    ARN,
    new Fault('invalid', `iam:UpdateAssumeRolePolicy of role "${ARN}": MalformedPolicyDocument: ${said}`, {
      code: 'MalformedPolicyDocument',
    }),
    undefined,
  );

// Contract: unbound-quotes
describe('a document that IAM refuses is told in the words of IAM, up to the first value that it names', () => {
  const cases: Record<string, string> = {
    'Syntax errors in policy.': 'Syntax errors in policy',
    'Has prohibited field Resource': 'Has prohibited field Resource',
    'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/canary"': 'Invalid principal in policy',
    'AssumeRolepolicy contained an invalid principal: "STAR".': 'AssumeRolepolicy contained an invalid principal',
  };
  for (const [said, words] of Object.entries(cases))
    test(said, () =>
      expect(refused(said)).toEqual({
        code: 'TrustWriteRejected',
        severity: 'Error',
        message: `IAM rejects the trust policy of "${ARN}". It validates the whole document, foreign statements included: MalformedPolicyDocument: ${words}. The log of irsa-operator has the whole answer`,
      }),
    );
});
