import { expect, test } from 'vitest';
import { finding } from '../../api/finding.ts';
import { STS_REFUSAL_CODES, type StsRefusal } from '../../api/sts-refusal.ts';
import type { Verdict } from '../state/verdict.ts';

import { ARN, allowed, ISSUER, question, SUBJECT } from '../test-observed.ts';
import { findingOf } from './sts-refusals.ts';

const open = (...codes: Parameters<typeof finding>[0][]): Verdict => ({
  kind: 'unknown',
  message: 'statement 2 may deny it',
  size: { characters: 1, quota: 2 },
  mayStand: true,
  findings: codes.map((code) => finding(code, 'about it')),
});
const NOT_AUTHORIZED = 'Not authorized to perform sts:AssumeRoleWithWebIdentity';

const cases: Record<string, { code: StsRefusal['code']; message: string; verdict?: Verdict; is: string }> = {
  'everything is green': { code: 'AccessDenied', message: NOT_AUTHORIZED, is: 'OrgPolicyDenied' },
  'the policy left it open': {
    code: 'AccessDenied',
    message: NOT_AUTHORIZED,
    verdict: open('TrustRestrictedByOwner'),
    is: 'TrustRestrictedByOwner',
  },
  'the policy left it open without a finding': {
    code: 'AccessDenied',
    message: NOT_AUTHORIZED,
    verdict: open(),
    is: 'TrustConditionKeyUnknown',
  },
  'the provider is not known': {
    code: 'InvalidIdentityToken',
    message: `No OpenIDConnect provider found in your account for ${ISSUER}`,
    is: 'OidcProviderMissing',
  },
  'the audience is not known': { code: 'InvalidIdentityToken', message: 'Incorrect token audience', is: 'OidcProviderAudienceMissing' },
  'the keys cannot be fetched (two blanks in the real sentence)': {
    code: 'InvalidIdentityToken',
    message:
      "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
    is: 'IdpUnreachable',
  },
  'the certificate is another': {
    code: 'InvalidIdentityToken',
    message: "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
    is: 'OidcProviderThumbprint',
  },
  'the keys do not fit': {
    code: 'InvalidIdentityToken',
    message: 'The web identity token provided could not be validated',
    is: 'TokenRejected',
  },
  'the issuer does not answer': { code: 'IDPCommunicationError', message: 'An error occurred', is: 'IdpUnreachable' },
  'the issuer takes it back': { code: 'IDPRejectedClaim', message: 'rejected', is: 'TokenRejected' },
  'the clock is wrong': {
    code: 'ExpiredToken',
    message: 'Token expired: current date/time 2 must be before the expiration date/time 1',
    is: 'TokenExpired',
  },
  'the region is off': {
    code: 'RegionDisabled',
    message: 'STS is not activated in this region for account:111122223333',
    is: 'StsRegionDisabled',
  },
  'the partition is another': { code: 'ValidationError', message: 'Request ARN is invalid', is: 'RoleArnMismatch' },
};
for (const [sentence, { code, message, verdict = allowed, is }] of Object.entries(cases)) {
  // Contract: prove-answers
  test(`"${code}: ${message.slice(0, 40)}" is ${is} where ${sentence}, and its words are quoted`, () => {
    const found = findingOf({ code, message }, question(), verdict);
    expect(found.code).toBe(is);
    expect(found.message.startsWith(`STS refuses a token of "${SUBJECT}" for role "${ARN}" with "${code}: ${message}". `)).toBe(true);
  });
}

test('every code that counts as a refusal is in the table', () => {
  expect(new Set(Object.values(cases).map(({ code }) => code))).toEqual(new Set(STS_REFUSAL_CODES));
});
