import { describe, expect, test } from 'vitest';
import { howToLogIn } from './credentials.ts';

/** As the SDK says it, behind the words of a Fault. */
const SSO = "TokenProvider: Token is expired. To refresh this SSO session run 'aws sso login' with the corresponding profile.";
const LEGACY =
  'CredentialsProvider: The SSO session associated with this profile has expired. To refresh this SSO session run aws sso login with the corresponding profile.';
const LOGIN = 'CredentialsProvider: Your session has expired. Please reauthenticate.';
const MFA = 'CredentialsProvider: Profile prod requires multi-factor authentication, but no MFA code callback was provided.';

const NONE = 'sts:GetCallerIdentity of the credentials: CredentialsProviderError: Could not load credentials from any providers';

describe('a person who has to log in reads the line that does it', () => {
  const cases: Record<string, [said: string, profile: string | undefined, line: string | undefined]> = {
    'for an SSO session': [SSO, 'prod', 'the SSO session of profile "prod" is over. Log in: aws sso login --profile prod'],
    'for an SSO session of the older form': [
      LEGACY,
      'prod',
      'the SSO session of profile "prod" is over. Log in: aws sso login --profile prod',
    ],
    'for the default profile': [SSO, undefined, 'the SSO session of the default profile is over. Log in: aws sso login'],
    'for aws login': [LOGIN, 'prod', 'the session of profile "prod" is over. Log in: aws login --profile prod'],
    'for aws login, before the first time': [
      'Failed to load token from /home/x/.aws/login/cache/y.json: Error: ENOENT',
      'prod',
      'the session of profile "prod" is over. Log in: aws login --profile prod',
    ],
    'where MFA is asked for': [
      MFA,
      'prod',
      'profile "prod" asks for a code of MFA, which only aws can ask you for. Run: eval "$(aws configure export-credentials --profile prod --format env)"',
    ],
    'where STS says that they have expired': [
      'sts:GetCallerIdentity: ExpiredToken: The security token',
      undefined,
      'the credentials of the environment have expired. Get new ones',
    ],
    'where nobody has credentials': [NONE, undefined, 'there are no AWS credentials. Name a profile with --profile, or log in'],
    'where a profile has none': [NONE, 'prod', 'profile "prod" has no credentials'],
    'and the flag that is missing, where there is no region': [
      'sts:GetCallerIdentity: Error: Region is missing',
      'prod',
      'no AWS region is set. Name one with --region',
    ],
    'and nothing where it is something else': ['sts:GetCallerIdentity: AccessDenied: no', 'prod', undefined],
  };
  for (const [sentence, [said, profile, line]] of Object.entries(cases)) test(sentence, () => expect(howToLogIn(said, profile)).toBe(line));
});
